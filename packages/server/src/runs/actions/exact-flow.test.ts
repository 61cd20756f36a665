import { describe, expect, test } from "vitest";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { ToolStep } from "../../workflows/workflow.ts";
import { parseTemplate } from "../../expression/template.ts";
import { exactOrigins, operatorTexts, originAt } from "./exact-flow.ts";
import type { FlowFacts } from "./exact-flow.ts";

const text = `
version: 1
name: w
inputs: { who: { type: string } }
steps:
  - { id: page, tool: web.get, with: { url: "https://a.example" } }
  - { id: files, tool: file.list, with: {} }
  - { id: pause, wait: { for: 1s } }
  - { id: ok, approval: { message: "Go on?" } }
  - id: names
    set: { best: "\${{ steps.page.output.name }}", mine: "\${{ inputs.who }}" }
  - id: each
    for_each: \${{ steps.files.output }}
    as: file
    collect: \${{ steps.inner.output }}
    steps:
      - { id: inner, tool: file.read, with: { path: "\${{ file }}" } }
  - id: either
    branch:
      - when: \${{ true }}
        steps: [{ id: chosen, tool: mail.list, with: {} }]
  - id: last
    tool: bank.pay
    with:
      literal: fixed
      input: \${{ inputs.who }}
      run: \${{ run.id }}
      page: \${{ steps.page.output.payee }}
      mixed: "to \${{ steps.page.output.payee }}"
      through: \${{ steps.names.output.best }}
      loop: \${{ steps.each.output }}
      arm: \${{ steps.either.output }}
      answer: \${{ steps.ok.output }}
      time: \${{ steps.pause.output }}
      both: "\${{ inputs.who }}\${{ steps.files.output }}"
      list: ["\${{ steps.page.output }}", plain]
`;

function origins() {
  const parsed = parseWorkflow(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  const brought = new Map<string, readonly OriginLabel[]>([
    ["page", ["web"]],
    ["files", ["file"]],
    ["each/0/inner", ["file"]],
    ["each/1/inner", ["mcp"]],
    ["either/chosen", ["mail"]],
  ]);
  const last = parsed.workflow.steps.at(-1) as ToolStep;
  return {
    workflow: parsed.workflow,
    found: exactOrigins(last.args, { workflow: parsed.workflow, brought, failures: new Map(), inputs: {} }),
  };
}

describe("the origin of an argument, read off its expression", () => {
  const table: readonly (readonly [
    path: string,
    labels: readonly OriginLabel[],
    steps: readonly string[],
  ])[] = [
    ["literal", ["operator"], []],
    ["input", ["user"], []],
    ["run", ["operator"], []],
    ["page", ["web"], ["page"]],
    ["mixed", ["operator", "web"], ["page"]],
    ["through", ["user", "web"], ["page"]],
    ["loop", ["file", "mcp"], ["files", "each/0/inner", "each/1/inner"]],
    ["arm", ["mail"], ["either/chosen"]],
    ["answer", ["user"], []],
    ["time", ["operator"], []],
    ["both", ["file", "user"], ["files"]],
    ["list[0].deep", ["web"], ["page"]],
    ["list[1]", ["operator"], []],
  ];
  test.each(table)("%s", (path, labels, steps) => {
    expect(originAt(origins().found, path)).toEqual({ labels, steps });
  });

  test("an argument the workflow does not name has none", () => {
    expect(originAt(origins().found, "unknown")).toBeUndefined();
  });

  test("what the operator wrote into values is known, expressions are not part of it", () => {
    const texts = operatorTexts(origins().workflow);
    expect(texts.join(" ")).toContain("https://a.example");
    expect(texts).toContain("to ");
    expect(texts.join(" ")).not.toContain("steps.");
  });
});

test("inputs that came from outside have the labels they came with", () => {
  const { workflow } = origins();
  const last = workflow.steps.at(-1) as ToolStep;
  const found = exactOrigins(last.args, {
    workflow,
    brought: new Map(),
    failures: new Map(),
    inputs: { who: ["web"] },
  });
  expect(originAt(found, "input")).toEqual({ labels: ["web"], steps: [] });
  const all = { kind: "template", template: parseTemplate("${{ inputs }}"), place: {} } as const;
  expect(
    originAt(
      exactOrigins(all, { workflow, brought: new Map(), failures: new Map(), inputs: { who: ["web"] } }),
      "",
    ),
  ).toEqual({
    labels: ["user", "web"],
    steps: [],
  });
});

describe("errors", () => {
  const failing = `version: 1
name: w
inputs: { who: { type: string }, where: { type: string } }
steps:
  - id: call
    tool: web.get
    with: { url: "\${{ inputs.where }}", name: "\${{ inputs.who }}" }
    catch: [{ id: first, tool: file.read, with: {} }, { id: fallback, set: { own: "\${{ error.message }}" } }]
  - id: quiet
    tool: web.get
    with: {}
    on_error: continue
  - id: lanes
    for_each: "\${{ steps.call.output }}"
    on_error: continue
    collect: "\${{ steps.round.output }}"
    steps: [{ id: round, tool: web.get, with: { url: "\${{ item }}" } }]
  - id: again
    for_each: [plain]
    steps: [{ id: child, workflow: other, inputs: { of: "\${{ item }}" } }]
  - { id: sure, approval: { message: "\${{ steps.quiet.error.message }}?" } }
`;

  function at(expression: string, given: Partial<FlowFacts> = {}) {
    const parsed = parseWorkflow(failing);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
    const { workflow } = parsed;
    const facts = { workflow, brought: new Map(), failures: new Map(), inputs: {}, ...given };
    const template = { kind: "template", template: parseTemplate(expression), place: {} } as const;
    return originAt(exactOrigins(template, facts), "");
  }

  test.each(["steps.call.error", "steps.quiet.error", "steps.lanes.errors", "steps.sure.error.message"])(
    "%s is the operator's null as long as nothing failed",
    (expression) => {
      expect(at(`\${{ ${expression} }}`)).toEqual({ labels: ["operator"], steps: [] });
    },
  );

  test("an error is the tool's and that of what the step was given, and trusted in no part", () => {
    const failures = new Map<string, readonly OriginLabel[]>([["call", ["operator", "tool", "user"]]]);
    expect(at("${{ steps.call.error.message }}", { failures })).toEqual({
      labels: ["tool"],
      steps: ["call"],
    });
    expect(at("${{ steps.call.error.message }}", { failures, inputs: { where: ["mail"] } })).toEqual({
      ...{ labels: ["mail", "tool"], steps: ["call"] },
    });
  });

  test("an error without labels, as older journals have them, is the tool's", () => {
    const failures = new Map<string, readonly OriginLabel[]>([["quiet", []]]);
    for (const expression of ["steps.quiet.error", "steps.quiet", "steps", "steps[inputs.who].error"])
      expect(at(`\${{ ${expression} }}`, { failures })!.labels).toContain("tool");
    expect(at("${{ steps.quiet.output ?? steps.quiet.error }}", { failures })).toEqual({
      ...{ labels: ["tool"], steps: ["quiet"] },
    });
  });

  test("`error` in a handler is foreign, and names the steps it may be of", () => {
    expect(at("${{ error.message }}")).toEqual({ labels: ["tool"], steps: [] });
    const failures = new Map<string, readonly OriginLabel[]>([["call", ["web"]]]);
    expect(at("${{ error.message }}", { failures })).toEqual({ labels: ["tool", "web"], steps: ["call"] });
  });

  test("the output of a step that failed is that of the last step of its `catch`", () => {
    const failures = new Map<string, readonly OriginLabel[]>([["call", ["web"]]]);
    const brought = new Map<string, readonly OriginLabel[]>([["call/catch/first", ["file"]]]);
    expect(at("${{ steps.call.output.own }}", { failures, brought })).toEqual({
      ...{ labels: ["tool", "web"], steps: ["call"] },
    });
    expect(at("${{ steps.quiet.output }}", { failures: new Map([["quiet", ["tool"]]]) })).toEqual({
      ...{ labels: ["operator"], steps: [] },
    });
  });

  test("errors of rounds are those of the steps within that failed, and may quote what others collect", () => {
    const failures = new Map<string, readonly OriginLabel[]>([
      ["lanes", []],
      ["lanes/0/round", ["web"]],
      ["lanes/2/round", ["mcp"]],
    ]);
    const brought = new Map<string, readonly OriginLabel[]>([
      ["lanes", []],
      ["lanes/1/round", ["mail"]],
    ]);
    expect(at('${{ steps.lanes.errors["0"] }}', { failures, brought })).toEqual({
      ...{ labels: ["mail", "mcp", "tool", "web"], steps: ["lanes/0/round", "lanes/2/round"] },
    });
    expect(at("${{ steps.lanes.output }}", { failures, brought })!.labels).toEqual(["mail"]);
  });

  test("what a tool gives that brings nothing in is from where its arguments are", () => {
    const brought = new Map<string, readonly OriginLabel[]>([["call", []]]);
    expect(at("${{ steps.call.output.url }}", { brought })).toEqual({ labels: ["user"], steps: ["call"] });
    expect(at("${{ steps.call.output.url }}", { brought, inputs: { where: ["web"] } })!.labels).toContain(
      "web",
    );
    expect(at("${{ steps.quiet.output }}", { brought: new Map([["quiet", []]]) })).toEqual({
      ...{ labels: ["operator"], steps: ["quiet"] },
    });
  });

  test("loops that call their items the same are not mistaken for each other", () => {
    const brought = new Map<string, readonly OriginLabel[]>([["call", ["web"]]]);
    expect(at("${{ item }}", { brought })!.labels).toContain("web");
  });

  test("messages to the run are the user's, its id is not", () => {
    expect(at("${{ run.messages }}")!.labels).toEqual(["user"]);
    expect(at("${{ run.id }}")!.labels).toEqual(["operator"]);
    expect(at("${{ run }}")!.labels).toEqual(["operator", "user"]);
  });
});
