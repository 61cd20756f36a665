import { describe, expect, test } from "vitest";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { ToolStep } from "../../workflows/workflow.ts";
import { parseTemplate } from "../../expression/template.ts";
import { exactOrigins, operatorTexts, originAt } from "./exact-flow.ts";

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
    found: exactOrigins(last.args, { workflow: parsed.workflow, brought, inputs: {} }),
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
  const found = exactOrigins(last.args, { workflow, brought: new Map(), inputs: { who: ["web"] } });
  expect(originAt(found, "input")).toEqual({ labels: ["web"], steps: [] });
  const all = { kind: "template", template: parseTemplate("${{ inputs }}"), place: {} } as const;
  expect(originAt(exactOrigins(all, { workflow, brought: new Map(), inputs: { who: ["web"] } }), "")).toEqual(
    {
      labels: ["user", "web"],
      steps: [],
    },
  );
});
