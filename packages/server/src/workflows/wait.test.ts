import { expect, test } from "vitest";
import { parseWorkflow } from "./workflow-file.ts";
import { waitEndsAt } from "./wait.ts";
import type { TimeWait, WaitStep } from "./workflow.ts";

function wait(yaml: string): WaitStep & { readonly wait: TimeWait } {
  const result = parseWorkflow(
    `version: 1\nname: w\ninputs: { v: { type: string } }\nsteps:\n  - id: a\n    wait: ${yaml}\n`,
  );
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.workflow.steps[0] as WaitStep & { readonly wait: TimeWait };
}

test("durations count from the beginning, times stand alone", () => {
  expect(waitEndsAt(wait("{ for: 1m30s }"), {}, 1_000)).toBe(91_000);
  expect(waitEndsAt(wait('{ until: "2026-01-01T00:00:00Z" }'), {}, 0)).toBe(Date.UTC(2026, 0, 1));
  expect(waitEndsAt(wait('{ for: "${{ inputs.v }}" }'), { inputs: { v: "2s" } }, 0)).toBe(2_000);
});

test("a template that gives no duration or time is EXPRESSION_INVALID with the field", () => {
  const isRefused = (yaml: string, v: string | number): void => {
    expect(() => waitEndsAt(wait(yaml), { inputs: { v } }, 0)).toThrow(
      /steps\[0\]\.wait\.(for|until): expected a/,
    );
  };
  isRefused('{ for: "${{ inputs.v }}" }', "soon");
  isRefused('{ for: "${{ inputs.v }}" }', 5);
  isRefused('{ until: "${{ inputs.v }}" }', "2s");
});
