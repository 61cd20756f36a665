/** Which database a data folder's state lies in: SQLite in the folder, or PostgreSQL by URL. Opened to serve or to read. */
import type { Config } from "../config/config-schema.ts";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { homeAt } from "./home.ts";
import { migrations } from "./migrations.ts";
import { leaseTtlMs } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { requireUsable } from "../store/marks.ts";
import { placeOf } from "../store/postgres/postgres-url.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";
import { openAbandoned } from "../store/move/source-lock.ts";
import { openSqliteReader } from "../store/sqlite/sqlite-reader.ts";
import type { ReplicaState, Statement } from "../store/store.ts";
import { watchWrites } from "../store/write-watch.ts";
import type { WatchedStore } from "../store/write-watch.ts";
import type { StoreReader } from "../store/store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";

type DatabaseConfig = Pick<Config, "home" | "databaseUrl" | "databaseReadUrl">;
type ServingConfig = DatabaseConfig & Pick<Config, "databaseReadMaxLagMs">;

/** The state's store, and how it is: see `storePart`. */
export interface StateStore extends WatchedStore {
  /** Resolves with the reason once nothing can be written by this process any more. */
  readonly died: Promise<string>;
}

/** Migrates it too. Throws DATA_FOLDER_UNUSABLE, STORE_UNAVAILABLE, and what `requireUsable` throws after a move. */
export async function openStateStore(
  config: ServingConfig,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<StateStore> {
  const { databaseUrl: url, databaseReadUrl: readUrl } = config;
  const { promise: died, resolve: onDied } = Promise.withResolvers<string>();
  const common = {
    onDied,
    migrations,
    clock,
    logger,
    observeCommit: ({ batches, durationMs }: { batches: number; durationMs: number }) => {
      metrics.observe("homeostat_store_commit_duration_seconds", { database: "state" }, durationMs / 1000);
      metrics.observe("homeostat_store_commit_batches", { database: "state" }, batches);
    },
  };
  const open = async (): Promise<LeaseStore> => {
    if (url === undefined)
      return await openSqliteStore({ ...common, path: homeAt(config.home).stateDatabase });
    // The driver takes 30 ms to load, which those who do without need not wait for.
    const { openPostgresStore } = await import("../store/postgres/postgres.ts");
    return await openPostgresStore({
      ...{ ...common, url, readUrl, replicaMaxLagMs: config.databaseReadMaxLagMs },
      observeRecent: (from) => metrics.count("homeostat_store_recent_reads_total", { from }),
    });
  };
  const store = await usable(await open());
  metrics.beforeScrape(() => {
    const lag = lagSeconds(store.recent.replica());
    if (lag !== undefined) metrics.set("homeostat_store_replica_lag_seconds", {}, lag);
  });
  return { ...watchWrites(store, { clock, probe: writeProbe }), died };
}

/** Infinite while it is away. */
function lagSeconds(replica: ReplicaState | undefined): number | undefined {
  if (replica === undefined) return undefined;
  return replica.kind === "away" ? Infinity : replica.lagMs / 1000;
}

function writeProbe(): Statement {
  return {
    sql: `INSERT INTO shared_facts (name, value) VALUES ('last-write-probe', ?)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    params: [new Date(clock.now()).toISOString()],
  };
}

/** A database that was moved away, or only half filled by a move, is nobody's to work on. */
async function usable(store: LeaseStore): Promise<LeaseStore> {
  try {
    await requireUsable({ store, nowMs: clock.now(), isOwnerDead: isProcessDead });
    const taker = { owner: processIdentity(), ttlMs: leaseTtlMs, now: clock.now() };
    await openAbandoned(store, { ...taker, isOwnerDead: isProcessDead });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** For reading alone, beside or without a server. Throws DATA_FOLDER_UNUSABLE and STORE_UNAVAILABLE. */
export async function openStateReader(config: DatabaseConfig): Promise<StoreReader> {
  const { databaseUrl: url, databaseReadUrl: readUrl } = config;
  if (url === undefined) return await openSqliteReader(homeAt(config.home).stateDatabase);
  const { openPostgresReader } = await import("../store/postgres/postgres-reader.ts");
  return await openPostgresReader({ url, readUrl, clock, logger: createSilentLogger() });
}

/** How the replica is, by one measurement; undefined where there is none. Never rejects. */
export async function measureReplica(
  config: ServingConfig,
  primary: StoreReader,
): Promise<ReplicaState | undefined> {
  const { databaseReadUrl: url, databaseReadMaxLagMs: maxLagMs } = config;
  if (url === undefined) return undefined;
  const { createReplica } = await import("../store/postgres/postgres-replica.ts");
  const { committedPlace } = await import("../store/postgres/postgres-place.ts");
  const replica = createReplica({ url, clock, maxLagMs, committedUpTo: () => committedPlace(primary) });
  try {
    return await replica.measured;
  } finally {
    replica.close();
  }
}

/** What may be shown of it: the file, or user, host and database of the URL. */
export function databasePlace({ home, databaseUrl }: DatabaseConfig): string {
  return databaseUrl === undefined ? homeAt(home).stateDatabase : placeOf(databaseUrl);
}
