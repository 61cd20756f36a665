/** How soon a run that is put in is in a worker's hands, in the same process and in another; and event loops while syncs are slow. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock as clock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { createBullmqQueue } from "../packages/server/src/queue/bullmq-queue.ts";
import { createClaims } from "../packages/server/src/queue/claim.ts";
import type { Claims } from "../packages/server/src/queue/claim.ts";
import { createLocalQueue } from "../packages/server/src/queue/local-queue.ts";
import type { Queue } from "../packages/server/src/queue/local-queue.ts";
import { insertRun, projectRun } from "../packages/server/src/queue/run-row.ts";
import { freeLease } from "../packages/server/src/store/lease.ts";
import type { LeaseStore } from "../packages/server/src/store/lease.ts";
import { openPostgresStore } from "../packages/server/src/store/postgres/postgres.ts";
import { openRedisLink } from "../packages/server/src/store/redis.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import { createFaults } from "../test/chaos/fault-shim.ts";
import { benchFolder } from "./bench.ts";
import { dueRun, ownMigrations } from "./queue-own.ts";

/** A database to meet in, and who wakes whom: SQLite and PostgreSQL by their commits, Redis over BullMQ. */
export type Place =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "redis"; readonly url: string; readonly redisUrl: string };

interface Hands {
  readonly store: LeaseStore;
  readonly queue: Queue;
  readonly claims: Claims;
}

interface OpenHands extends Hands {
  close(): Promise<void>;
}

const logger = createSilentLogger();

/** What a process has of a place. One process of each dispatches, which matters with Redis alone. */
export async function openHands(place: Place, dispatches = false): Promise<OpenHands> {
  const store = await openStore(place);
  const claims = createClaims(store, { owner: `bench ${process.pid}`, leaseTtlMs: 30_000 });
  const local = createLocalQueue({ store });
  if (place.kind !== "redis") return { store, claims, queue: local, close: store.close };
  const redis = await openRedisLink({ url: place.redisUrl, clock, logger });
  while (!redis.isUp()) await clock.sleep(5);
  const queue = await createBullmqQueue({ local, redis, prefix: "homeostat:", clock, logger });
  const stopping = new AbortController();
  const dispatching = dispatches ? queue.dispatch(store, stopping.signal) : Promise.resolve();
  return {
    ...{ store, claims, queue },
    async close() {
      stopping.abort();
      await dispatching;
      await queue.close();
      await redis.close();
      await store.close();
    },
  };
}

function openStore(place: Place): Promise<LeaseStore> {
  if (place.kind === "sqlite") return open(place.path);
  return openPostgresStore({ url: place.url, migrations: ownMigrations, clock, logger });
}

/** As the worker does it: a wake-up, a look without a write, a claim. Returns the end. */
export function takeAsTheyCome(
  { store, queue, claims }: Hands,
  onTaken: (runId: string) => void,
): () => Promise<void> {
  let again = false;
  let taking: Promise<void> | undefined;
  const look = (): void => {
    again = true;
    taking ??= take().finally(() => (taking = undefined));
  };
  const take = async (): Promise<void> => {
    while (again) {
      again = false;
      if (!(await claims.mayTake(clock.now()))) continue;
      for (const { row, lease } of await claims.take(4, clock.now())) {
        onTaken(row.id);
        const ended = { ...row, state: "COMPLETED" as const, wakeAtMs: null, endedAtMs: clock.now() };
        await store.write([projectRun(ended, row.headSeq), freeLease(lease)]);
      }
    }
  };
  const stop = queue.onWake(look);
  look();
  return async () => {
    stop();
    await taking;
  };
}

/** Milliseconds from the call that puts a run in to the worker's hands, for `count` runs, one every 10 ms or so. */
export async function pickUpInProcess(place: Place, count: number): Promise<readonly number[]> {
  const hands = await openHands(place, true);
  const taken = new Map<string, (atMs: number) => void>();
  const stop = takeAsTheyCome(hands, (id) => taken.get(id)?.(performance.now()));
  const latencies = await measure(count, { store: hands.store, taken, now: () => performance.now() });
  await stop();
  await hands.close();
  return latencies;
}

/** As `pickUpInProcess`, with the worker in another process. */
export async function pickUpAcross(place: Place, count: number): Promise<readonly number[]> {
  const { store, close } = await openHands(place, true);
  const child = forkBench(["pick-up", JSON.stringify(place)]);
  await once(child, "message");
  const taken = new Map<string, (atMs: number) => void>();
  child.on("message", ({ id, atMs }: { id: string; atMs: number }) => taken.get(id)?.(atMs));
  // The two processes have a clock in common only as the time since 1970.
  const now = (): number => performance.timeOrigin + performance.now();
  const latencies = await measure(count, { store, taken, now });
  const exited = once(child, "exit");
  child.send("stop");
  await exited;
  await close();
  return latencies;
}

async function measure(
  count: number,
  deps: {
    readonly store: LeaseStore;
    readonly taken: Map<string, (atMs: number) => void>;
    readonly now: () => number;
  },
): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let index = 0; index < count + warmUp; index += 1) {
    const run = dueRun();
    const arrived = new Promise<number>((resolve) => deps.taken.set(run.id, resolve));
    const startMs = deps.now();
    await deps.store.write([insertRun(run, null)]);
    const latencyMs = (await arrived) - startMs;
    deps.taken.delete(run.id);
    if (index >= warmUp) latencies.push(latencyMs);
    // Not in step with anybody's polling.
    await clock.sleep(5 + ((index * 7) % 11));
  }
  return latencies;
}

const warmUp = 20;

export interface SlowSyncs {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly commits: number;
}

/** Two processes that write to one database, each sync taking `delayMs` longer; how late the event loop of each was. */
export async function eventLoopUnderSlowSyncs(
  parent: string,
  { delayMs, durationMs }: { readonly delayMs: number; readonly durationMs: number },
): Promise<readonly SlowSyncs[]> {
  const folder = mkdtempSync(join(parent, "slow-"));
  const path = join(folder, "state.db");
  await (await open(path)).close();
  const faults = await createFaults(folder);
  await faults.slowSyncs(delayMs);
  const children = [0, 1].map(() => forkBench(["write", path, String(durationMs)], faults.environment));
  const told = await Promise.all(
    children.map(async (child) => {
      const exited = once(child, "exit");
      const [message] = (await once(child, "message")) as [SlowSyncs];
      await exited;
      return message;
    }),
  );
  const syncs = await faults.syncs();
  await faults.close();
  rmSync(folder, { recursive: true });
  if (syncs === 0) throw new Error("no sync was slowed down");
  return told;
}

function forkBench(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  return fork(join(benchFolder, "queue-process.ts"), args, { env: { ...process.env, ...environment } });
}

function open(path: string): Promise<LeaseStore> {
  return openSqliteStore({ path, migrations: ownMigrations, clock, logger });
}
