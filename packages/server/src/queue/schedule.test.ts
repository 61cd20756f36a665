import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueTimes, graceMs, overlapVerdict } from "./schedule.ts";
import { createTimes } from "./schedule-times.ts";
import type { Timing } from "./schedule-times.ts";

const now = Date.parse("2026-01-15T00:00:00Z");

function cron(expression: string, timezone = "UTC"): Timing {
  return { kind: "cron", expression, timezone };
}

/** The next times after `from`, as texts. */
function next(timing: Timing, from: string, count: number): readonly string[] {
  const times = createTimes(timing, now);
  const found: string[] = [];
  for (let ms = Date.parse(from); found.length < count;) {
    const after = times.after(ms);
    if (after === null) break;
    found.push(new Date(after).toISOString().replace(":00.000Z", "Z"));
    ms = after;
  }
  return found;
}

describe("a cron expression", () => {
  test("means the wall clock of its time zone, in summer and winter", () => {
    expect(next(cron("0 9 * * 1-5", "America/New_York"), "2026-03-06T00:00:00Z", 3)).toEqual([
      "2026-03-06T14:00Z",
      "2026-03-09T13:00Z",
      "2026-03-10T13:00Z",
    ]);
  });

  test("whose time falls into the gap of spring runs after the gap, once on that day", () => {
    expect(next(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", 3)).toEqual([
      "2026-03-28T01:30Z",
      "2026-03-29T01:00Z",
      "2026-03-30T00:30Z",
    ]);
  });

  test("whose time comes twice in autumn runs the first time", () => {
    expect(next(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30Z",
      "2026-10-26T01:30Z",
    ]);
  });

  test("that repeats within the hour goes on evenly through both changes", () => {
    expect(next(cron("*/30 * * * *", "Europe/Berlin"), "2026-10-24T23:59:00Z", 5)).toEqual([
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:00Z",
    ]);
    expect(next(cron("*/30 * * * *", "Europe/Berlin"), "2026-03-29T00:15:00Z", 3)).toEqual([
      "2026-03-29T00:30Z",
      "2026-03-29T01:00Z",
      "2026-03-29T01:30Z",
    ]);
  });

  test("knows half-hour zones, leap days and names", () => {
    expect(next(cron("0 9 * * *", "Asia/Kolkata"), "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-01T03:30Z"]);
    expect(next(cron("0 0 29 2 *"), "2026-01-01T00:00:00Z", 2)).toEqual([
      "2028-02-29T00:00Z",
      "2032-02-29T00:00Z",
    ]);
    expect(next(cron("@daily"), "2026-01-01T05:00:00Z", 1)).toEqual(["2026-01-02T00:00Z"]);
  });

  test.each([
    ["61 * * * *", "UTC", "minute"],
    ["0 0 31 2 *", "UTC", "no time that exists"],
    ["* * * *", "UTC", "CronPattern"],
    ["0 0 * * *", "Mars/Olympus", "Mars/Olympus"],
  ])("%s in %s is refused with the reason", (expression, timezone, reason) => {
    expect(() => createTimes(cron(expression, timezone), now)).toThrow(reason);
  });

  test("looks back as it looks ahead, around every change of the clock", () => {
    const zones = fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kolkata",
    );
    const expressions = fc.constantFrom(
      "30 2 * * *",
      "*/20 * * * *",
      "15 1-3 * * *",
      "0 0 1 * *",
      "*/15 2 * * 0",
    );
    const at = fc.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2026-12-31") });
    fc.assert(
      fc.property(zones, expressions, at, (timezone, expression, ms) => {
        const times = createTimes(cron(expression, timezone), now);
        const back = times.upTo(ms, 4);
        const ahead: number[] = [];
        for (let from = back[0]! - 1; ;) {
          const after = times.after(from)!;
          if (after > ms) break;
          ahead.push(after);
          from = after;
        }
        expect(back).toEqual(ahead);
      }),
      { numRuns: 150 },
    );
  });
});

describe("an interval", () => {
  const every = { kind: "interval", everyMs: 10_000, anchorMs: now } as const;

  test("counts from its beginning, which is no time itself", () => {
    const times = createTimes(every, now);
    expect(times.after(now)).toBe(now + 10_000);
    expect(times.after(now + 10_000)).toBe(now + 20_000);
    expect(times.after(now - 99_999)).toBe(now + 10_000);
    expect(times.upTo(now + 9_999, 5)).toEqual([]);
    expect(times.upTo(now + 35_000, 2)).toEqual([now + 20_000, now + 30_000]);
  });

  test("has each time exactly once, however one walks through it", () => {
    const step = fc.integer({ min: 1_000, max: 10 ** 7 });
    fc.assert(
      fc.property(step, fc.integer({ min: 0, max: 10 ** 9 }), (everyMs, passedMs) => {
        const times = createTimes({ kind: "interval", everyMs, anchorMs: now }, now);
        const last = times.upTo(now + passedMs, 1)[0];
        const after = times.after(now + passedMs)!;
        expect(after).toBeGreaterThan(now + passedMs);
        expect(after - (last ?? now)).toBe(everyMs);
      }),
    );
  });
});

describe("times that are due", () => {
  const minutely = createTimes(cron("* * * * *"), now);
  const at = (minutes: number): number => now + minutes * 60_000;
  const base = { times: minutely, cap: 10 };

  test("one that has just come runs, whatever the policy", () => {
    for (const missed of ["skip", "once", "all"] as const) {
      const due = dueTimes({ ...base, missed, nextAtMs: at(1), nowMs: at(1) + 500 });
      expect(due).toEqual({ fire: [at(1)], passed: [], nextAtMs: at(2) });
    }
  });

  test("missed ones are skipped, run once together, or all made up for up to the cap", () => {
    // A server comes back after 30 minutes, in the middle of a minute whose time was 59 s ago: that one is in time.
    const back = { nextAtMs: at(1), nowMs: at(30) + 59_000 };
    expect(dueTimes({ ...base, ...back, missed: "skip" }).fire).toEqual([at(30)]);
    expect(dueTimes({ ...base, ...back, missed: "once" }).fire).toEqual([at(30)]);
    expect(dueTimes({ ...base, ...back, missed: "all" }).fire).toEqual(
      Array.from({ length: 10 }, (_, index) => at(21 + index)),
    );
    const hourly = createTimes(cron("0 * * * *"), now);
    const late = { times: hourly, cap: 10, nextAtMs: at(60), nowMs: at(200) };
    expect(dueTimes({ ...late, missed: "skip" })).toEqual({
      fire: [],
      passed: [at(60), at(120), at(180)],
      nextAtMs: at(240),
    });
    expect(dueTimes({ ...late, missed: "once" }).fire).toEqual([at(180)]);
    expect(dueTimes({ ...late, missed: "all" }).fire).toEqual([at(60), at(120), at(180)]);
  });

  test("each time is fired or passed over exactly once, however often somebody looks", () => {
    const looks = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(looks, fc.constantFrom("skip", "once", "all"), (gaps, missed) => {
        const seen: number[] = [];
        let nowMs = now;
        let nextAtMs = minutely.after(now)!;
        for (const gap of gaps) {
          nowMs += gap;
          if (nextAtMs > nowMs) continue;
          const due = dueTimes({ times: minutely, cap: 100, missed, nextAtMs, nowMs });
          if (missed === "skip") expect(due.fire.every((each) => nowMs - each <= graceMs)).toBe(true);
          if (missed === "all") expect(due.passed).toEqual([]);
          if (missed === "once") expect(due.fire.length).toBeGreaterThan(0);
          seen.push(...[...due.fire, ...due.passed].toSorted((a, b) => a - b));
          nextAtMs = due.nextAtMs!;
        }
        const wanted = minutely.upTo(nowMs, 1_000).filter((each) => each > now);
        expect(seen).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });
});

test("what a time does while the run before goes on is the overlap policy's to say", () => {
  const busy = { isActive: true, isWaiting: false };
  const free = { isActive: false, isWaiting: false };
  expect([
    overlapVerdict("allow", busy),
    overlapVerdict("skip", busy),
    overlapVerdict("queue", busy),
  ]).toEqual(["run", "pass", "wait"]);
  expect([
    overlapVerdict("allow", free),
    overlapVerdict("skip", free),
    overlapVerdict("queue", free),
  ]).toEqual(["run", "run", "run"]);
  expect(overlapVerdict("queue", { isActive: true, isWaiting: true })).toBe("pass");
});
