import { expect, test } from "vitest";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { needsOf } from "./needs.ts";

const steps = (text: string): string =>
  `version: 1\nname: w\ninputs: { name: { type: string } }\nsteps:\n${text}`;

test("languages without a fallback and roots named in the text are needed, inside of loops and handlers too", () => {
  const workflow = requireWorkflow(
    steps(`  - { id: a, tool: code_exec.run, with: { language: python, source: "1" } }
  - { id: b, tool: code_exec.run, with: { language: go, source: "1", fallback: { language: javascript, source: "1" } } }
  - { id: c, tool: file_ops.read, with: { path: "shelf:\${{ inputs.name }}.txt" } }
  - id: d
    for_each: \${{ [1] }}
    steps: [{ id: e, tool: file_ops.move, with: { from: "inbox:a", to: "outbox:a" } }]
  - { id: f, tool: file_ops.read, with: { path: "workspace:a:b" } }
  - { id: g, tool: file_ops.read, with: { path: "\${{ inputs.name }}" } }
  - { id: h, tool: file_ops.write, with: { path: a.txt, content: "shelf2:x" } }
`),
  );
  expect(needsOf(workflow)).toEqual(["language:python", "root:inbox", "root:outbox", "root:shelf"]);
});

test("a workflow that touches its workspace alone needs nothing", () => {
  expect(needsOf(requireWorkflow(steps("  - { id: a, tool: file_ops.list, with: {} }\n")))).toEqual([]);
});
