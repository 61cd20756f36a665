import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import type { Strategy } from "./part.ts";
import { createRenewable } from "./renewable.ts";
import { defaultRestartLimits, planRestart } from "./restart-plan.ts";
import type { RestartLimits } from "./restart-plan.ts";
import { createSupervisor } from "./supervisor.ts";
import type { Supervisor } from "./supervisor.ts";
import { createStage } from "./testing-parts.ts";
import type { Stage } from "./testing-parts.ts";
import { changesBetween, partsOf, placesOf } from "./tree-changes.ts";

const quick: RestartLimits = { maxRestarts: 3, windowMs: 60_000, firstDelayMs: 2, maxDelayMs: 10 };
const running: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.stop(1_000);
});

async function supervise(
  stage: Stage,
  names: readonly string[],
  strategy: Strategy = "one-for-one",
): Promise<Supervisor> {
  const supervisor = createSupervisor({
    name: "root",
    strategy,
    children: names.map((name) => stage.child(name)),
    limits: quick,
    healthEveryMs: 5,
    healthPatienceMs: 30,
    ...stage.deps(clock),
  });
  running.push(supervisor);
  await supervisor.start();
  return supervisor;
}

describe("a plan", () => {
  const breakdown = {
    children: 5,
    failed: 2,
    isRenewable: true,
    restartsAtMs: [],
    nowMs: 0,
    random: 0,
  } as const;

  test("touches the broken one, all of them, or it and those behind it", () => {
    const affected = (strategy: Strategy) => {
      const plan = planRestart({ ...breakdown, strategy }, defaultRestartLimits);
      return plan.kind === "restart" ? plan.affected : plan;
    };
    expect(affected("one-for-one")).toEqual([2]);
    expect(affected("all-for-one")).toEqual([0, 1, 2, 3, 4]);
    expect(affected("rest-for-one")).toEqual([2, 3, 4]);
  });

  test("never gives more restarts within the window than allowed, and always comes back after it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (gaps, maxRestarts) => {
          const limits = { ...defaultRestartLimits, maxRestarts, windowMs: 60_000 };
          let nowMs = 0;
          let restartsAtMs: readonly number[] = [];
          const made: number[] = [];
          for (const gap of gaps) {
            nowMs += gap;
            const plan = planRestart({ ...breakdown, strategy: "one-for-one", restartsAtMs, nowMs }, limits);
            const recent = made.filter((atMs) => nowMs - atMs < limits.windowMs);
            expect(plan.kind).toBe(recent.length < maxRestarts ? "restart" : "escalate");
            if (plan.kind !== "restart") continue;
            made.push(nowMs);
            restartsAtMs = plan.restartsAtMs;
            expect(plan.delayMs).toBeLessThanOrEqual(limits.maxDelayMs);
          }
        },
      ),
    );
  });

  test("waits longer each time, between half and all of the doubled pause", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (earlier, random) => {
          const restartsAtMs = Array.from({ length: earlier }, () => 0);
          const plan = planRestart(
            { ...breakdown, strategy: "one-for-one", restartsAtMs, random },
            defaultRestartLimits,
          );
          const whole = Math.min(10_000, 200 * 2 ** earlier);
          if (plan.kind !== "restart") throw new Error(plan.kind);
          expect(plan.delayMs).toBeGreaterThanOrEqual(whole / 2 - 1);
          expect(plan.delayMs).toBeLessThanOrEqual(whole + 1);
        },
      ),
    );
  });

  test("what cannot be made anew is the supervisor's own breakdown", () => {
    const plan = planRestart(
      { ...breakdown, strategy: "one-for-one", isRenewable: false },
      defaultRestartLimits,
    );
    expect(plan).toEqual({ kind: "escalate", why: "not-renewable" });
  });
});

describe("a supervisor", () => {
  test("starts in order, stops in reverse, and undoes a start that fails half-way", async () => {
    const stage = createStage();
    const supervisor = await supervise(stage, ["a", "b", "c"]);
    await supervisor.stop(1_000);
    expect(stage.log).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
    const failing = createStage();
    failing.failingStarts.set("c", 1);
    await expect(supervise(failing, ["a", "b", "c"])).rejects.toThrow("c cannot start");
    expect(failing.log).toEqual(["start a", "start b", "stop b", "stop a"]);
  });

  test("makes the broken child anew and leaves its siblings alone", async () => {
    const stage = createStage();
    const supervisor = await supervise(stage, ["a", "b"]);
    const first = stage.current.get("a");
    first!.breakDown("a bug");
    await expect
      .poll(() => stage.events)
      .toMatchObject([{ kind: "part.restarted", path: "root/a", reason: "a bug" }]);
    expect(stage.current.get("a")).not.toBe(first);
    expect(stage.log.filter((line) => line.endsWith(" b"))).toEqual(["start b"]);
    const [a] = supervisor.tree().children;
    expect(a).toMatchObject({ state: "running", restarts: 1, lastError: "a bug", health: { kind: "ok" } });
  });

  test("with all-for-one the others begin anew too, in order", async () => {
    const stage = createStage();
    await supervise(stage, ["a", "b"], "all-for-one");
    stage.current.get("b")!.breakDown("a bug");
    await expect.poll(() => stage.events.length).toBe(1);
    expect(stage.log.slice(2)).toEqual(["stop b", "stop a", "start a", "start b"]);
  });

  test("takes a child whose health stays failed for broken down, and not one that needs a person", async () => {
    const stage = createStage();
    await supervise(stage, ["a", "b"]);
    stage.current.get("a")!.setHealth({ kind: "failed", detail: "stuck" });
    stage.current.get("b")!.setHealth({ kind: "failed", detail: "evidence", needsPerson: true });
    await expect.poll(() => stage.events).toMatchObject([{ path: "root/a", reason: "stuck" }]);
    expect(stage.log.filter((line) => line.endsWith(" b"))).toEqual(["start b"]);
  });

  test("gives up upwards when restarts do not help, and says why", async () => {
    const stage = createStage();
    const supervisor = await supervise(stage, ["a", "b"]);
    stage.failingStarts.set("a", 100);
    stage.current.get("a")!.breakDown("a bug");
    const reason = await supervisor.failed;
    expect(String(reason)).toContain("root/a broke down too often: a cannot start");
    expect(stage.events.at(-1)).toMatchObject({ kind: "part.escalated", path: "root/a" });
    expect(supervisor.health()).toMatchObject({ kind: "failed" });
  });

  test("of supervisors the lower one gives up first, and the upper one makes it anew", async () => {
    const stage = createStage();
    const lower = () =>
      createSupervisor({
        name: "lower",
        above: "root",
        strategy: "one-for-one",
        children: [stage.child("leaf")],
        limits: { ...quick, maxRestarts: 1 },
        ...stage.deps(clock),
      });
    const root = createSupervisor({
      name: "root",
      strategy: "one-for-one",
      children: [{ name: "lower", strategy: "one-for-one", create: lower }],
      limits: quick,
      ...stage.deps(clock),
    });
    running.push(root);
    await root.start();
    for (let round = 0; round < 2; round += 1) {
      stage.current.get("leaf")!.breakDown(`bug ${round}`);
      await expect.poll(() => stage.events.length).toBeGreaterThan(round);
    }
    await expect
      .poll(() => stage.events.map((event) => `${event.kind} ${event.path}`))
      .toEqual([
        "part.restarted root/lower/leaf",
        "part.escalated root/lower/leaf",
        "part.restarted root/lower",
      ]);
    expect(partsOf(root.tree()).map(({ name, state }) => `${name} ${state}`)).toEqual(["leaf running"]);
  });

  test("a breakdown while it stops changes nothing any more", async () => {
    const stage = createStage();
    const supervisor = await supervise(stage, ["a"]);
    const stopped = supervisor.stop(1_000);
    stage.current.get("a")!.breakDown("late");
    await stopped;
    expect(stage.events).toEqual([]);
    expect(stage.log).toEqual(["start a", "stop a"]);
  });
});

test("whoever holds on to a renewable part reaches the one in force", async () => {
  const stage = createStage();
  let made = 0;
  const renewable = createRenewable(() => {
    made += 1;
    return Object.assign(stage.child("a").create(), { number: made });
  });
  expect(renewable.current().number).toBe(1);
  const supervisor = createSupervisor({
    name: "root",
    strategy: "one-for-one",
    children: [renewable.child],
    limits: quick,
    ...stage.deps(clock),
  });
  running.push(supervisor);
  await supervisor.start();
  expect(renewable.current().number).toBe(1);
  stage.current.get("a")!.breakDown("a bug");
  await expect.poll(() => renewable.current().number).toBe(2);
});

test("the changes of a tree are the places that look different, and those that are gone", async () => {
  const stage = createStage();
  const supervisor = await supervise(stage, ["a", "b"]);
  const before = placesOf(supervisor.tree());
  expect(changesBetween(before, placesOf(supervisor.tree()))).toEqual([]);
  stage.current.get("b")!.setHealth({ kind: "degraded", detail: "slow" });
  const changed = changesBetween(before, placesOf(supervisor.tree()));
  expect(changed.map(({ path }) => path).toSorted()).toEqual(["root", "root/b"]);
  expect(changesBetween(before, new Map([...before].slice(0, 2)))).toEqual([
    { path: "root/b", name: "b", state: "gone" },
  ]);
});
