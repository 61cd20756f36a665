import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterFailure, isEnded, isRetryDue, taskStates } from "./task.ts";

const base = { transient: true, attempt: 1, maxAttempts: 3, nowMs: 1_000, random: 0 };

describe("after a failed attempt", () => {
  test("an error that will not go away ends the run at once", () => {
    expect(afterFailure({ ...base, transient: false })).toEqual({ kind: "failed" });
  });

  test("a passing error is tried again, later each time, and is dead after the last attempt", () => {
    expect(afterFailure(base)).toEqual({ kind: "retry", retryAtMs: 1_500 });
    expect(afterFailure({ ...base, attempt: 2 })).toEqual({ kind: "retry", retryAtMs: 2_000 });
    expect(afterFailure({ ...base, attempt: 3 })).toEqual({ kind: "dead" });
  });

  test("the wait is between half and all of the doubled delay, and never beyond five minutes", () => {
    const attempts = fc.integer({ min: 1, max: 60 });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(attempts, random, (attempt, chance) => {
        const after = afterFailure({ ...base, attempt, maxAttempts: 100, random: chance });
        if (after.kind !== "retry") throw new Error(after.kind);
        const full = Math.min(300_000, 1_000 * 2 ** (attempt - 1));
        expect(after.retryAtMs - base.nowMs).toBeGreaterThanOrEqual(full / 2 - 1);
        expect(after.retryAtMs - base.nowMs).toBeLessThanOrEqual(full + 1);
      }),
    );
  });
});

test("a run has ended in four of its states", () => {
  expect(taskStates.filter(isEnded)).toEqual(["COMPLETED", "FAILED", "CANCELLED", "DEAD"]);
});

test("a retry is due at its time, and when it lies further ahead than any is set: then the clock was set back", () => {
  const set = { retryAtMs: 1_000, setAtMs: 500 };
  expect([499, 500, 999, 1_000].map((nowMs) => isRetryDue(set, nowMs))).toEqual([true, false, false, true]);
  expect(isRetryDue({ retryAtMs: 3_600_000, setAtMs: 0 }, 0)).toBe(true);
  const retry = afterFailure({ ...base, attempt: 60, maxAttempts: 100, random: 1 });
  expect(retry.kind === "retry" && isRetryDue({ ...retry, setAtMs: base.nowMs }, base.nowMs)).toBe(false);
});
