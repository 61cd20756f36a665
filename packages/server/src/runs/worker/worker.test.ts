import { afterEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { createClaims } from "../../queue/claim.ts";
import { endLease } from "../../store/lease.ts";
import { mayStillAct } from "../actions/lost-outcome.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tools: readonly TestTool[] = []): Promise<World> {
  const world = await createWorld({ tools });
  worlds.push(world);
  return world;
}

const workflow = `version: 1
name: w
steps:
  - { id: only, tool: test.act, with: {} }
`;

function tool(act: () => Promise<void> = () => Promise.resolve()): TestTool {
  return { name: "test.act", effect: "pure", act: () => act().then(() => "done") };
}

async function untilFault(world: World, runId: string, claims: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
    const [row] = await world.store.read("SELECT fault, claims FROM runs WHERE id = ?", [runId]);
    if (row!["fault"] !== null && row!["claims"] === claims) return;
    await clock.sleep(10);
  }
  throw new Error("no fault came");
}

describe("a run that cannot be driven", () => {
  test("is left alone for longer each time, says why, and is a dead letter in the end, which can be tried again", async () => {
    const world = await start([tool()]);
    const runId = await world.submit(workflow);
    const [first] = await world.store.read("SELECT body FROM journal WHERE run_id = ?", [runId]);
    const setBody = (body: string) =>
      world.store.write([{ sql: "UPDATE journal SET body = ? WHERE run_id = ?", params: [body, runId] }]);
    await setBody("{");
    await world.startWorker("one");
    await untilFault(world, runId, 1);
    const [row] = await world.store.read("SELECT fault, wake_at_ms FROM runs WHERE id = ?", [runId]);
    const fault = JSON.parse(row!["fault"] as string) as { message: string };
    expect(fault.message).toContain("JSON");
    expect(Number(row!["wake_at_ms"]) - clock.now()).toBeGreaterThan(3_000);
    await world.store.write([
      { sql: "UPDATE runs SET wake_at_ms = 0, claims = 3 WHERE id = ?", params: [runId] },
    ]);
    // Longer than the lease, to whose end the claim moves the time before the fault does.
    const leftAloneMs = async (): Promise<number> => {
      const [later] = await world.store.read("SELECT wake_at_ms FROM runs WHERE id = ?", [runId]);
      return Number(later!["wake_at_ms"]) - clock.now();
    };
    await expect.poll(leftAloneMs, { timeout: 10_000 }).toBeGreaterThan(38_000);
    await untilFault(world, runId, 4);
    await setBody(first!["body"] as string);
    await world.store.write([
      { sql: "UPDATE runs SET wake_at_ms = 0, claims = 10 WHERE id = ?", params: [runId] },
    ]);
    const dead = await world.until(runId, "DEAD");
    expect(dead.error?.code).toBe("RUN_STUCK");
    expect(dead.error?.message).toContain("10 times in a row");
    expect(dead.error?.message).toContain(fault.message);
    await world.command(runId, "retry");
    await world.until(runId, "COMPLETED");
  });

  test("hears a cancel, also when it was taken in vain too often", async () => {
    const world = await start([tool()]);
    const runId = await world.submit(workflow);
    await world.store.write([{ sql: "UPDATE runs SET claims = 99 WHERE id = ?", params: [runId] }]);
    await world.command(runId, "cancel");
    await world.startWorker("one");
    expect((await world.until(runId, "CANCELLED", "DEAD")).state).toBe("CANCELLED");
  });

  test("is a dead letter when every process that takes it dies", async () => {
    const world = await start([tool()]);
    const runId = await world.submit(workflow);
    for (let death = 1; death <= 10; death += 1) {
      const owner = `dead-${death}`;
      const claims = createClaims(world.store, { owner, leaseTtlMs: 30_000 });
      const [taken] = await claims.take(1, clock.now());
      await world.store.write([
        endLease(taken!.lease),
        { sql: "UPDATE runs SET wake_at_ms = 0 WHERE id = ?", params: [runId] },
      ]);
    }
    await world.startWorker("one", ["dead-10"]);
    const dead = await world.until(runId, "DEAD");
    expect(dead.error).toMatchObject({ code: "RUN_STUCK" });
    expect(dead.error?.message).toContain("the process that worked on it ended each time");
  });

  test("is taken from a dead process at once, and later after a pause", async () => {
    const world = await start([tool()]);
    const runId = await world.submit(workflow);
    const dead = createClaims(world.store, { owner: "dead", leaseTtlMs: 30_000 });
    await dead.take(1, clock.now());
    await world.store.write([{ sql: "UPDATE runs SET claims = 5 WHERE id = ?", params: [runId] }]);
    await world.startWorker("one", ["dead"]);
    const [row] = await world.store.read("SELECT wake_at_ms FROM runs WHERE id = ?", [runId]);
    const pauseMs = Number(row!["wake_at_ms"]) - clock.now();
    // Half of 4 s, because random numbers are 0 here.
    expect(pauseMs).toBeGreaterThan(1_000);
    expect(pauseMs).toBeLessThanOrEqual(2_000);
  });
});

test("runs follow each other without a gap and never more than the worker may", async () => {
  let active = 0;
  let most = 0;
  const busy = tool(async () => {
    active += 1;
    most = Math.max(most, active);
    await clock.sleep(5);
    active -= 1;
  });
  const world = await start([busy]);
  const ids = await Promise.all(Array.from({ length: 20 }, () => world.submit(workflow)));
  await world.startWorker("one");
  for (const id of ids) await world.until(id, "COMPLETED");
  expect(most).toBe(2);
  const held = await world.store.read("SELECT name FROM leases WHERE owner <> ''");
  expect(held).toEqual([]);
});

test("a worker that stops lets everything go that it had taken", async () => {
  const world = await start([tool(() => clock.sleep(20))]);
  const ids = await Promise.all(Array.from({ length: 10 }, () => world.submit(workflow)));
  const worker = await world.startWorker("one");
  await world.until(ids[0]!, "RUNNING", "COMPLETED");
  await worker.stop();
  expect(await world.store.read("SELECT name FROM leases WHERE owner <> ''")).toEqual([]);
  await world.startWorker("two");
  for (const id of ids) await world.until(id, "COMPLETED");
});

test("a message that cannot be read is a fault of its own run, and others are still broken off by a cancel", async () => {
  const world = await createWorld({
    tools: [
      {
        name: "test.long",
        effect: "idempotent",
        act: (_, { signal }) =>
          new Promise((_done, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
      },
    ],
  });
  worlds.push(world);
  const worker = await world.startWorker("one");
  const long = "version: 1\nname: w\nsteps: [{ id: a, tool: test.long, with: {} }]\n";
  const runs = [await world.submit(long), await world.submit(long)];
  for (const run of runs) await world.until(run, "RUNNING");
  await world.store.write([
    {
      sql: "INSERT INTO inbox (run_id, key, v, at_ms, body) VALUES (?, 'x', 1, 0, '{damaged')",
      params: [runs[0]!],
    },
  ]);
  await world.command(runs[1]!, "cancel");
  await world.until(runs[1]!, "CANCELLED");
  expect(worker.health().kind).toBe("ok");
});

test("a lease that a clock reserved an hour ahead is waited out only as long as its action may take", async () => {
  const world = await createWorld({
    leaseTtlMs: 500,
    tools: [
      {
        name: "test.pay",
        effect: "unsafe",
        act: (_, { signal }) =>
          new Promise((_done, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
      },
    ],
  });
  worlds.push(world);
  const jumped = await world.startWorker("jumped");
  const runId = await world.submit(
    "version: 1\nname: w\nsteps: [{ id: a, tool: test.pay, with: {}, timeout: 1s }]\n",
  );
  await expect.poll(() => world.kinds(runId)).toContain("action.intended");
  // Gone without a word, for all that another machine can know.
  await jumped.stop();
  const hourAhead = clock.now() + 3_600_000;
  await world.store.write([
    {
      sql: "UPDATE leases SET owner = 'jumped', until_ms = ? WHERE name = ?",
      params: [hourAhead, `run/${runId}`],
    },
  ]);
  await world.startWorker("other");
  // The action may take a second and its margin of five; it is waited for by the lease, and by the step.
  const asked = async (): Promise<unknown> => (await world.state(runId)).steps.get("a")?.question?.about;
  await expect.poll(asked, { timeout: 25_000, interval: 200 }).toBe("outcome");
}, 30_000);

test("a wait for a lost action whose end a clock set an hour ahead is over when the action must be", async () => {
  const world = await createWorld({
    leaseTtlMs: 500,
    tools: [
      {
        name: "test.pay",
        effect: "unsafe",
        act: (_, { signal }) =>
          new Promise((_done, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
      },
    ],
  });
  worlds.push(world);
  const acting = await world.startWorker("acting");
  const runId = await world.submit(
    "version: 1\nname: w\nsteps: [{ id: a, tool: test.pay, with: {}, timeout: 1s }]\n",
  );
  await expect.poll(() => world.kinds(runId)).toContain("action.intended");
  await acting.stop();
  await world.store.write([
    { sql: "UPDATE leases SET until_ms = 0, owner = 'acting' WHERE name = ?", params: [`run/${runId}`] },
    { sql: "UPDATE runs SET wake_at_ms = 1 WHERE id = ?", params: [runId] },
  ]);
  const jumped = await world.startWorker("jumped");
  const waiting = await world.until(runId, "WAITING");
  expect(waiting.waiting).toMatchObject({
    kind: "timer",
    reason: expect.stringContaining("still be acting"),
  });
  await jumped.stop();
  const hourAhead = clock.now() + 3_600_000;
  await world.store.write([
    { sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ?", params: [hourAhead, runId] },
  ]);
  await world.startWorker("other");
  const asked = async (): Promise<unknown> => (await world.state(runId)).steps.get("a")?.question?.about;
  await expect.poll(asked, { timeout: 40_000, interval: 200 }).toBe("outcome");
}, 60_000);

test("a wall clock that is set back a day keeps no step from its next try", async () => {
  let offMs = 0;
  let tries = 0;
  const world = await createWorld({
    clock: { ...clock, now: () => clock.now() + offMs },
    tools: [
      tool(() => {
        tries += 1;
        if (tries === 1) throw new HomeostatError("ACTION_FAILED", "not yet");
        return Promise.resolve();
      }),
    ],
  });
  worlds.push(world);
  const trying = "tool: test.act, with: {}, retry: { attempts: 2, delay: 3s }";
  const runId = await world.submit(workflow.replace("tool: test.act, with: {}", trying));
  await world.startWorker("one");
  expect((await world.until(runId, "WAITING")).waiting).toMatchObject({ kind: "timer" });
  offMs = -86_400_000;
  await world.until(runId, "COMPLETED");
  expect(tries).toBe(2);
});

test("a wall clock that is set back by less than the longest pause holds no run that is tried again", async () => {
  let offMs = 0;
  let tries = 0;
  const world = await createWorld({
    clock: { ...clock, now: () => clock.now() + offMs },
    tools: [
      tool(() => {
        tries += 1;
        if (tries === 1) throw new HomeostatError("ACTION_FAILED", "not yet", { transient: true });
        return Promise.resolve();
      }),
    ],
  });
  worlds.push(world);
  const runId = await world.submit(workflow);
  await world.startWorker("one");
  await world.until(runId, "RETRYING");
  offMs = -60_000;
  await world.until(runId, "COMPLETED");
  expect(tries).toBe(2);
});

test("a wait for a while that the wall clock was set back in begins anew, once, and ends", async () => {
  let offMs = 0;
  const world = await createWorld({ clock: { ...clock, now: () => clock.now() + offMs }, tools: [] });
  worlds.push(world);
  const steps = "[{ id: p, wait: { for: 2s } }, { id: q, set: { x: 1 } }]";
  const runId = await world.submit(`version: 1\nname: w\nsteps: ${steps}\n`);
  await world.startWorker("one");
  await world.until(runId, "WAITING");
  offMs = -86_400_000;
  const backAtMs = clock.monotonic();
  await expect.poll(() => world.kinds(runId), { timeout: 10_000 }).toContain("action.held");
  expect((await world.state(runId)).steps.get("p")).toMatchObject({
    ...{ status: "waiting", held: { reason: "the clock was set back, so the wait begins anew" } },
  });
  await world.until(runId, "COMPLETED");
  expect(clock.monotonic() - backAtMs).toBeGreaterThanOrEqual(2_000);
  expect((await world.kinds(runId)).filter((kind) => kind === "action.held")).toHaveLength(1);
});

test("a run that a clock ahead left alone after a crash is not left alone for as long as that was ahead", async () => {
  const world = await start([tool(() => Promise.resolve())]);
  const runId = await world.submit(workflow);
  // As whoever took it away from a dead process wrote it, before this one started.
  const sql = "UPDATE runs SET state = 'RUNNING', wake_at_ms = ? WHERE id = ?";
  await world.store.write([{ sql, params: [clock.now() + 86_400_000, runId] }]);
  await world.startWorker("one");
  await world.until(runId, "COMPLETED");
});

test("what somebody has in hand is not due because the wall clock was set back", async () => {
  let offMs = 0;
  const letGo = Promise.withResolvers<void>();
  let acts = 0;
  const world = await createWorld({
    clock: { ...clock, now: () => clock.now() + offMs },
    tools: [
      tool(async () => {
        acts += 1;
        await letGo.promise;
      }),
    ],
  });
  worlds.push(world);
  const runId = await world.submit(workflow);
  await world.startWorker("one");
  await expect.poll(() => acts).toBe(1);
  const { wakeAtMs } = await world.row(runId);
  await world.startWorker("two");
  const waits = await world.submit("version: 1\nname: w\nsteps: [{ id: p, wait: { for: 1h } }]\n");
  const { wakeAtMs: until } = await world.until(waits, "WAITING");
  offMs = -60_000;
  // The look that finds the clock set back has been made when it has made the other one due.
  await expect.poll(async () => (await world.row(waits)).wakeAtMs, { timeout: 10_000 }).not.toBe(until);
  expect((await world.row(runId)).wakeAtMs).toBe(wakeAtMs);
  letGo.resolve();
  await world.until(runId, "COMPLETED");
  expect(acts).toBe(1);
});

test("a tool that does not let go when its worker stops is not done again beside itself", async () => {
  const begun = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  let acts = 0;
  const world = await start([
    {
      name: "test.act",
      effect: "idempotent",
      act: async () => {
        acts += 1;
        begun.resolve();
        await letGo.promise;
        return "done";
      },
    },
  ]);
  const runId = await world.submit(workflow);
  const worker = await world.startWorkerHere();
  await begun.promise;
  await worker.stop();
  await world.startWorkerHere();
  expect((await world.until(runId, "WAITING")).waiting).toMatchObject({ kind: "timer", reason: mayStillAct });
  expect(acts).toBe(1);
  letGo.resolve();
});
