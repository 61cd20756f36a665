import fc from "fast-check";
import { expect, test } from "vitest";
import { nothingReported, parseReport, reportAfter, reportOf } from "./limit-report.ts";
import type { LimitReport, LimitState } from "./limit-report.ts";
import { totalsOf } from "./limit-totals.ts";

const idle: LimitState = { buckets: [], bulkheads: [], refusals: [], breakers: [] };
const room = { atOnce: 2, line: 1, inUse: 0, waiting: 0, refused: 0 };

test("a report leaves out what is full or empty, and begins with what is tightest", () => {
  const limit = { count: 4, perMs: 1_000 };
  const report = reportOf({
    buckets: [
      { key: "full", limit, tokens: 4 },
      { key: "half", limit, tokens: 2 },
      { key: "empty", limit, tokens: 0.128 },
    ],
    bulkheads: [
      { ...room, key: "idle" },
      { ...room, key: "refused", refused: 1 },
      { ...room, key: "busy", inUse: 2 },
    ],
    refusals: [{ kind: "rate", limit: "a", count: 1, lastAtMs: 5 }],
    breakers: [
      { target: "twice", state: "counting", failures: 2, openUntilMs: null },
      { target: "probing", state: "probing", failures: 5, openUntilMs: 1 },
      { target: "thrice", state: "counting", failures: 3, openUntilMs: null },
      { target: "open", state: "open", failures: 5, openUntilMs: 9 },
    ],
  });
  expect(report.buckets).toEqual([
    { key: "empty", left: 0.12, ...limit },
    { key: "half", left: 2, ...limit },
  ]);
  expect(report.bulkheads.map(({ key }) => key)).toEqual(["busy", "refused"]);
  expect(report.breakers.map(({ target }) => target)).toEqual(["open", "probing", "thrice", "twice"]);
  expect(report.refusals).toHaveLength(1);
  expect(report.leftOut).toBe(0);
  expect(parseReport(JSON.stringify(report))).toEqual(report);
});

test("a report is bounded however much there is, and says how much it left out", () => {
  const name = fc.string({ maxLength: 3_000 });
  fc.assert(
    fc.property(fc.array(name, { maxLength: 300, size: "max" }), (names) => {
      const report = reportOf({
        ...idle,
        buckets: names.map((key) => ({ key, limit: { count: 2, perMs: 1 }, tokens: 1 })),
        breakers: names.map((target) => ({ target, state: "open", failures: 5, openUntilMs: 1 })),
      });
      expect(JSON.stringify(report).length).toBeLessThan(18_000);
      expect(report.buckets.length).toBeLessThanOrEqual(100);
      expect(report.buckets.length + report.breakers.length + report.leftOut).toBe(2 * names.length);
    }),
    { numRuns: 50 },
  );
});

test("one that is too long does not keep those behind it out", () => {
  const names = ["x".repeat(9_000), "short"];
  const { breakers, leftOut } = reportOf({
    ...idle,
    breakers: names.map((target) => ({ target, state: "open", failures: 5, openUntilMs: 1 })),
  });
  expect(breakers.map(({ target }) => target)).toEqual(["short"]);
  expect(leftOut).toBe(1);
});

test("later its buckets have refilled and its open breakers try a call; a clock that is behind changes nothing", () => {
  const report: LimitReport = {
    ...nothingReported,
    buckets: [
      { key: "slow", left: 1, count: 10, perMs: 10_000 },
      { key: "quick", left: 1, count: 10, perMs: 1_000 },
    ],
    breakers: [
      { target: "a", state: "open", failures: 5, openUntilMs: 3_000 },
      { target: "b", state: "open", failures: 5, openUntilMs: 30_000 },
      { target: "c", state: "counting", failures: 1, openUntilMs: null },
    ],
  };
  const later = reportAfter(report, { sinceMs: 1_000, nowMs: 4_000 });
  expect(later.buckets).toEqual([{ key: "slow", left: 4, count: 10, perMs: 10_000 }]);
  expect(later.breakers.map(({ target, state }) => `${target} ${state}`)).toEqual([
    "a probing",
    "b open",
    "c counting",
  ]);
  expect(reportAfter(report, { sinceMs: 2_000, nowMs: 1_000 })).toEqual(report);
});

test("what another version tells otherwise is no report, and what it tells besides is passed over", () => {
  expect(parseReport(JSON.stringify({ ...nothingReported, buckets: "many" }))).toBeUndefined();
  expect(parseReport(JSON.stringify({ ...nothingReported, moods: ["fine"] }))).toEqual(nothingReported);
});

test("totals add up what each process counts for itself, name the worst, and show what all share once", () => {
  const one: LimitReport = {
    buckets: [{ key: "r/a", left: 1.25, count: 4, perMs: 1_000 }],
    bulkheads: [{ ...room, key: "b", inUse: 2, waiting: 1, refused: 3 }],
    refusals: [
      { kind: "rate", limit: "r", count: 2, lastAtMs: 10 },
      { kind: "rate", limit: "s", count: 1, lastAtMs: 15 },
    ],
    breakers: [
      { target: "x", state: "counting", failures: 4, openUntilMs: null },
      { target: "y", state: "counting", failures: 1, openUntilMs: null },
    ],
    leftOut: 0,
  };
  const other: LimitReport = {
    buckets: [{ key: "r/a", left: 3, count: 4, perMs: 1_000 }],
    bulkheads: [{ ...room, key: "b", inUse: 1 }],
    refusals: [{ kind: "rate", limit: "r", count: 5, lastAtMs: 20 }],
    breakers: [
      { target: "z", state: "probing", failures: 5, openUntilMs: 50 },
      { target: "x", state: "open", failures: 5, openUntilMs: 70 },
    ],
    leftOut: 0,
  };
  expect(totalsOf([one, other], [{ key: "common", left: 3, count: 9, perMs: 60_000 }])).toEqual({
    buckets: [
      { key: "common", left: 3, count: 9, perMs: 60_000, processes: null },
      { key: "r/a", left: 4.25, count: 8, perMs: 1_000, processes: 2 },
    ],
    bulkheads: [{ key: "b", inUse: 3, atOnce: 4, waiting: 1, line: 2, refused: 3, processes: 2 }],
    refusals: [
      { kind: "rate", limit: "r", count: 7, lastAtMs: 20 },
      { kind: "rate", limit: "s", count: 1, lastAtMs: 15 },
    ],
    breakers: [
      { target: "x", state: "open", failures: 5, openUntilMs: 70, processes: 2 },
      { target: "z", state: "probing", failures: 5, openUntilMs: 50, processes: 1 },
      { target: "y", state: "counting", failures: 1, openUntilMs: null, processes: 1 },
    ],
  });
  expect(totalsOf([], [])).toEqual({ buckets: [], bulkheads: [], refusals: [], breakers: [] });
});
