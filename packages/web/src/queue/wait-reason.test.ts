import { expect, test } from "vitest";
import type { RunSummary } from "../api/contract.ts";
import { limitText, queueOrder, waitReason, type LimitLevel } from "./wait-reason.ts";

const now = Date.UTC(2026, 10, 21);
const later = new Date(now + 65_000).toISOString();

function run(facts: Partial<RunSummary> = {}): RunSummary {
  return {
    ...{ id: "run_1", workflow: { name: "mail", digest: "d" }, state: "QUEUED", waitingFor: null },
    ...{ priority: "normal", attempts: 0, maxAttempts: 3, requester: "ada", labels: [], headSeq: 1 },
    ...{ createdAt: new Date(now).toISOString(), startedAt: null, endedAt: null, error: null },
    ...{ stepsDone: 0, stepsTotal: 1, artifactCount: 0, parent: null, progress: null, fault: null },
    ...facts,
  };
}

function limit(facts: Partial<LimitLevel> = {}): LimitLevel {
  return {
    ...{ scope: "workflow", name: "mail", concurrency: 2, rate: null, held: 2, begun: null, due: 1 },
    ...{ isFull: true, ...facts },
  };
}

test("a queued run waits for a worker, or for the limit that is full", () => {
  expect(waitReason(run(), { limits: [] }, now)).toBe("Waits for a free worker");
  expect(waitReason(run(), { limits: [limit({ name: "audit" }), limit({ isFull: false })] }, now)).toBe(
    "Waits for a free worker",
  );
  expect(waitReason(run(), { limits: [limit()] }, now)).toBe(
    "Held back by the limit of the workflow mail: 2 of 2 at once",
  );
  expect(waitReason(run({ state: "RUNNING" }), { limits: [limit()] }, now)).toBeNull();
});

test("what a run itself waits for comes first, with the guard's reason", () => {
  const waitingFor = { kind: "timer", until: later, reason: "Limit one-host allows 5 per 1s" } as const;
  expect(waitReason(run({ state: "WAITING", waitingFor }), { limits: [limit()] }, now)).toBe(
    "Goes on in 1:05 (Limit one-host allows 5 per 1s)",
  );
  const fault = {
    code: "STORE_UNAVAILABLE",
    message: "The disk is full",
    hint: "",
    at: later,
    nextTryAt: later,
  };
  expect(waitReason(run({ fault }), { limits: [] }, now)).toBe("The disk is full; tried again in 1:05");
});

test("a rate says its stretch of time", () => {
  const rate = { count: 10, perMs: 60_000 };
  expect(limitText(limit({ scope: "tenant", name: "acme", concurrency: null, rate, begun: 10 }))).toBe(
    "the limit of the tenant acme: 10 of 10 begun within 1 min",
  );
});

test("of two bounds only the full one is named", () => {
  const rate = { count: 10, perMs: 60_000 };
  expect(limitText(limit({ rate, begun: 0 }))).toBe("the limit of the workflow mail: 2 of 2 at once");
});

test("runs stand in the order in which they are taken, those that cannot be taken last", () => {
  const waitingFor = { kind: "pause" } as const;
  const rows = [
    run({ id: "paused", state: "WAITING", waitingFor, priority: "high" }),
    run({ id: "low", priority: "low" }),
    run({ id: "new", createdAt: later }),
    run({ id: "old" }),
    run({ id: "high", priority: "high", createdAt: later }),
    run({ id: "running", state: "RUNNING", priority: "low" }),
  ];
  expect(queueOrder(rows).map(({ id }) => id)).toEqual(["running", "high", "old", "new", "low", "paused"]);
});
