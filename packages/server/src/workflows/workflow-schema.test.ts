import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { stepKindNames, stepKinds } from "./step-kinds.ts";
import { fileKeys, parseWorkflow } from "./workflow-file.ts";
import { workflowSchema } from "./workflow-schema.ts";

const root = join(import.meta.dirname, "../../../..");
const isValid = new Ajv2020({ allErrors: true, strict: false }).compile(workflowSchema());
const document = readFileSync(join(root, "docs/workflows.md"), "utf8");

function examples(): readonly string[] {
  const blocks = [...document.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);
  const inputs = "  tags: { type: list }\n  name: { type: string }\n  dry_run: { type: boolean }\n";
  return blocks.map((block) =>
    block.startsWith("version:") ? block : `version: 1\nname: example\ninputs:\n${inputs}steps:\n${block}`,
  );
}

const step = (body: string): string => `version: 1\nname: w\nsteps:\n  - { id: a, ${body} }\n`;

describe("the JSON Schema of workflow files", () => {
  test.each(examples().map((text, index) => ({ text, number: index + 1 })))(
    "takes example $number of the documentation, as the parser does",
    ({ text }) => {
      expect(parseWorkflow(text).ok).toBe(true);
      expect(isValid(parse(text)) ? [] : isValid.errors).toEqual([]);
    },
  );

  test("takes the shipped example", () => {
    const text = readFileSync(join(root, "examples/brand-audit/workflow.yaml"), "utf8");
    expect(isValid(parse(text)) ? [] : isValid.errors).toEqual([]);
  });

  test.each([
    ["a missing version", "name: w\nsteps: [{ id: a, set: { x: 1 } }]\n"],
    ["another version", step("set: { x: 1 }").replace("version: 1", "version: 2")],
    ["an unknown key of the file", `${step("set: { x: 1 }")}extra: 1\n`],
    ["a name with capitals", step("set: { x: 1 }").replace("name: w", "name: W")],
    ["no steps", "version: 1\nname: w\nsteps: []\n"],
    ["a step without kind", step("title: x")],
    ["a step of two kinds", step("set: { x: 1 }, wait: { for: 1s }")],
    ["an unknown key of a step", step("set: { x: 1 }, retry: { attempts: 2 }")],
    ["an id with capitals", "version: 1\nname: w\nsteps: [{ id: A, set: { x: 1 } }]\n"],
    ["a timeout without unit", step("tool: file_ops.list, timeout: 30")],
    ["a retry without attempts", step("tool: file_ops.list, retry: { delay: 1s }")],
    ["too many attempts", step("tool: file_ops.list, retry: { attempts: 21 }")],
    ["a tool that is no name", step("tool: LIST")],
    ["an `if` that is a plain text", step("if: yes please, set: { x: 1 }")],
    ["a branch without arms", step("branch: []")],
    ["an arm without steps", step("branch: [{ when: true }]")],
    ["a loop without steps", step("for_each: [1]")],
    ["a loop over a plain text", step("for_each: abc, steps: [{ id: b, set: { x: 1 } }]")],
    ["concurrency 0", step("for_each: [1], concurrency: 0, steps: [{ id: b, set: { x: 1 } }]")],
    ["an unknown on_error", step("parallel: { x: [{ id: b, set: { x: 1 } }] }, on_error: stop")],
    ["wait_all of a step without branches", step("set: { x: 1 }, on_error: wait_all")],
    ["a parallel list", step("parallel: [{ id: b, set: { x: 1 } }]")],
    ["an empty handler", step("set: { x: 1 }, catch: []")],
    ["an approval without message", step("approval: { by: admin }")],
    ["an approval with an unknown answer", step("approval: { message: x, on_reject: stop }")],
    ["a wait for both", step('wait: { for: 1s, until: "2026-01-01T00:00:00Z" }')],
    ["a signal with an expression as name", step('wait: { signal: "${{ inputs.x }}" }')],
    ["a payload without type", step("wait: { signal: go, payload: { a: { min: 1 } } }")],
    ["a workflow with a bad name", step("workflow: My Flow")],
    ["a bad duration of the run", `timeout: soon\n${step("set: { x: 1 }")}`],
    ["a trigger of no kind", `triggers: [{ name: x }]\n${step("set: { x: 1 }")}`],
    ["a trigger of two kinds", `triggers: [{ cron: "0 0 * * *", webhook: x }]\n${step("set: { x: 1 }")}`],
    ["an unknown missed policy", `triggers: [{ interval: 5m, missed: never }]\n${step("set: { x: 1 }")}`],
    ["an input of no type", `inputs: { a: {} }\n${step("set: { x: 1 }")}`],
  ])("refuses %s, as the parser does", (_what, text) => {
    expect(parseWorkflow(text).ok).toBe(false);
    expect(isValid(parse(text))).toBe(false);
  });

  test("knows every key the parser knows", () => {
    const schema = workflowSchema() as {
      readonly properties: object;
      readonly $defs: Readonly<Record<string, { readonly properties: object }>>;
    };
    expect(Object.keys(schema.properties).sort()).toEqual([...fileKeys].sort());
    for (const kind of stepKindNames) {
      const known = Object.keys(schema.$defs[kind]!.properties);
      for (const key of [kind, ...Object.keys(stepKinds[kind].keys)]) expect(known, kind).toContain(key);
    }
  });
});
