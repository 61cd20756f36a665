import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { createManualClock, systemClock } from "./clock.ts";

describe("the system's clock", () => {
  test("sleeps at least as long as asked", async () => {
    const startMs = systemClock.monotonic();
    await systemClock.sleep(20);
    // Timers of Node may fire up to a millisecond early.
    expect(systemClock.monotonic() - startMs).toBeGreaterThanOrEqual(19);
  });

  test("tells the wall time in milliseconds since 1970", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  test("wakes with the signal's reason when aborted, before or during the sleep", async () => {
    const reason = new Error("enough");
    await expect(systemClock.sleep(10_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const aborter = new AbortController();
    const sleeping = systemClock.sleep(10_000, aborter.signal);
    aborter.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });

  test("lets the signal go when the sleep is over", async () => {
    const aborter = new AbortController();
    await systemClock.sleep(1, aborter.signal);
    aborter.abort(new Error("too late to matter"));
  });

  test("is the same monotonic clock on every thread", async () => {
    const module = new URL("./clock.ts", import.meta.url).href;
    const code = `import(${JSON.stringify(module)}).then(({ systemClock }) =>
      require("node:worker_threads").parentPort.postMessage(systemClock.monotonic()))`;
    const beforeMs = systemClock.monotonic();
    const there = await new Promise<number>((resolve, reject) => {
      const worker = new Worker(code, { eval: true });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    expect(there).toBeGreaterThan(beforeMs);
    expect(there).toBeLessThan(systemClock.monotonic());
  });
});

describe("a manual clock", () => {
  test("moves both times only when told", async () => {
    const clock = createManualClock(1000);
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  test("wakes sleepers in the order of their ends, and only those that are due", async () => {
    const clock = createManualClock();
    const woken: string[] = [];
    const late = clock.sleep(30).then(() => woken.push("late"));
    const early = clock.sleep(10).then(() => woken.push("early"));
    void clock.sleep(31).then(() => woken.push("not yet"));
    clock.advance(30);
    await Promise.all([late, early]);
    expect(woken).toEqual(["early", "late"]);
  });

  test("rejects an aborted sleep with the reason, and an abort after the sleep does nothing", async () => {
    const clock = createManualClock();
    const reason = new Error("enough");
    await expect(clock.sleep(5, AbortSignal.abort(reason))).rejects.toBe(reason);
    const aborter = new AbortController();
    const sleeping = clock.sleep(5, aborter.signal);
    aborter.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    const other = new AbortController();
    const finished = clock.sleep(5, other.signal);
    clock.advance(5);
    other.abort(reason);
    await expect(finished).resolves.toBeUndefined();
  });
});
