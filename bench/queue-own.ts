/** Homeostat's own queue as a contender: rows put in, claimed and finished as the worker does it, with nothing done in between. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock as clock } from "../packages/server/src/base/clock.ts";
import { createId } from "../packages/server/src/base/id.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { createClaims } from "../packages/server/src/queue/claim.ts";
import type { Claims, TakenRun } from "../packages/server/src/queue/claim.ts";
import { queueMigrations } from "../packages/server/src/queue/migrations.ts";
import { insertRun, projectRun } from "../packages/server/src/queue/run-row.ts";
import type { RunRow } from "../packages/server/src/queue/run-row.ts";
import { freeLease, leaseMigration } from "../packages/server/src/store/lease.ts";
import type { LeaseStore } from "../packages/server/src/store/lease.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import type { Contender } from "./queue-contender.ts";

export const ownMigrations = [leaseMigration, ...queueMigrations];

/** A database in a folder of its own below `parent`; `close` removes it. */
export async function openOwn(parent: string, synchronous: "full" | "normal"): Promise<Contender> {
  const folder = mkdtempSync(join(parent, `own-${synchronous}-`));
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: ownMigrations,
    clock,
    logger: createSilentLogger(),
    synchronous,
  });
  const claims = createClaims(store, { owner: "bench", leaseTtlMs: 30_000 });
  return {
    enqueue: async () => {
      await store.write([insertRun(dueRun(), null)]);
    },
    process: (count, concurrency) => processRuns({ store, claims }, count, concurrency),
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As a submitted task stands in the queue. */
export function dueRun(): RunRow {
  const nowMs = clock.now();
  return {
    id: createId("run", nowMs),
    tenant: "default",
    state: "QUEUED",
    workflowName: "bench",
    workflowDigest: "0".repeat(64),
    priority: "normal",
    requester: "bench",
    labels: [],
    parent: null,
    attempts: 0,
    maxAttempts: 3,
    wakeAtMs: nowMs,
    waiting: null,
    error: null,
    headSeq: 1,
    headDigest: "0".repeat(64),
    stepsDone: 0,
    stepsTotal: 1,
    artifactCount: 0,
    createdAtMs: nowMs,
    startedAtMs: null,
    endedAtMs: null,
  };
}

/**
 * What the worker does with the queue for each run: a batch ends the run and frees its lease, another of the same commit takes the
 * next, and the lease is held (renewed by the store's thread) in between.
 */
async function processRuns(
  { store, claims }: { readonly store: LeaseStore; readonly claims: Claims },
  count: number,
  concurrency: number,
): Promise<void> {
  let done = 0;
  const work = async (first: TakenRun): Promise<void> => {
    for (let taken: TakenRun | undefined = first; taken !== undefined;) {
      const held = store.holdLease(taken.lease);
      const end = store.write([projectRun(ended(taken.row), taken.row.headSeq), freeLease(held)]);
      const next = claims.takeNext(clock.now());
      [, taken] = await Promise.all([end, next]);
      store.dropLease(held);
      done += 1;
    }
  };
  const first = await claims.take(concurrency, clock.now());
  await Promise.all(first.map(work));
  if (done !== count) throw new Error(`${done} of ${count} runs were processed`);
}

function ended(row: RunRow): RunRow {
  const nowMs = clock.now();
  return {
    ...row,
    state: "COMPLETED",
    attempts: 1,
    wakeAtMs: null,
    stepsDone: 1,
    startedAtMs: nowMs,
    endedAtMs: nowMs,
  };
}
