import { expect, test } from "vitest";
import { countGroup, everyRun, runGroups } from "./run-groups.ts";
import { runDurationMs } from "./run-time.ts";
import { waitingText } from "./waiting-text.ts";

const now = Date.UTC(2026, 10, 21);

test("waitingText counts down to a known moment", () => {
  const until = new Date(now + 65_000).toISOString();
  expect(waitingText({ kind: "retry", until }, now)).toBe("Tries again in 1:05");
  expect(waitingText({ kind: "retry", until }, now + 70_000)).toBe("Tries again any moment");
  expect(waitingText({ kind: "timer" }, now)).toBe("Waits for a timer");
  expect(waitingText({ kind: "approval", id: "a", until: null }, now)).toBe("Waits for an approval");
});

test("countGroup adds the states of a group and knows when it does not know", () => {
  expect(countGroup(runGroups.failed, { FAILED: 2, DEAD: 1, RUNNING: 4 })).toBe(3);
  expect(countGroup(everyRun, { FAILED: 2, RUNNING: 4 })).toBe(6);
  expect(countGroup(everyRun, undefined)).toBeUndefined();
});

test("runDurationMs grows until the end and is null before the start", () => {
  const startedAt = new Date(now - 5_000).toISOString();
  expect(runDurationMs({ startedAt, endedAt: null }, now)).toBe(5_000);
  expect(runDurationMs({ startedAt, endedAt: new Date(now - 4_000).toISOString() }, now)).toBe(1_000);
  expect(runDurationMs({ startedAt: null, endedAt: null }, now)).toBeNull();
});
