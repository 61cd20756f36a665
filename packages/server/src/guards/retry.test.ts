import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { createDeadline } from "./deadline.ts";
import { msUntilRetry, retryDelay } from "./retry.ts";

describe("a retry", () => {
  const wish = { attempts: 3, delayMs: 1_000, backoff: 2, maxDelayMs: 3_000 };
  const failure = { attempt: 1, code: "ACTION_FAILED", random: 0 };

  test("there is none without a wish, after the last try, and where the same again cannot help", () => {
    expect(retryDelay(null, failure)).toBeUndefined();
    expect(retryDelay(wish, { ...failure, attempt: 3 })).toBeUndefined();
    for (const code of ["ACTION_INVALID", "CONFIG_INVALID", "ACTION_DENIED", "INTERNAL"])
      expect(retryDelay(wish, { ...failure, code })).toBeUndefined();
  });

  test("grows with each try up to its bound, for the work itself as asked and a little more", () => {
    expect(retryDelay(wish, failure)).toBe(1_000);
    expect(retryDelay(wish, { ...failure, random: 1 })).toBe(1_100);
    expect(retryDelay({ ...wish, attempts: 9 }, { ...failure, attempt: 5 })).toBe(3_000);
  });

  test("on the way to another machine lies anywhere up to the whole pause, never below a tenth of a second", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (random, attempt) => {
          const delay = retryDelay({ ...wish, attempts: 9 }, { attempt, code: "HTTP_FAILED", random });
          expect(delay).toBeGreaterThanOrEqual(100);
          expect(delay).toBeLessThanOrEqual(Math.min(3_000, 1_000 * 2 ** (attempt - 1)));
        },
      ),
    );
    expect(retryDelay({ ...wish, delayMs: 10 }, { ...failure, code: "HTTP_FAILED" })).toBe(10);
  });
});

describe("a deadline", () => {
  test("passes after its time, and says so apart from other ends", async () => {
    const clock = createManualClock();
    const deadline = createDeadline({ clock, ms: 100 });
    clock.advance(40);
    deadline.requireTime();
    expect(deadline.leftMs()).toBe(60);
    expect(deadline.hasPassed()).toBe(false);
    clock.advance(60);
    await Promise.resolve();
    expect([deadline.leftMs(), deadline.hasPassed(), deadline.signal.aborted]).toEqual([0, true, true]);
    expect(deadline.signal.reason).toMatchObject({ code: "TIMEOUT" });
  });

  test("is over by the clock before its signal has been set, as after a stop of the process", () => {
    const clock = createManualClock();
    // What was waited for comes first: timers are not run yet.
    const late = { ...clock, monotonic: () => clock.monotonic() + 100 };
    let isLate = false;
    const deadline = createDeadline({
      clock: { ...clock, monotonic: () => (isLate ? late : clock).monotonic() },
      ms: 100,
    });
    isLate = true;
    expect(deadline.signal.aborted).toBe(false);
    expect(() => deadline.requireTime()).toThrow(expect.objectContaining({ code: "TIMEOUT" }) as Error);
  });

  test("ends with another signal's reason without having passed, and may be ended", async () => {
    const clock = createManualClock();
    const cancel = new AbortController();
    const deadline = createDeadline({ clock, ms: -5, others: [cancel.signal] });
    cancel.abort(new Error("cancelled"));
    expect(deadline.signal.reason).toMatchObject({ message: "cancelled" });
    deadline.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(deadline.hasPassed()).toBe(false);
    expect(deadline.leftMs()).toBe(0);
  });
});

test("a try is waited for until its time, and not when it lies further ahead than any pause", () => {
  const wish = { attempts: 3, delayMs: 1_000, backoff: 2, maxDelayMs: 10_000 };
  expect(msUntilRetry(wish, { retryAtMs: 5_000, setAtMs: 500 }, 1_000)).toBe(4_000);
  expect(msUntilRetry(wish, { retryAtMs: 5_000, setAtMs: 500 }, 6_000)).toBe(0);
  expect(msUntilRetry(wish, { retryAtMs: 12_000, setAtMs: 500 }, 1_000)).toBe(11_000);
  expect(msUntilRetry(wish, { retryAtMs: 12_001, setAtMs: 500 }, 1_000)).toBe(0);
  expect(msUntilRetry(null, { retryAtMs: 12_001, setAtMs: 500 }, 1_000)).toBe(11_001);
  expect(msUntilRetry(wish, { retryAtMs: 5_000, setAtMs: 4_500 }, 4_499)).toBe(0);
});
