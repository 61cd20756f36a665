import { describe, expect, test } from "vitest";
import type { JsonValue } from "../base/canonical-json.ts";
import { parseWorkflow } from "./workflow-file.ts";
import { checkInputs, coerceInput } from "./workflow-inputs.ts";
import type { Workflow } from "./workflow.ts";

function withInputs(inputs: string): Workflow {
  const result = parseWorkflow(
    `version: 1\nname: w\ninputs:\n${inputs}\nsteps:\n  - id: a\n    set: { x: "\${{ inputs }}" }\n`,
  );
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.workflow;
}

function declared(input: string): string {
  const text = `version: 1\nname: w\ninputs:\n  ${input}\nsteps:\n  - id: a\n    set: { x: "\${{ inputs }}" }\n`;
  const result = parseWorkflow(text);
  return result.ok
    ? "ok"
    : result.findings.map((finding) => `${finding.path}: ${finding.message}`).join("; ");
}

const workflow = withInputs(`  name: { type: string, min: 2, max: 4 }
  days: { type: integer, default: 30, min: 1, max: 99 }
  share: { type: number, default: 0.5 }
  mode: { type: string, enum: [fast, slow], default: fast }
  tags: { type: list, max: 2, default: [] }
  extra: { type: object, default: null }
  dry: { type: boolean, default: false }`);

function problem(given: Record<string, unknown>): string {
  const result = checkInputs(workflow, given, "w.yaml");
  return result.ok
    ? "ok"
    : result.findings.map((finding) => `${finding.path}: ${finding.message}`).join("; ");
}

describe("checkInputs", () => {
  test("fills defaults in", () => {
    expect(checkInputs(workflow, { name: "abc", days: 7 })).toEqual({
      ok: true,
      values: { name: "abc", days: 7, share: 0.5, mode: "fast", tags: [], extra: null, dry: false },
    });
    expect(checkInputs(workflow, { name: "abc", extra: null })).toMatchObject({ ok: true });
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{}, /inputs\.name: the input `name` is missing/],
    [{ name: 1 }, /expected string, found 1/],
    [{ name: "a" }, /at least 2 characters, found 1/],
    [{ name: "abcde" }, /at most 4 characters, found 5/],
    [{ name: null }, /expected string, found null/],
    [{ name: "ab", days: "7" }, /expected integer, found "7"/],
    [{ name: "ab", days: 1.5 }, /expected integer/],
    [{ name: "ab", days: 0 }, /at least 1, found 0/],
    [{ name: "ab", share: NaN }, /expected number/],
    [{ name: "ab", mode: "fats" }, /one of "fast", "slow"; found "fats"/],
    [{ name: "ab", tags: [1, 2, 3] }, /at most 2 items, found 3/],
    [{ name: "ab", tags: [undefined] }, /expected list/],
    [{ name: "ab", extra: [] }, /expected object, found \[\]/],
    [{ name: "ab", extra: { a: () => 1 } }, /expected object/],
    [{ name: "ab", extra: JSON.parse('{"__proto__": 1}') }, /expected object/],
    [{ name: "\ud800x" }, /expected string/],
    [{ name: "ab", dry: "yes" }, /inputs\.dry: the input `dry`: expected boolean, found "yes"$/],
    [{ name: "ab", dayz: 1 }, /inputs\.dayz: the workflow w has no input `dayz`/],
  ])("%j is refused", (given, message) => {
    expect(problem(given)).toMatch(message);
  });

  test("findings point at the declaration", () => {
    const result = checkInputs(workflow, { name: "ab", days: 0 }, "w.yaml");
    expect(result).toMatchObject({ findings: [{ file: "w.yaml", line: 5, column: 3 }] });
  });
});

describe("declarations", () => {
  test.each<[string, RegExp]>([
    ["a: { type: strng }", /inputs\.a\.type: expected string, number/],
    ["a: { default: 1 }", /`type` is missing/],
    ["a-b: { type: string }", /cannot name an input/],
    ["a: { type: integer, default: x }", /inputs\.a\.default: the default does not fit: expected integer/],
    ["a: { type: integer, default: 5, max: 4 }", /does not fit: expected at most 4, found 5/],
    ["a: { type: boolean, min: 1 }", /no min and max/],
    ["a: { type: integer, min: 5, max: 4 }", /min 5 is greater than max 4/],
    ["a: { type: integer, min: x }", /expected a number/],
    ["a: { type: string, enum: x }", /expected a list of values/],
    ["a: { type: string, enum: [1] }", /1 is no string/],
    ["a: { type: string, pattern: x }", /unknown key `pattern`/],
    ["a: string", /expected a map/],
  ])("%s is refused", (input, message) => {
    expect(declared(input)).toMatch(message);
  });
});

describe("coerceInput", () => {
  test.each<[string, string, JsonValue | RegExp]>([
    ["string", "7", "7"],
    ["number", "1.5e3", 1500],
    ["number", "", /cannot be ""/],
    ["number", "0x", /cannot be/],
    ["integer", "-7", -7],
    ["integer", "seven", /cannot be "seven"/],
    ["boolean", "true", true],
    ["boolean", "yes", /cannot be "yes"/],
    ["list", "a, b", ["a", "b"]],
    ["list", "", []],
    ["list", '["a", 1]', ["a", 1]],
    ["list", "[a", /cannot be/],
    ["object", '{"a": 1}', { a: 1 }],
    ["object", "a=1", /cannot be/],
  ])("%s from %j", (type, text, expected) => {
    const [input] = withInputs(`  v: { type: ${type} }`).inputs;
    const result = coerceInput(input!, text);
    if (expected instanceof RegExp) expect(result.ok ? "ok" : result.message).toMatch(expected);
    else expect(result).toEqual({ ok: true, value: expected });
  });
});
