import { expect, test } from "vitest";
import { actsUntil } from "../actions/lost-outcome.ts";
import { createOverlongLeases } from "./overlong-leases.ts";
import type { SeenLease } from "./overlong-leases.ts";

const hour = 3_600_000;
const ttlMs = 30_000;
const mayTakeMs = 20_000;
/** Reserved by a clock that was an hour ahead. */
const lease: SeenLease = { name: "run/a", runId: "a", epoch: 3, untilMs: hour, headSeq: 7 };

const create = (): ReturnType<typeof createOverlongLeases> =>
  createOverlongLeases({ ttlMs, mayTakeMs: () => Promise.resolve(mayTakeMs) });
const at = (ms: number): { wallMs: number; monotonicMs: number } => ({ wallMs: ms, monotonicMs: ms });

test("a reserved lease is waited out no longer than its act and one lease's time, seen from when it was first seen", async () => {
  const { judge } = create();
  for (const ms of [0, 1_000, ttlMs + mayTakeMs]) expect([...(await judge([lease], at(ms)))]).toEqual([]);
  expect([...(await judge([lease], at(ttlMs + mayTakeMs + 1)))]).toEqual(["run/a"]);
});

test("whoever gets on is left alone, and so is a lease of the usual length", async () => {
  const { judge } = create();
  for (let ms = 0; ms < 10 * ttlMs; ms += 10_000) {
    const seen = [
      { ...lease, headSeq: ms },
      { ...lease, name: "run/b", epoch: ms },
      { ...lease, name: "run/c", untilMs: ms + ttlMs },
    ];
    expect([...(await judge(seen, at(ms)))]).toEqual([]);
  }
});

test("the wall clock of the one who waits does not matter for how long it waits", async () => {
  const { judge } = create();
  await judge([lease], { wallMs: 0, monotonicMs: 0 });
  const jumped = { wallMs: hour / 2, monotonicMs: 5_000 };
  expect([...(await judge([lease], jumped))]).toEqual([]);
  const back = { wallMs: -hour, monotonicMs: ttlMs + mayTakeMs + 1 };
  expect([...(await judge([lease], back))]).toEqual(["run/a"]);
});

test("an act whose deadline was set by a clock ahead is waited for as long as it may take, and only once", () => {
  const intent = { deadlineAtMs: hour, mayTakeMs } as Parameters<typeof actsUntil>[0]["intent"];
  const first = actsUntil({ intent, held: null }, { nowMs: 1_000, previousOwnerGone: false });
  expect(first).toBe(1_000 + mayTakeMs);
  const held = { reason: "r", retryAtMs: first! };
  // A message wakes the run in between; it was let go in good order, which proves nothing of whoever acted.
  expect(actsUntil({ intent, held }, { nowMs: 5_000, previousOwnerGone: true })).toBe(first);
  expect(actsUntil({ intent, held }, { nowMs: first!, previousOwnerGone: true })).toBeNull();
  expect(actsUntil({ intent, held: null }, { nowMs: 1_000, previousOwnerGone: true })).toBeNull();
  // As before for journals that do not say how long an act may take.
  const old = { deadlineAtMs: hour } as typeof intent;
  expect(actsUntil({ intent: old, held: null }, { nowMs: 1_000, previousOwnerGone: false })).toBe(hour);
});
