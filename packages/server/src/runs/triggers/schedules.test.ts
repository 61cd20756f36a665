import { afterEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import type { ManualClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import type { Store } from "../../store/store.ts";
import { fireDue, triggerSchedule } from "./fire-schedules.ts";
import type { FireDeps } from "./fire-schedules.ts";
import { changeSchedule, requireSchedule } from "./schedules.ts";
import type { ScheduleChange } from "./schedules.ts";
import { schedulesRoutes } from "./schedules.routes.ts";
import { callRoute } from "../testing-routes.ts";
import { createTimetable } from "./timetable.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const start = Date.parse("2026-01-15T00:00:00Z");
const minute = 60_000;
const workflow =
  "version: 1\nname: nightly\ninputs:\n  n: { type: integer, default: 1 }\nsteps:\n  - { id: only, set: { x: 1 } }\n";

interface Timed {
  readonly world: World;
  readonly clock: ManualClock;
  readonly deps: FireDeps;
  call(operationId: string, body?: unknown, id?: string): Promise<Record<string, unknown>>;
  /** Moves the time and does what the part does then. */
  pass(ms: number): Promise<void>;
  /** Times of the runs that schedules made, oldest first, as minutes after the start. */
  made(): Promise<readonly number[]>;
  endAll(): Promise<void>;
}

/** `ann` may do less than the admin who makes the schedules, `root` as much. */
const roleOf = (_tenant: string, principal: string): Promise<string> =>
  Promise.resolve(principal === "gone" ? "none" : principal === "ann" ? "operator" : "admin");

async function open(): Promise<Timed> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  const clock = createManualClock(start);
  const { store, registry } = world;
  const submit = { ...world.submitDeps, clock };
  const deps: FireDeps = { store, clock, logger: createSilentLogger(), submit, registry, roleOf };
  const routes = schedulesRoutes({ ...deps, workflows: registry, redact: (value) => value });
  return {
    world,
    clock,
    deps,
    call: async (operationId, body, id) =>
      (await callRoute(routes, operationId, {
        ...(body === undefined ? {} : { body }),
        ...(id === undefined ? {} : { params: { id } }),
      })) as Record<string, unknown>,
    async pass(ms) {
      clock.advance(ms);
      await fireDue(deps);
    },
    async made() {
      const rows = await store.read(
        "SELECT body FROM journal WHERE kind = 'run.created' ORDER BY run_id, seq",
      );
      return rows
        .map((row) => JSON.parse(row["body"] as string) as { schedule?: { occurrenceAtMs: number } })
        .map(({ schedule }) => ((schedule?.occurrenceAtMs ?? NaN) - start) / minute)
        .toSorted((a, b) => a - b);
    },
    endAll: async () => {
      await store.write([{ sql: "UPDATE runs SET ended_at_ms = 1, state = 'COMPLETED', wake_at_ms = NULL" }]);
    },
  };
}

const hourly = { name: "report", cron: "0 * * * *", workflow };

test("a time stays due while the store of blobs is away, and holds up no other schedule", async () => {
  const timed = await open();
  // Texts of this length are kept as blobs.
  const long = workflow.replace("steps:", `description: ${"x".repeat(5_000)}\nsteps:`);
  await timed.call("schedules.add", { ...hourly, name: "a-long", workflow: long });
  await timed.call("schedules.add", { ...hourly, name: "b-short" });
  const { blobs } = timed.deps.submit;
  const away = new HomeostatError("BLOB_STORE_UNAVAILABLE", "the bucket does not answer");
  const cut: FireDeps = {
    ...timed.deps,
    submit: { ...timed.deps.submit, blobs: { ...blobs, put: () => Promise.reject(away) } },
  };
  timed.clock.advance(60 * minute);
  await expect(fireDue(cut)).rejects.toBe(away);
  expect(await timed.made()).toEqual([60]);
  await timed.pass(5 * minute);
  const [runs] = await timed.deps.store.read("SELECT COUNT(*) AS n FROM runs");
  expect(runs).toEqual({ n: 2 });
  const { data } = (await timed.call("schedules.list")) as { data: readonly { lastError: unknown }[] };
  expect(data.map(({ lastError }) => lastError)).toEqual([null, null]);
});

describe("a schedule", () => {
  test("makes one run at each of its times, with its inputs, priority, and a note of which time it is", async () => {
    const { world, call, pass, made } = await open();
    const added = await call("schedules.add", {
      ...hourly,
      inputs: { n: 7 },
      priority: "high",
      labels: ["a"],
    });
    expect(added).toMatchObject({
      nextAt: "2026-01-15T01:00:00.000Z",
      workflowName: "nightly",
      createdBy: "admin",
    });
    await pass(59 * minute);
    expect(await made()).toEqual([]);
    await pass(minute + 100);
    await pass(1_000);
    expect(await made()).toEqual([60]);
    await pass(60 * minute);
    expect(await made()).toEqual([60, 120]);
    const [row] = await world.store.read("SELECT * FROM runs ORDER BY id LIMIT 1");
    expect(row).toMatchObject({ priority: 0, requester: "admin", labels: '["a","schedule:report"]' });
    const [created] = await world.store.read("SELECT body FROM journal WHERE run_id = ?", [row!["id"]!]);
    expect(JSON.parse(created!["body"] as string)).toMatchObject({
      inputs: { n: 7 },
      schedule: { id: added["id"], name: "report", occurrenceAtMs: start + 60 * minute },
    });
    const facts = await factTypes(world.store);
    expect(facts).toContain("schedule.created");
    expect(facts).toContain("run.created");
  });

  test("shows its next five times, and none while it is paused; a pause is not made up for", async () => {
    const { call, pass, made } = await open();
    await call("schedules.add", { ...hourly, missed: "all" });
    expect((await call("schedules.get", undefined, "report"))["upcoming"]).toHaveLength(5);
    await call("schedules.pause", undefined, "report");
    expect(await call("schedules.get", undefined, "report")).toMatchObject({
      upcoming: [],
      nextAt: null,
      paused: true,
    });
    await pass(200 * minute);
    const resumed = await call("schedules.resume", undefined, "report");
    expect(resumed).toMatchObject({ paused: false, nextAt: "2026-01-15T04:00:00.000Z" });
    await pass(minute);
    expect(await made()).toEqual([]);
    await pass(40 * minute);
    expect(await made()).toEqual([240]);
  });

  test.each([
    ["skip", []],
    ["once", [180]],
    ["all", [60, 120, 180]],
  ] as const)(
    "with the missed policy %s runs for %j after three hours without a server",
    async (missed, wanted) => {
      const { call, pass, made } = await open();
      await call("schedules.add", { ...hourly, missed });
      await pass(190 * minute);
      expect(await made()).toEqual(wanted);
      const shown = await call("schedules.get", undefined, "report");
      expect(shown).toMatchObject({ passed: 3 - wanted.length, nextAt: "2026-01-15T04:00:00.000Z" });
    },
  );

  test("made up for no more than its cap", async () => {
    const { call, pass, made } = await open();
    await call("schedules.add", { ...hourly, missed: "all", missedCap: 2 });
    await pass(10 * 60 * minute + 10 * minute);
    expect(await made()).toEqual([9 * 60, 10 * 60]);
  });

  test("passes over a time that comes while the run before goes on, or lets one wait for its end", async () => {
    const { call, pass, made, endAll } = await open();
    await call("schedules.add", { ...hourly, name: "skips", overlap: "skip" });
    await pass(60 * minute);
    await pass(60 * minute);
    expect(await made()).toEqual([60]);
    await endAll();
    await pass(60 * minute);
    expect(await made()).toEqual([60, 180]);
    await call("schedules.remove", undefined, "skips");
    await endAll();
    await call("schedules.add", { ...hourly, name: "queues", overlap: "queue" });
    for (let hour = 0; hour < 3; hour += 1) await pass(60 * minute);
    expect(await made()).toEqual([60, 180, 240]);
    expect(await call("schedules.get", undefined, "queues")).toMatchObject({
      waitingAt: "2026-01-15T05:00:00.000Z",
      passed: 1,
    });
    await endAll();
    await pass(1_000);
    expect(await made()).toEqual([60, 180, 240, 300]);
    expect(await call("schedules.get", undefined, "queues")).toMatchObject({ waitingAt: null });
  });

  test("runs now when somebody says so, beside its times, and says who it was", async () => {
    const { world, call, pass, made } = await open();
    await call("schedules.add", hourly);
    const run = await call("schedules.trigger", {}, "report");
    const [row] = await world.store.read("SELECT body FROM journal WHERE run_id = ?", [run["id"] as string]);
    expect(JSON.parse(row!["body"] as string)).toMatchObject({ schedule: { triggeredBy: "admin" } });
    expect(await factTypes(world.store)).toContain("schedule.triggered");
    await pass(60 * minute);
    expect(await made()).toEqual([0, 60]);
  });

  test("counts for whoever may do less: its owner, or who registered the workflow that it names", async () => {
    const { world, call, pass } = await open();
    const { name, digest } = requireWorkflow(workflow);
    await world.registry.add({ tenant: "default", name, digest, text: workflow, addedBy: "ann" });
    await call("schedules.add", { name: "by-name", cron: "0 * * * *", workflowName: "nightly" });
    const requesters = async () =>
      (await world.store.read("SELECT requester FROM runs ORDER BY created_at_ms, id")).map(
        ({ requester }) => requester,
      );
    await pass(60 * minute);
    expect(await requesters()).toEqual(["ann"]);
    const other = workflow.replace("x: 1", "x: 2");
    const bob = {
      tenant: "default",
      name,
      digest: requireWorkflow(other).digest,
      text: other,
      addedBy: "root",
    };
    await world.registry.add(bob);
    await pass(60 * minute);
    expect(await requesters()).toEqual(["ann", "admin"]);
  });

  test("stops when nobody answers for it any more, and says so", async () => {
    const { world, call, pass, deps } = await open();
    const { id } = (await call("schedules.add", { name: "orphan", cron: "0 * * * *", workflow })) as {
      id: string;
    };
    await world.store.write([{ sql: "UPDATE schedules SET created_by = 'gone'", params: [] }]);
    await pass(60 * minute);
    expect(await world.store.read("SELECT id FROM runs")).toEqual([]);
    expect(await call("schedules.get", undefined, id)).toMatchObject({
      paused: true,
      lastError: { code: "AUTHORIZATION_DENIED", message: expect.stringContaining("gone") as string },
    });
    const told = await world.store.read("SELECT entry FROM ledger_outbox");
    expect(told.filter(({ entry }) => String(entry).includes("schedule.paused"))).toHaveLength(1);
    const run = triggerSchedule(deps, await requireSchedule(world.store, "default", "orphan"), {
      ...{ by: "admin", dedupKey: null },
    });
    await expect(run).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });
  });

  test("says why a time could not be run, and goes on with the next", async () => {
    const { world, call, pass, made } = await open();
    const { registry } = world;
    const parsed = requireWorkflow(workflow);
    const { name, digest } = parsed;
    await registry.add({ tenant: "default", name, digest, text: workflow, addedBy: "ann" });
    await call("schedules.add", { name: "by-name", cron: "0 * * * *", workflowName: "nightly" });
    await registry.remove({ tenant: "default", name: "nightly", by: "ann" });
    await pass(60 * minute);
    expect(await made()).toEqual([]);
    expect(await call("schedules.get", undefined, "by-name")).toMatchObject({
      lastError: { code: "WORKFLOW_NOT_FOUND" },
      nextAt: "2026-01-15T02:00:00.000Z",
    });
    await registry.add({ tenant: "default", name, digest, text: workflow, addedBy: "ann" });
    await pass(60 * minute);
    expect(await made()).toEqual([120]);
    expect(await call("schedules.get", undefined, "by-name")).toMatchObject({ lastError: null });
  });

  test.each([
    [{ cron: "61 * * * *" }, "SCHEDULE_INVALID"],
    [{ cron: "0 0 31 2 *" }, "SCHEDULE_INVALID"],
    [{ timezone: "Mars/Olympus" }, "SCHEDULE_INVALID"],
    [{ inputs: { m: 1 } }, "INPUTS_INVALID"],
    [{ workflow: "version: 1" }, "WORKFLOW_INVALID"],
    [{ every: "5m" }, "REQUEST_INVALID"],
    [{ workflow: undefined, workflowName: "nowhere" }, "WORKFLOW_NOT_FOUND"],
    [{ inputs: { n: 1 }, workflow: `${workflow}# SECRET` }, "REQUEST_INVALID"],
  ])("%j is refused with %s, and nothing is kept", async (wrong, code) => {
    const { call } = await open();
    await expect(call("schedules.add", { ...hourly, ...wrong })).rejects.toMatchObject({ code });
    expect((await call("schedules.list"))["data"]).toEqual([]);
  });

  test("has a name of its own, and of two who change it at once one is told", async () => {
    const { call, world, deps } = await open();
    await call("schedules.add", hourly);
    await expect(call("schedules.add", hourly)).rejects.toMatchObject({ code: "SCHEDULE_CONFLICT" });
    const full = { ...deps, workflows: world.registry };
    const caller = { tenant: "default", by: "ann" };
    const both = await Promise.allSettled([
      changeSchedule(full, caller, { idOrName: "report", change: { priority: "low" } }),
      changeSchedule(full, caller, { idOrName: "report", change: { priority: "high" } }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const other = requireSchedule(world.store, "other", "report");
    await expect(other).rejects.toMatchObject({ code: "SCHEDULE_NOT_FOUND" });
  });

  test("runs as whoever last said what it does, never as somebody else with another's words", async () => {
    const { world, call, pass, deps } = await open();
    await call("schedules.add", hourly);
    const full = { ...deps, workflows: world.registry };
    const caller = { tenant: "default", by: "otto" };
    const change = (to: ScheduleChange) => changeSchedule(full, caller, { idOrName: "report", change: to });
    expect((await change({ priority: "low" })).createdBy).toBe("admin");
    expect((await change({ inputs: { n: 2 } })).createdBy).toBe("otto");
    await pass(60 * minute);
    expect(await world.store.read("SELECT requester FROM runs")).toEqual([{ requester: "otto" }]);
  });

  test("with an interval counts from when it was given, and from anew when it is changed", async () => {
    const { call, pass, made } = await open();
    await call("schedules.add", { name: "often", every: "10m", workflow });
    await pass(25 * minute);
    expect(await made()).toEqual([20]);
    await call("schedules.change", { every: "7m" }, "often");
    await pass(7 * minute);
    expect(await made()).toEqual([20, 32]);
  });
});

describe("every time is run once", () => {
  test("when the process dies between the run and the note that it was made", async () => {
    const { call, pass, made, deps, clock } = await open();
    await call("schedules.add", hourly);
    clock.advance(60 * minute);
    // Everything but the note reaches the database.
    const dying: FireDeps = {
      ...deps,
      store: { ...deps.store, write: () => Promise.reject(new Error("the process died")) },
    };
    await expect(fireDue(dying)).rejects.toThrow("died");
    expect(await made()).toEqual([60]);
    await pass(1_000);
    expect(await made()).toEqual([60]);
    await pass(60 * minute);
    expect(await made()).toEqual([60, 120]);
  });

  test("when several processes believe that they are the one", async () => {
    const { call, clock, deps, made } = await open();
    await call("schedules.add", hourly);
    await call("schedules.add", { ...hourly, name: "other", cron: "*/30 * * * *" });
    for (let half = 0; half < 6; half += 1) {
      clock.advance(30 * minute);
      await Promise.all([fireDue(deps), fireDue(deps), fireDue(deps)]);
    }
    expect(await made()).toEqual([30, 60, 60, 90, 120, 120, 150, 180, 180]);
  });
});

describe("triggers in a workflow's file", () => {
  const owner = { tenant: "default", workflow: "nightly", by: "ann" };
  const withTriggers = (triggers: string): string =>
    workflow.replace("steps:", `triggers:\n${triggers}steps:`);

  async function register(timed: Timed, text: string): Promise<void> {
    const { world, clock } = timed;
    const { name, digest, triggers } = requireWorkflow(text);
    const timetable = createTimetable({ store: world.store, clock });
    const statements = await timetable.plan(
      owner,
      triggers.filter((each) => each.kind !== "webhook"),
    );
    await world.registry.add({ tenant: "default", name, digest, text, addedBy: "ann" }, statements);
  }

  test("come, change and go with it, and give their inputs when the time has come", async () => {
    const timed = await open();
    const { call, pass, made, world } = timed;
    await register(timed, withTriggers('  - { cron: "0 * * * *", name: hourly, inputs: { n: 5 } }\n'));
    await pass(60 * minute);
    expect(await made()).toEqual([60]);
    const [row] = await world.store.read("SELECT requester, labels FROM runs");
    expect(row).toEqual(expect.objectContaining({ requester: "ann", labels: '["schedule:nightly/hourly"]' }));
    const shown = await call("schedules.get", undefined, "nightly/hourly");
    expect(shown).toMatchObject({ source: "trigger", cron: "0 * * * *" });
    await expect(call("schedules.remove", undefined, "nightly/hourly")).rejects.toMatchObject({
      code: "SCHEDULE_CONFLICT",
    });
    await call("schedules.pause", undefined, "nightly/hourly");
    await register(timed, withTriggers('  - { cron: "0 * * * *", name: hourly, inputs: { n: 6 } }\n'));
    expect(await call("schedules.get", undefined, "nightly/hourly")).toMatchObject({ paused: true });
    await call("schedules.resume", undefined, "nightly/hourly");
    await register(timed, withTriggers("  - { interval: 10m, name: hourly }\n"));
    await pass(10 * minute);
    expect(await made()).toEqual([60, 70]);
    await register(timed, workflow);
    expect((await call("schedules.list"))["data"]).toEqual([]);
  });

  test("that name no time are refused with their line", async () => {
    const timed = await open();
    const text = withTriggers('  - { cron: "0 0 31 2 *" }\n');
    await expect(register(timed, text)).rejects.toMatchObject({
      code: "WORKFLOW_INVALID",
      details: [expect.objectContaining({ line: 6 })],
    });
  });
});

async function factTypes(store: Store): Promise<readonly string[]> {
  const rows = await store.read("SELECT entry FROM ledger_outbox");
  return rows.map((row) => (JSON.parse(row["entry"] as string) as { type: string }).type);
}
