import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHomeostatError } from "../base/error.ts";
import type { Finding } from "../base/finding.ts";
import { parseWorkflow, requireWorkflow } from "./workflow-file.ts";
import { allSteps, requiredTools } from "./workflow.ts";
import type { Step, Workflow } from "./workflow.ts";

const full = `version: 1
name: brand-audit               # kebab-case
description: Looks at every file.
inputs:
  folder:    { type: string, default: assets, description: Where to look }
  dry_run:   { type: boolean, default: false }
outputs:
  summary: \${{ steps.total.output.text }}
  count: \${{ length(steps.each.output) }}
steps:
  - id: inventory
    title: Look at every file
    tool: file_ops.list
    with: { path: "\${{ inputs.folder }}", recursive: true }
    timeout: 30s
    retry: { attempts: 3, delay: 500ms, backoff: 1.5, max_delay: 30s }
  - id: branch1
    branch:
      - when: \${{ inputs.dry_run }}
        steps:
          - id: nothing
            set: { text: dry }
      - else:
          - id: something
            if: \${{ steps.inventory.state == "completed" }}
            set: { text: "\${{ run.id }} wet" }
  - id: each
    for_each: \${{ steps.inventory.output.files }}
    as: file
    steps:
      - id: inner
        set: { name: "\${{ file.name }}", position: "\${{ index }}" }
    collect: \${{ steps.inner.output.name }}
  - id: ok
    approval:
      message: "Delete \${{ length(steps.each.output) }} files?"
      by: [approver, admin]
      expires: 1h
      on_reject: skip
  - id: pause
    wait: { for: 5s }
  - id: later
    wait: { until: "2026-01-01T00:00:00Z" }
  - id: total
    set: { text: "\${{ steps.branch1.output }}" }
`;

function parsed(text: string): Workflow {
  const result = parseWorkflow(text);
  if (!result.ok) throw new Error(JSON.stringify(result.findings, null, 1));
  return result.workflow;
}

function findings(text: string): readonly Finding[] {
  const result = parseWorkflow(text, { file: "w.yaml" });
  return result.ok ? result.warnings : result.findings;
}

/** A good workflow around the lines of one step. */
function around(step: string): string {
  return `version: 1\nname: w\ninputs:\n  path: { type: string }\nsteps:\n  - id: first\n    tool: file_ops.read\n    with: { path: "\${{ inputs.path }}" }\n${step}\n`;
}

describe("a good file", () => {
  test("becomes plain data with templates parsed and durations in milliseconds", () => {
    const workflow = parsed(full);
    const byId = new Map(allSteps(workflow.steps).map((step): [string, Step] => [step.id, step]));
    expect([...byId.keys()]).toEqual([
      "inventory", "branch1", "nothing", "something", "each", "inner", "ok", "pause", "later", "total",
    ]); // prettier-ignore
    expect(byId.get("inventory")).toMatchObject({
      kind: "tool",
      title: "Look at every file",
      action: "file_ops.list",
      timeoutMs: 30_000,
      retry: { attempts: 3, delayMs: 500, backoff: 1.5, maxDelayMs: 30_000 },
      place: { line: 11, column: 5, path: "steps[0]" },
    });
    expect(byId.get("something")).toMatchObject({ place: { path: "steps[1].branch[1].else[0]" } });
    expect(byId.get("each")).toMatchObject({ kind: "for_each", as: "file" });
    expect(byId.get("ok")).toMatchObject({
      by: ["approver", "admin"],
      expiresMs: 3_600_000,
      onReject: "skip",
    });
    expect(byId.get("pause")).toMatchObject({
      wait: { kind: "for", value: { kind: "literal", value: "5s" } },
    });
    expect(workflow.inputs).toMatchObject([
      { name: "folder", type: "string", default: "assets", description: "Where to look", line: 5 },
      { name: "dry_run", type: "boolean", default: false },
    ]);
    expect(structuredClone(workflow)).toEqual(workflow);
    expect(findings(full)).toEqual([]);
  });

  test("names its tools with their places", () => {
    expect(requiredTools(parsed(full))).toEqual([
      { action: "file_ops.list", line: 11, column: 5, path: "steps[0].tool" },
    ]);
  });

  test("defaults are those of the reference", () => {
    const step = parsed(
      around(
        "  - id: a\n    tool: wait.for\n    retry: { attempts: 2 }\n  - id: b\n    approval: { message: Go? }",
      ),
    ).steps;
    expect(step[1]).toMatchObject({
      title: null,
      condition: null,
      timeoutMs: null,
      args: { kind: "literal", value: {} },
    });
    expect(step[1]).toMatchObject({ retry: { attempts: 2, delayMs: 1_000, backoff: 2, maxDelayMs: 60_000 } });
    expect(step[2]).toMatchObject({ by: ["approver", "admin"], expiresMs: null, onReject: "fail" });
  });

  test("layout, comments and order of keys do not change the digest; content does", () => {
    const one = parsed("version: 1\nname: w\nsteps:\n  - id: a\n    set: { x: 1 }\n");
    const two = parsed("# hello\nname: w\nsteps: [{ set: { x: 1 }, id: a }]\nversion: 1\n");
    const three = parsed("version: 1\nname: w\nsteps:\n  - id: a\n    set: { x: 2 }\n");
    expect(two.digest).toBe(one.digest);
    expect(three.digest).not.toBe(one.digest);
    expect(one.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("an input that nothing reads is a warning, not an error", () => {
    const text =
      "version: 1\nname: w\ninputs:\n  left: { type: string }\nsteps:\n  - id: a\n    set: { x: 1 }\n";
    expect(findings(text)).toEqual([
      { severity: "warning", file: "w.yaml", line: 4, column: 3, path: "inputs.left", message: "the input `left` is never used" },
    ]); // prettier-ignore
  });
});

/** Step lines, then the expected place, path, message and hint of the first finding. Step lines begin at line 9. */
const mistakes: readonly {
  readonly title: string;
  readonly step: string;
  readonly at: readonly [line: number, column: number];
  readonly path: string;
  readonly message: RegExp;
  readonly hint?: RegExp;
}[] = [
  { title: "an unknown key", step: "  - id: a\n    tool: wait.for\n    timout: 3s", at: [11, 5], path: "steps[1].timout", message: /unknown key `timout`/, hint: /did you mean `timeout`/ },
  { title: "an unknown kind", step: "  - id: a\n    tol: wait.for", at: [10, 5], path: "steps[1]", message: /unknown kind of step `tol`/, hint: /did you mean `tool`/ },
  { title: "a key of another kind", step: "  - id: a\n    set: { x: 1 }\n    timeout: 3s", at: [11, 5], path: "steps[1].timeout", message: /unknown key/ },
  { title: "no kind", step: "  - id: a\n    title: x", at: [9, 5], path: "steps[1]", message: /has no kind/, hint: /tool, branch/ },
  { title: "two kinds", step: "  - id: a\n    tool: wait.for\n    wait: { for: 1s }", at: [9, 5], path: "steps[1]", message: /one kind, this one has tool and wait/ },
  { title: "a step that is no map", step: "  - just text", at: [9, 5], path: "steps[1]", message: /expected a step, found the text "just text"/ },
  { title: "no id", step: "  - tool: wait.for", at: [9, 5], path: "steps[1]", message: /`id` is missing/ },
  { title: "a repeated id", step: "  - id: first\n    set: { x: 1 }", at: [9, 9], path: "steps[1].id", message: /used before, in line 6/ },
  { title: "an id in capitals", step: "  - id: First\n    set: { x: 1 }", at: [9, 9], path: "steps[1].id", message: /no step id/ },
  { title: "a number as id", step: "  - id: 7\n    set: { x: 1 }", at: [9, 9], path: "steps[1].id", message: /expected a text, found the number 7/ },
  { title: "a bad action name", step: "  - id: a\n    tool: delete", at: [10, 11], path: "steps[1].tool", message: /no action name/ },
  { title: "arguments that are no map", step: "  - id: a\n    tool: wait.for\n    with: [1]", at: [11, 11], path: "steps[1].with", message: /map of arguments, found a list/ },
  { title: "a duration without unit", step: "  - id: a\n    tool: wait.for\n    timeout: 30", at: [11, 14], path: "steps[1].timeout", message: /expected a duration/, hint: /write `30s`/ },
  { title: "a duration of zero", step: "  - id: a\n    tool: wait.for\n    timeout: 0s", at: [11, 14], path: "steps[1].timeout", message: /expected a duration/ },
  { title: "retry without attempts", step: "  - id: a\n    tool: wait.for\n    retry: { delay: 1s }", at: [11, 12], path: "steps[1].retry", message: /`attempts` is missing/ },
  { title: "too many attempts", step: "  - id: a\n    tool: wait.for\n    retry: { attempts: 99 }", at: [11, 24], path: "steps[1].retry.attempts", message: /from 1 to 20, found the number 99/ },
  { title: "a backoff below one", step: "  - id: a\n    tool: wait.for\n    retry: { attempts: 2, backoff: 0.5 }", at: [11, 36], path: "steps[1].retry.backoff", message: /from 1 to 10/ },
  { title: "a title with an expression", step: "  - id: a\n    title: x ${{ 1 }}\n    set: { x: 1 }", at: [10, 12], path: "steps[1].title", message: /plain text/ },
  { title: "a condition that is mere text", step: "  - id: a\n    if: inputs.path\n    set: { x: 1 }", at: [10, 9], path: "steps[1].if", message: /expected a condition/, hint: /\$\{\{ inputs\.path \}\}/ },
  { title: "a condition with text around", step: "  - id: a\n    if: not ${{ inputs.path }}\n    set: { x: 1 }", at: [10, 9], path: "steps[1].if", message: /expected a condition/, hint: /around/ },
  { title: "an error in an expression", step: '  - id: a\n    set: { x: "${{ 1 + }}" }', at: [10, 24], path: "steps[1].set.x", message: /expected a value, found `}`/ },
  { title: "an error in a block text", step: "  - id: a\n    set:\n      x: |\n        one\n        ${{ 1 + }}", at: [11, 10], path: "steps[1].set.x", message: /expected a value.*character 13 of the text/ },
  { title: "an unknown function", step: '  - id: a\n    set: { x: "${{ lenght(inputs.path) }}" }', at: [10, 20], path: "steps[1].set.x", message: /no function `lenght`/, hint: /`length`/ },
  { title: "an unknown name", step: '  - id: a\n    set: { x: "${{ input.path }}" }', at: [10, 20], path: "steps[1].set.x", message: /unknown name `input`/, hint: /`inputs`/ },
  { title: "an unknown input", step: '  - id: a\n    set: { x: "${{ inputs.pth }}" }', at: [10, 20], path: "steps[1].set.x", message: /no input `pth`/, hint: /`path`/ },
  { title: "an unknown step", step: '  - id: a\n    set: { x: "${{ steps.fist.output }}" }', at: [10, 20], path: "steps[1].set.x", message: /no step `fist`/, hint: /`first`/ },
  { title: "a later step", step: '  - id: a\n    set: { x: "${{ steps.b.output }}" }\n  - id: b\n    set: { x: 1 }', at: [10, 20], path: "steps[1].set.x", message: /`b` does not come before/ },
  { title: "the step itself", step: '  - id: a\n    set: { x: "${{ steps.a.output }}" }', at: [10, 20], path: "steps[1].set.x", message: /does not come before/ },
  { title: "a member a step does not have", step: '  - id: a\n    set: { x: "${{ steps.first.text }}" }', at: [10, 20], path: "steps[1].set.x", message: /`output`, `state`, `error`, `errors`/, hint: /steps\.first\.output\.text/ },
  { title: "steps without an id", step: '  - id: a\n    set: { x: "${{ steps }}" }', at: [10, 20], path: "steps[1].set.x", message: /by the id/ },
  { title: "an unknown member of run", step: '  - id: a\n    set: { x: "${{ run.started }}" }', at: [10, 20], path: "steps[1].set.x", message: /no `run.started`/ },
  { title: "the item outside its loop", step: '  - id: a\n    set: { x: "${{ item }}" }', at: [10, 20], path: "steps[1].set.x", message: /unknown name `item`/ },
  { title: "an id with a hyphen written with a dot", step: '  - id: a-b\n    set: { x: 1 }\n  - id: c\n    set: { x: "${{ steps.a-b.output }}" }', at: [12, 20], path: "steps[2].set.x", message: /no step `a`/, hint: /steps\["a-b"\]/ },
  { title: "a branch that is no list", step: "  - id: a\n    branch: { when: true }", at: [10, 13], path: "steps[1].branch", message: /list of arms, found a map/ },
  { title: "an arm without when", step: "  - id: a\n    branch:\n      - steps: [{ id: b, set: { x: 1 } }]", at: [11, 9], path: "steps[1].branch[0]", message: /`when` is missing/ },
  { title: "an arm without steps", step: "  - id: a\n    branch:\n      - when: true", at: [11, 9], path: "steps[1].branch[0]", message: /`steps` is missing/ },
  { title: "else not at the end", step: "  - id: a\n    branch:\n      - else: [{ id: b, set: { x: 1 } }]\n      - when: true\n        steps: [{ id: c, set: { x: 1 } }]", at: [11, 9], path: "steps[1].branch[0].else", message: /last arm/ },
  { title: "else alone", step: "  - id: a\n    branch:\n      - else: [{ id: b, set: { x: 1 } }]", at: [11, 9], path: "steps[1].branch[0].else", message: /needs a `when`/ },
  { title: "else with when", step: "  - id: a\n    branch:\n      - when: true\n        steps: [{ id: b, set: { x: 1 } }]\n      - when: true\n        else: [{ id: c, set: { x: 1 } }]", at: [14, 9], path: "steps[1].branch[1].else", message: /stands alone/ },
  { title: "a step of another arm", step: '  - id: a\n    branch:\n      - when: true\n        steps: [{ id: b, set: { x: 1 } }]\n      - else: [{ id: c, set: { x: "${{ steps.b.output }}" } }]', at: [13, 40], path: "steps[1].branch[1].else[0].set.x", message: /does not come before/ },
  { title: "a loop over a text", step: "  - id: a\n    for_each: inputs.path\n    steps: [{ id: b, set: { x: 1 } }]", at: [10, 15], path: "steps[1].for_each", message: /expected a list, found the text/ },
  { title: "a loop without steps", step: "  - id: a\n    for_each: [1]", at: [9, 5], path: "steps[1]", message: /`steps` is missing/ },
  { title: "an item with a reserved name", step: "  - id: a\n    for_each: [1]\n    as: inputs\n    steps: [{ id: b, set: { x: 1 } }]", at: [11, 9], path: "steps[1].as", message: /cannot name the item/ },
  { title: "an approval without message", step: "  - id: a\n    approval: { by: admin }", at: [10, 15], path: "steps[1].approval", message: /`message` is missing/ },
  { title: "an approval by nobody", step: "  - id: a\n    approval: { message: x, by: [] }", at: [10, 33], path: "steps[1].approval.by", message: /names of roles/ },
  { title: "a wrong on_reject", step: "  - id: a\n    approval: { message: x, on_reject: skp }", at: [10, 40], path: "steps[1].approval.on_reject", message: /fail, skip; found the text "skp"/, hint: /`skip`/ },
  { title: "a wait for both", step: "  - id: a\n    wait: { for: 1s, until: x }", at: [10, 11], path: "steps[1].wait", message: /either `for`, `until` or `signal`/ },
  { title: "a wait for nothing", step: "  - id: a\n    wait: {}", at: [10, 11], path: "steps[1].wait", message: /either/ },
  { title: "a wait for a word", step: "  - id: a\n    wait: { for: long }", at: [10, 18], path: "steps[1].wait.for", message: /expected a duration/ },
  { title: "a time without offset", step: '  - id: a\n    wait: { until: "2026-01-01T00:00:00" }', at: [10, 20], path: "steps[1].wait.until", message: /expected a time such as/ },
  { title: "set with a list", step: "  - id: a\n    set: [1]", at: [10, 10], path: "steps[1].set", message: /expected a map, found a list/ },
  { title: "a name that expressions could not read", step: "  - id: a\n    set: { a-b: 1 }", at: [10, 10], path: "steps[1].set", message: /cannot name a value/ },
  { title: "an alias", step: "  - id: a\n    set: { x: &y 1, z: *y }", at: [10, 18], path: "steps[1].set.x", message: /anchors and aliases/ },
  { title: "a key twice", step: "  - id: a\n    set: { x: 1, x: 2 }", at: [10, 18], path: "steps[1].set.x", message: /`x` is there twice/ },
  { title: "a number as key", step: "  - id: a\n    set: { 1: 1 }", at: [10, 12], path: "steps[1].set", message: /1 cannot be a key/ },
  { title: "__proto__ as key", step: "  - id: a\n    set: { __proto__: 1 }", at: [10, 12], path: "steps[1].set", message: /cannot be a key/ },
  { title: "a tag", step: "  - id: a\n    set: { x: !secret y }", at: [10, 15], path: "", message: /not valid YAML/ },
  { title: "an infinite number", step: "  - id: a\n    set: { x: .inf }", at: [10, 15], path: "steps[1].set.x", message: /Infinity cannot be used/ },
  { title: "a number beyond exactness", step: "  - id: a\n    set: { x: 12345678901234567890 }", at: [10, 15], path: "steps[1].set.x", message: /too large to be kept exactly/ },
  { title: "a ternary without quotes", step: "  - id: a\n    if: ${{ inputs.path ? true : false }}\n    set: { x: 1 }", at: [10, 9], path: "", message: /not valid YAML/, hint: /quotes/ },
]; // prettier-ignore

describe("mistakes", () => {
  test.each(mistakes)("$title is found", ({ step, at, path, message, hint }) => {
    const result = parseWorkflow(around(step));
    expect(result.ok).toBe(false);
    const [first] = result.ok ? [] : result.findings;
    expect(first).toMatchObject({ severity: "error", path, line: at[0], column: at[1] });
    expect(first?.message).toMatch(message);
    if (hint !== undefined) expect(first?.hint).toMatch(hint);
  });

  test.each([
    ["", /the file is empty/],
    ["# only a comment", /the file is empty/],
    ["just text", /expected a map, found the text "just text"/],
    ["version: 2\nname: a\nsteps: []", /reads version 1, found the number 2/],
    ["name: a\nsteps: []", /`version` is missing/],
    ["version: 1\nname: Brand Audit\nsteps: []", /no workflow name/],
    ["version: 1\nname: a", /`steps` is missing/],
    ["version: 1\nname: a\nsteps: []", /the list of steps is empty/],
    ["version: 1\nname: a\nsteps: { id: a }", /expected a list of steps, found a map/],
    ["version: 1\nname: a\nstep: []", /unknown key `step`/],
    ["version: 1\nname: a\nsteps: [{ id: a, set: {} }]\n---\nx: 1", /second document/],
    ["version: 1\nname: a\ninputs: []\nsteps: [{ id: a, set: {} }]", /expected a map of inputs/],
    ["a: [1", /not valid YAML/],
    ["a:\n\tb: 1", /not valid YAML/],
    [`version: 1 # ${"x".repeat(300_000)}`, /has 300013 bytes, more than 262144/],
  ])("the file %j is refused", (text, message) => {
    expect(
      findings(text)
        .map((finding) => finding.message)
        .join("\n"),
    ).toMatch(message);
  });

  test("all mistakes are told at once, in the order of the file, at most 50 and a count", () => {
    const text = around("  - id: a\n    tol: x\n  - id: b\n    set: 1\n    if: x");
    expect(findings(text).map((finding) => finding.line)).toEqual([10, 12, 13]);
    const many = around(Array.from({ length: 80 }, (_, index) => `  - id: s${index}\n    set: 1`).join("\n"));
    expect(findings(many)).toHaveLength(51);
    expect(findings(many).at(-1)?.message).toBe("30 more findings are not shown");
  });

  test("requireWorkflow throws WORKFLOW_INVALID with the findings as details", () => {
    try {
      requireWorkflow("version: 1\nnam: a\nsteps: []", { file: "w.yaml" });
      expect.unreachable();
    } catch (error) {
      if (!isHomeostatError(error, "WORKFLOW_INVALID")) throw error;
      expect(error.message).toBe(
        "The workflow is not valid: w.yaml:1:1: the key `name` is missing (and 2 more)",
      );
      expect(error.details[1]).toMatchObject({
        file: "w.yaml",
        line: 2,
        path: "nam",
        hint: "did you mean `name`?",
      });
    }
    expect(requireWorkflow(full).name).toBe("brand-audit");
  });
});

describe("bounds", () => {
  test("files made to exhaust the reader are refused within a second", () => {
    const bombs = [
      "[".repeat(250_000),
      "{a: ".repeat(60_000),
      "- ".repeat(120_000),
      "? ".repeat(120_000),
      Array.from({ length: 700 }, (_, index) => `${" ".repeat(index)}a:`).join("\n"),
      `a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]`,
      "&a ".repeat(80_000),
      "]".repeat(250_000),
      '"'.repeat(250_000),
      "- : ".repeat(60_000),
      Array.from({ length: 20_000 }, (_, index) => `k${index}: ${index}`).join("\n"),
    ];
    for (const bomb of bombs) {
      const began = performance.now();
      expect(parseWorkflow(bomb).ok).toBe(false);
      expect(performance.now() - began).toBeLessThan(1_500);
    }
  });

  test("too many and too deeply nested steps are refused", () => {
    const many = Array.from({ length: 501 }, (_, index) => `  - id: s${index}\n    set: { x: 1 }`).join("\n");
    expect(findings(`version: 1\nname: w\nsteps:\n${many}`)[0]?.message).toMatch(/more than 500 steps/);
    let inner = "{ id: s, set: { x: 1 } }";
    for (let level = 0; level < 9; level++) inner = `{ id: l${level}, for_each: [1], steps: [${inner}] }`;
    expect(findings(`version: 1\nname: w\nsteps: [${inner}]`)[0]?.message).toMatch(/deeper than 8 levels/);
  });

  test("a large good file is read quickly", () => {
    const steps = Array.from(
      { length: 490 },
      (_, index) => `  - id: s${index}\n    set: { x: "\${{ inputs.path }}" }`,
    );
    const text = around(steps.join("\n"));
    const began = performance.now();
    expect(parseWorkflow(text).ok).toBe(true);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("whatever the text, the answer is a workflow or findings with places", () => {
    const lines = full.split("\n");
    const word = fc.constantFrom(
      "${{",
      "}}",
      ":",
      "- ",
      "  ",
      "[",
      "{",
      "&a",
      "*a",
      "!t",
      "id: x",
      "steps:",
      "'",
      '"',
      "|",
      "\n",
      "\u0000",
      "é",
      "\ud800",
    );
    const mutated = fc
      .array(fc.tuple(fc.nat(lines.length - 1), fc.nat(60), word), { maxLength: 6 })
      .map((edits) => {
        const copy = [...lines];
        for (const [line, column, text] of edits)
          copy[line] = copy[line]!.slice(0, column) + text + copy[line]!.slice(column);
        return copy.join("\n");
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ maxLength: 200, unit: "binary" })), (text) => {
        const result = parseWorkflow(text);
        const found = result.ok ? result.warnings : result.findings;
        expect(result.ok || found.some((finding) => finding.severity === "error")).toBe(true);
        for (const finding of found)
          expect(finding.line >= 1 && finding.column >= 1 && finding.message !== "").toBe(true);
      }),
      { numRuns: 1_500 },
    );
  });
});
