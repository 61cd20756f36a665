import { expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { until } from "../store/test-things.ts";
import type { Part } from "./part.ts";
import { createRounds } from "./rounds.ts";
import type { Round } from "./rounds.ts";

const clock = createManualClock(0);

function rounds(round: (signal: AbortSignal) => Promise<Round>): Part {
  const health = { kind: "ok", detail: "none yet" } as const;
  const failure = "a round failed";
  return createRounds({
    ...{ name: "broom", clock, logger: createSilentLogger(), health, round, retryMs: 10, failure },
    prefix: "last time: ",
  });
}

test("the next round begins when the one before said, and a failed one is tried again", async () => {
  const outcomes: (Round | Error)[] = [
    { nextInMs: 1_000, health: { kind: "ok", detail: "first" } },
    new Error("the disk is full"),
    { nextInMs: 60_000 },
  ];
  const begunAt: number[] = [];
  const part = rounds(async () => {
    begunAt.push(clock.now());
    const outcome = outcomes[begunAt.length - 1]!;
    if (outcome instanceof Error) throw outcome;
    return await Promise.resolve(outcome);
  });
  expect(part.health()).toEqual({ kind: "ok", detail: "none yet" });
  await part.start();
  await until(() => part.health().detail === "first");
  await clock.advance(999);
  expect(begunAt).toEqual([0]);
  await clock.advance(1);
  await until(() => part.health().kind === "degraded");
  expect(part.health().detail).toBe("last time: the disk is full");
  await clock.advance(10);
  await until(() => part.health().kind === "ok");
  expect(part.health().detail).toBe("first");
  expect(begunAt).toEqual([0, 1_000, 1_010]);
  await part.stop(1_000);
});

test("a fault of our own ends the part with the reason", async () => {
  const fault = new TypeError("x is not a function");
  const part = rounds(() => Promise.reject(fault));
  await part.start();
  expect(await part.failed).toBe(fault);
  await part.stop(1_000);
});

test("stopping waits for the round under way, though not longer than its deadline", async () => {
  const end = Promise.withResolvers<undefined>();
  let heard = false;
  const part = rounds(async (signal) => {
    await end.promise;
    heard = signal.aborted;
    return { nextInMs: 1 };
  });
  await part.start();
  const late = part.stop(500);
  await clock.advance(500);
  await late;
  expect(heard).toBe(false);
  end.resolve(undefined);
  await part.stop(500);
  expect(heard).toBe(true);
});
