import { expect, test } from "vitest";
import type { RunDetail } from "../../api/contract.ts";
import { settleSteps } from "./settle-steps.ts";

const endedAt = "2026-11-21T12:00:05Z";
const run = (state: RunDetail["state"], ...states: string[]): RunDetail =>
  ({ state, endedAt, steps: states.map((each) => ({ state: each, endedAt: null })) }) as unknown as RunDetail;

test("a step that is open in an ended run ends with it", () => {
  const steps = settleSteps(run("FAILED", "running", "failed", "pending")).steps;
  expect(steps.map((step) => step.state)).toEqual(["cancelled", "failed", "pending"]);
  expect(steps[0]?.endedAt).toBe(endedAt);
});

test("a run that goes on is left as it is", () => {
  const live = run("RUNNING", "running");
  expect(settleSteps(live)).toBe(live);
});
