import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readWorkflow } from "./read-workflow.ts";

const text = `
version: 1
name: brand-audit
description: Looks at every file.
inputs:
  folder: { type: string, default: assets }
  odd: { type: colour }
steps:
  - id: inventory
    title: Look at every file
    tool: file_ops.list
  - id: ways
    branch:
      - when: \${{ inputs.dry_run }}
        steps:
          - { id: note, set: { total: 1 } }
      - else:
          - id: each
            for_each: \${{ steps.inventory.output.files }}
            steps:
              - { id: ok, approval: { message: Sure? }, if: "\${{ item.size > 9 }}" }
  - { id: pause, wait: { for: 5s } }
  - { id: both, for_each: [a, b], steps: [] }
`;

describe("readWorkflow", () => {
  test("reads inputs of known types", () => {
    expect(readWorkflow(text)?.inputs).toEqual({ folder: { type: "string", default: "assets" } });
  });

  test("outlines every kind of step with its depth", () => {
    const lines = readWorkflow(text)?.outline.map(
      (step) => `${step.depth} ${step.kind} ${step.title} (${step.detail})`,
    );
    expect(lines).toEqual([
      "0 tool Look at every file (file_ops.list)",
      "0 branch ways ()",
      "1 case when (inputs.dry_run)",
      "2 set note ()",
      "1 case otherwise ()",
      "2 for_each each (for each of steps.inventory.output.files)",
      "3 approval ok (a person is asked, if item.size > 9)",
      "0 wait pause (waits 5s)",
      "0 for_each both (for each of 2 items)",
    ]);
  });

  test("has nothing to show for text that is no map yet", () => {
    for (const odd of ["", "name", "- a", "a: [", "a: 1\na: 2"]) expect(readWorkflow(odd)).toBeNull();
  });

  test("survives any text", () => {
    fc.assert(fc.property(fc.string(), (any) => void readWorkflow(any)));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readWorkflow(JSON.stringify({ steps: value, inputs: value }))).not.toThrow();
      }),
    );
  });
});
