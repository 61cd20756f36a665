import { afterEach, expect, test } from "vitest";
import { join } from "node:path";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { JsonObject } from "../base/canonical-json.ts";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "../ledger/publish.ts";
import { migrations as all } from "../home/migrations.ts";
import { createWorld } from "../runs/testing-world.ts";
import type { World } from "../runs/testing-world.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { createRenewable } from "../supervision/renewable.ts";
import type { ChildSpec } from "../supervision/child.ts";
import type { Part } from "../supervision/part.ts";
import { recordFact } from "../home/record-fact.ts";
import { createTree } from "./tree.ts";
import type { Tree } from "./tree.ts";

const logger = createSilentLogger();
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A real store whose reads break as a bug in our own code would, as long as `breaks` says so. */
interface Saboteur {
  breaks: (sql: string, params: readonly unknown[]) => boolean;
  wrap(store: LeaseStore): LeaseStore;
}

function createSaboteur(): Saboteur {
  const saboteur: Saboteur = {
    breaks: () => false,
    wrap: (store) => ({
      ...store,
      read(sql, params = []) {
        if (saboteur.breaks(sql, params)) return Promise.reject(new TypeError("x is undefined"));
        return store.read(sql, params);
      },
      scan(sql, params = []) {
        if (saboteur.breaks(sql, params)) throw new TypeError("x is undefined");
        return store.scan(sql, params);
      },
    }),
  };
  return saboteur;
}

interface Grown {
  readonly tree: Tree;
  readonly facts: { readonly type: string; readonly data: JsonObject }[];
  readonly counted: string[];
}

async function grow(children: readonly ChildSpec[], maxRestarts = 5): Promise<Grown> {
  const facts: Grown["facts"] = [];
  const counted: string[] = [];
  const tree = createTree({
    clock,
    logger,
    metrics: { count: (name, labels) => void counted.push(`${name} ${JSON.stringify(labels)}`) },
    record: (type, data) => void facts.push({ type, data }),
    limits: { maxRestarts, windowMs: 60_000, firstDelayMs: 5, maxDelayMs: 20 },
    children,
  });
  await tree.supervisor.start();
  ends.push(() => tree.supervisor.stop(2_000));
  return { tree, facts, counted };
}

async function openWorld(saboteur: Saboteur): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-tree-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const world = await createWorld({
    tools: [
      {
        name: "test.slow",
        effect: "idempotent",
        act: async (_, { signal }) => {
          await clock.sleep(300, signal);
          return "done";
        },
      },
    ],
    openStore: async (migrations) =>
      saboteur.wrap(await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger })),
  });
  ends.push(() => world.close());
  return world;
}

const slow = "version: 1\nname: slow\nsteps: [{ id: a, tool: test.slow, with: {} }]\n";
const isSweep = (sql: string): boolean => sql.includes("FROM leases AS l JOIN runs");

test("a worker that breaks is made anew, and the run that it drove is finished by the new one", async () => {
  const saboteur = createSaboteur();
  const world = await openWorld(saboteur);
  const worker = createRenewable(() => world.createWorker("me"));
  const { tree, facts, counted } = await grow([worker.child]);
  const first = worker.current();
  const runId = await world.submit(slow);
  await world.until(runId, "RUNNING");
  let isDone = false;
  saboteur.breaks = (sql) => !isDone && (isDone = isSweep(sql));
  await expect.poll(() => first.health().kind, { timeout: 5_000 }).toBe("degraded");
  await world.until(runId, "COMPLETED");
  await expect.poll(() => facts, { timeout: 5_000 }).toHaveLength(1);
  expect(facts[0]).toMatchObject({ type: "part.restarted", data: { part: "homeostat/worker", restarts: 1 } });
  expect(JSON.stringify(facts)).not.toContain("undefined");
  expect(counted).toEqual(['homeostat_part_restarts_total {"part":"homeostat/worker"}']);
  expect(worker.current()).not.toBe(first);
  expect(tree.now().children[0]).toMatchObject({
    state: "running",
    restarts: 1,
    lastError: "x is undefined",
  });
});

test("a worker that goes on breaking ends the process in order, with the reason", async () => {
  const saboteur = createSaboteur();
  const world = await openWorld(saboteur);
  const worker = createRenewable(() => world.createWorker("me"));
  const { tree, facts } = await grow([worker.child], 2);
  saboteur.breaks = isSweep;
  const reason = await tree.supervisor.failed;
  expect(String(reason)).toMatch(/homeostat\/worker broke down too often: x is undefined/);
  expect(facts.at(-1)).toEqual({ type: "part.escalated", data: { part: "homeostat/worker" } });
  expect(tree.now()).toMatchObject({ state: "failed", health: { kind: "failed" } });
});

test("a fault in one run touches neither the worker nor another run, and the tree shows what became of it", async () => {
  const saboteur = createSaboteur();
  const world = await openWorld(saboteur);
  const worker = createRenewable(() => world.createWorker("me"));
  const { tree, facts } = await grow([worker.child]);
  const first = worker.current();
  // The run whose journal is read first cannot be read any more.
  let ill: unknown;
  saboteur.breaks = (sql, params) => sql.includes("FROM journal") && params[0] === (ill ??= params[0]);
  const runs = [await world.submit(slow), await world.submit(slow)];
  await expect.poll(() => ill).toBeDefined();
  const well = runs.find((runId) => runId !== ill)!;
  await world.until(well, "COMPLETED");
  expect(worker.current()).toBe(first);
  expect(facts).toEqual([]);
  const run = (): unknown => tree.now().children[0]!.children.find(({ name }) => name === ill);
  saboteur.breaks = () => false;
  await expect
    .poll(run, { timeout: 15_000 })
    .toMatchObject({ kind: "run", restarts: 1, lastError: expect.stringContaining("x is undefined") });
  await world.until(ill as string, "COMPLETED");
  expect(tree.now().children[0]!.mailbox).toMatchObject({ capacity: 1, overflow: "drop-newest" });
}, 30_000);

test("a publisher that breaks is made anew, and what waited in the outbox is in the ledger", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-tree-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  for (const each of ["keys", "ledger"]) await mkdir(join(folder, each));
  const real = await openSqliteStore({ path: join(folder, "state.db"), migrations: all, clock, logger });
  ends.push(() => real.close());
  const saboteur = createSaboteur();
  const store = saboteur.wrap(real);
  const publisher = createRenewable(() =>
    createLedgerPublisher({
      store,
      clock,
      logger,
      ledgerFolder: join(folder, "ledger"),
      keysFolder: join(folder, "keys"),
      owner: "me",
      isOwnerDead: () => false,
      settings: { ...defaultPublisherSettings, sweepMs: 20 },
    }),
  );
  const { facts } = await grow([publisher.child]);
  let isDone = false;
  saboteur.breaks = (sql) => !isDone && (isDone = sql.includes("FROM ledger_outbox"));
  await store.write([recordFact("test.happened", {}, clock.now())]);
  await expect.poll(() => facts.length, { timeout: 5_000 }).toBe(1);
  await expect.poll(async () => (await publisher.current().state()).size, { timeout: 5_000 }).toBe(1);
  expect(facts[0]).toMatchObject({ type: "part.restarted", data: { part: "homeostat/ledger" } });
  expect(publisher.current().health().kind).toBe("ok");
});

test("upkeep that breaks for good is tried again and again, made anew as a whole, and never ends the process", async () => {
  const facts: { readonly type: string; readonly data: JsonObject }[] = [];
  let made = 0;
  const breaking: ChildSpec = {
    name: "retention",
    create: () => ({
      name: "retention",
      start: () => Promise.resolve(void (made += 1)),
      stop: () => Promise.resolve(),
      health: () => ({ kind: "ok" }),
      failed: Promise.resolve(new TypeError("a bug")),
    }),
  };
  const worker = { name: "worker", create: createIdlePart };
  const tree = createTree({
    clock,
    logger,
    metrics: { count: () => undefined },
    record: (type, data) => void facts.push({ type, data }),
    limits: { maxRestarts: 3, windowMs: 200, firstDelayMs: 5, maxDelayMs: 20 },
    children: [worker],
    upkeep: [breaking],
    upkeepLimits: { maxRestarts: 3, windowMs: 60_000, firstDelayMs: 30, maxDelayMs: 60 },
  });
  await tree.supervisor.start();
  ends.push(() => tree.supervisor.stop(2_000));
  await expect.poll(() => made, { timeout: 10_000 }).toBeGreaterThan(12);
  const [first, upkeep] = tree.now().children;
  expect(first).toMatchObject({ name: "worker", state: "running", restarts: 0 });
  expect(upkeep).toMatchObject({ name: "upkeep", kind: "supervisor", strategy: "one-for-one" });
  expect(upkeep!.restarts).toBeGreaterThanOrEqual(2);
  expect(upkeep!.lastError).toContain("homeostat/upkeep/retention broke down too often: a bug");
  expect(facts).toContainEqual({ type: "part.escalated", data: { part: "homeostat/upkeep/retention" } });
  expect(facts.filter(({ data }) => data["part"] === "homeostat")).toEqual([]);
  expect(tree.now().state).toBe("running");
});

function createIdlePart(): Part {
  const done = (): Promise<void> => Promise.resolve();
  return { name: "worker", start: done, stop: done, health: () => ({ kind: "ok" }) };
}
