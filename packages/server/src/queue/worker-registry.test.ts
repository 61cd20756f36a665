import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { queueMigrations } from "./migrations.ts";
import { insertRun } from "./run-row.ts";
import {
  createWorkerRegistry,
  findUnmetNeeds,
  listWorkers,
  needStatements,
  workerState,
} from "./worker-registry.ts";
import type { WorkerFacts, WorkerRegistry } from "./worker-registry.ts";

const logger = createSilentLogger();

async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-registry-"));
  const migrations = [leaseMigration, ...queueMigrations];
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations,
    clock: systemClock,
    logger,
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

function facts(id: string, more: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    id,
    role: "worker",
    host: "box",
    pid: 7,
    version: "1.0.0",
    url: "http://127.0.0.1:1",
    offers: ["language:python", "root:shelf"],
    isolation: "standard",
    concurrency: 4,
    active: 0,
    policyRevision: "r1",
    startedAtMs: 1,
    ...more,
  };
}

function registry(store: Store, self: WorkerFacts, dead: readonly string[] = []): WorkerRegistry {
  const isOwnerDead = (owner: string): boolean => dead.includes(owner);
  return createWorkerRegistry({ store, clock: systemClock, logger, isOwnerDead, self: () => self });
}

test("a process is known to others from its start to its goodbye", async () => {
  const store = await openStore();
  const [one, two] = [registry(store, facts("one")), registry(store, facts("two", { role: "gateway" }))];
  await one.start();
  await two.start();
  expect(two.known().map(({ id, state }) => `${id} ${state}`)).toEqual(["one running", "two running"]);
  await one.stop(100);
  const now = { nowMs: systemClock.now(), isOwnerDead: (): boolean => false };
  expect((await listWorkers(store, now)).map(({ id, state }) => `${id} ${state}`)).toEqual([
    "one stopping",
    "two running",
  ]);
  const later = { ...now, nowMs: now.nowMs + 20_000 };
  expect((await listWorkers(store, later)).map(({ state }) => state)).toEqual(["gone", "silent"]);
  await two.stop(100);
});

test("another policy in a living process is told by health", async () => {
  const store = await openStore();
  const one = registry(store, facts("one"));
  await one.start();
  const two = registry(store, facts("two", { policyRevision: "r2" }));
  await two.start();
  expect(two.health()).toMatchObject({ kind: "degraded", detail: expect.stringContaining("another policy") });
  const three = registry(store, facts("three", { policyRevision: "r2" }), ["one"]);
  await three.start();
  expect(three.health().kind).toBe("ok");
  for (const each of [one, two, three]) await each.stop(100);
});

test("a run keeps the needs that somebody is known to meet, and unmet ones are counted", async () => {
  const store = await openStore();
  const one = registry(store, facts("one"));
  await one.start();
  const run = testRun();
  const needs = await needStatements(store, run.id, ["language:python", "root:nowhere", "root:shelf"]);
  await store.write([insertRun(run, null), ...needs]);
  const rows = await store.read("SELECT need FROM run_needs ORDER BY need");
  expect(rows.map((row) => row["need"])).toEqual(["language:python", "root:shelf"]);
  const nowMs = systemClock.now();
  expect(await findUnmetNeeds(store, one.known(), nowMs)).toEqual([]);
  const gone = one.known().map((worker) => ({ ...worker, state: "gone" as const }));
  expect(await findUnmetNeeds(store, gone, nowMs)).toEqual([
    { need: "language:python", runs: 1 },
    { need: "root:shelf", runs: 1 },
  ]);
  await one.stop(100);
});

test("silence is judged by how long it lasts and by what was said before", () => {
  const seen = { said: "running", silentMs: 0, isDead: false } as const;
  expect(workerState(seen)).toBe("running");
  expect(workerState({ ...seen, said: "stopping" })).toBe("stopping");
  expect(workerState({ ...seen, silentMs: 15_000 })).toBe("silent");
  expect(workerState({ ...seen, said: "stopping", silentMs: 15_000 })).toBe("gone");
  expect(workerState({ ...seen, silentMs: 600_000 })).toBe("gone");
  expect(workerState({ ...seen, isDead: true })).toBe("gone");
  expect(workerState({ ...seen, said: "gone" })).toBe("gone");
});
