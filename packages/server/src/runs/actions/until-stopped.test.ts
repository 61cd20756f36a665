import { afterEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../base/clock.ts";
import type { EffectClass } from "../../tools/tool.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";
import { stopGraceMs, untilStopped } from "./until-stopped.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** Tools that heed no signal: they end when `release` says so, whatever the runtime does. */
async function start() {
  const ends: (() => void)[] = [];
  let calls = 0;
  const deaf = (effect: EffectClass): TestTool => ({
    name: `deaf.${effect}`,
    effect,
    files: "none",
    act: ({ once }) => {
      calls += 1;
      if (once === true && calls > 1) return Promise.resolve("second try");
      return new Promise<string>((resolve) => ends.push(() => resolve("late")));
    },
    check: () => Promise.resolve("happened"),
  });
  const world = await createWorld({
    tools: [deaf("pure"), deaf("idempotent"), deaf("checkable"), deaf("unsafe")],
  });
  worlds.push(world);
  await world.startWorker("one");
  return { world, release: () => ends.splice(0).forEach((end) => end()) };
}

const calling = (effect: EffectClass, more = "", args = "{}"): string =>
  `version: 1\nname: calls\nsteps: [{ id: a, tool: deaf.${effect}, with: ${args}, timeout: 100ms${more} }]\noutputs: { v: "\${{ steps.a.output }}" }\n`;

describe("a tool that heeds no signal", () => {
  test("holds neither its step nor its place, and what it gives later is nobody's", async () => {
    const { world, release } = await start();
    const begunMs = Date.now();
    // As many as this worker takes at once.
    const goOn = ", on_error: continue";
    const runs = [await world.submit(calling("pure", goOn)), await world.submit(calling("idempotent", goOn))];
    for (const runId of runs) {
      await world.until(runId, "COMPLETED");
      expect((await world.state(runId)).steps.get("a")!.error).toMatchObject({
        ...{ code: "ACTION_TIMEOUT", step: "a" },
        message: expect.stringMatching(/took longer than 100 ms/) as string,
      });
    }
    expect(Date.now() - begunMs).toBeGreaterThanOrEqual(100 + stopGraceMs);
    const next = await world.submit("version: 1\nname: next\nsteps: [{ id: s, set: { x: 1 } }]\n");
    await world.until(next, "COMPLETED");
    const before = await world.kinds(runs[0]!);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await world.kinds(runs[0]!)).toEqual(before);
    expect((await world.state(runs[0]!)).steps.get("a")).toMatchObject({ status: "failed", output: null });
  });

  test("is tried again where the step says so", async () => {
    const { world } = await start();
    const retry = ", retry: { attempts: 2, delay: 10ms }";
    const runId = await world.submit(calling("idempotent", retry, "{ once: true }"));
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ v: "second try" });
  });

  test.each(["unsafe", "checkable"] as const)(
    "leaves the outcome of an %s act to a person, for it may still be acting",
    async (effect) => {
      const { world } = await start();
      const runId = await world.submit(calling(effect, ", retry: { attempts: 5, delay: 10ms }"));
      const question = await world.waitingApproval(runId);
      expect(question).toMatchObject({ kind: "outcome", action: `deaf.${effect}`, step: "a" });
      expect(question.message).toMatch(/did not stop within 2000 ms after it was told to, and may still be/);
      await world.answer(question.id, "abandon");
      expect((await world.until(runId, "FAILED")).error).toMatchObject({ code: "OUTCOME_ABANDONED" });
    },
  );

  test("does not hold up a cancel, and the doubt stays on record", async () => {
    const { world } = await start();
    const slow = calling("unsafe").replace("100ms", "30s");
    const runId = await world.submit(slow);
    await expect.poll(() => world.kinds(runId)).toContain("action.intended");
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    const { error } = (await world.state(runId)).steps.get("a")!;
    expect(error).toMatchObject({ message: expect.stringContaining("it may have happened") as string });
  });
});

describe("waiting for an act that was told to stop", () => {
  const begin = () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const lost = new AbortController();
    const acting = Promise.withResolvers<string>();
    const signal = AbortSignal.any([stop.signal, lost.signal]);
    return {
      clock,
      stop,
      lost,
      acting,
      waiting: untilStopped(acting.promise, { signal, lost: lost.signal, clock }),
    };
  };

  test("takes what comes within the grace", async () => {
    const { clock, stop, acting, waiting } = begin();
    stop.abort();
    await clock.advance(stopGraceMs - 1);
    acting.resolve("just in time");
    expect(await waiting).toEqual({ kind: "ended", value: "just in time" });
  });

  test("ends with the grace, also when the signal had come before", async () => {
    const clock = createManualClock();
    const signal = AbortSignal.abort();
    const never = new Promise<never>(() => undefined);
    const waiting = untilStopped(never, { signal, lost: new AbortController().signal, clock });
    await clock.advance(stopGraceMs);
    expect(await waiting).toEqual({ kind: "left-behind" });
  });

  test("ends at once when the lease was lost before, whatever the clock says", async () => {
    const lost = AbortSignal.abort(new Error("lost before"));
    const never = new Promise<never>(() => undefined);
    const waiting = untilStopped(never, { signal: lost, lost, clock: createManualClock() });
    await expect(waiting).rejects.toThrow("lost before");
  });

  test("ends at once when the lease is lost, and as the act fails", async () => {
    const { lost, waiting } = begin();
    lost.abort(new Error("lost"));
    await expect(waiting).rejects.toThrow("lost");
    const { acting, waiting: failing } = begin();
    acting.reject(new Error("broke"));
    await expect(failing).rejects.toThrow("broke");
  });
});
