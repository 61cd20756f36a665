import { expect, test } from "vitest";
import type { Decision } from "../../policy/rules/decision.ts";
import type { RunError } from "./event.ts";
import { hasReadableError, labelsBrought, originsSeen } from "./origins-seen.ts";
import { newStep } from "./step-record.ts";
import type { StepRecord } from "./step-record.ts";

const error: RunError = { code: "CODE_FAILED", message: "what a stranger wrote" };
// Nothing of it is read but that it is there.
const intent = {} as StepRecord["intent"];
const step = (given: Partial<StepRecord>): StepRecord => ({ ...newStep("a", 0), ...given });

test("a failure has the labels it was recorded with", () => {
  expect(labelsBrought(step({ status: "failed", error, intent, labels: ["tool", "web"] }))).toEqual([
    "tool",
    "web",
  ]);
});

test("the words of a failed action count as a tool's in journals that say nothing of them", () => {
  const before = step({ status: "failed", error, intent });
  expect(labelsBrought(before)).toEqual(["tool"]);
  const state = { origins: new Set(["mail"] as const), steps: new Map([["a", before]]) };
  expect(originsSeen(state)).toEqual(["mail", "tool"]);
  expect([...state.origins]).toEqual(["mail"]);
});

test("a refusal brought words when the tool gave it, and none when policy did", () => {
  expect(labelsBrought(step({ status: "denied", error }))).toEqual(["tool"]);
  expect(labelsBrought(step({ status: "denied", error, denial: {} as Decision }))).toEqual([]);
});

test("what did well, and what failed before it did anything, brought nothing", () => {
  expect(labelsBrought(step({ status: "completed", error, intent }))).toEqual([]);
  expect(labelsBrought(step({ status: "failed", error }))).toEqual([]);
});

test("expressions can read the errors of failed steps and of branches, not those of tries before one that did well", () => {
  expect(hasReadableError(step({ status: "failed", error }))).toBe(true);
  expect(hasReadableError(step({ status: "completed", error }))).toBe(false);
  expect(hasReadableError(step({ status: "completed", laneErrors: { one: { code: "X" } } }))).toBe(true);
  expect(hasReadableError(step({ status: "completed" }))).toBe(false);
});
