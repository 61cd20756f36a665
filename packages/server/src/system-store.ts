/** Which database a data folder's state lies in: SQLite in the folder, or PostgreSQL by URL. Opened to serve or to read. */
import type { Config } from "./config-schema.ts";
import { systemClock as clock } from "./base/clock.ts";
import { createSilentLogger } from "./base/log.ts";
import type { Logger } from "./base/log.ts";
import type { Metrics } from "./base/metrics.ts";
import { homeAt } from "./home.ts";
import { migrations } from "./migrations.ts";
import type { LeaseStore } from "./store/lease.ts";
import { requireUsable } from "./store/marks.ts";
import { placeOf } from "./store/postgres-url.ts";
import { isProcessDead } from "./store/process-identity.ts";
import { openSqliteReader } from "./store/sqlite-reader.ts";
import type { StoreReader } from "./store/sqlite-reader.ts";
import { openSqliteStore } from "./store/sqlite.ts";

type DatabaseConfig = Pick<Config, "home" | "databaseUrl" | "databaseReadUrl">;

/** Migrates it too. Throws DATA_FOLDER_UNUSABLE, STORE_UNAVAILABLE, and what `requireUsable` throws after a move. */
export async function openStateStore(
  config: DatabaseConfig,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<LeaseStore> {
  const { databaseUrl: url, databaseReadUrl: readUrl } = config;
  const common = {
    migrations,
    clock,
    logger,
    observeCommit: ({ batches, durationMs }: { batches: number; durationMs: number }) => {
      metrics.observe("homeostat_store_commit_duration_seconds", { database: "state" }, durationMs / 1000);
      metrics.observe("homeostat_store_commit_batches", { database: "state" }, batches);
    },
  };
  if (url === undefined)
    return await usable(await openSqliteStore({ ...common, path: homeAt(config.home).stateDatabase }));
  // The driver takes 30 ms to load, which those who do without need not wait for.
  const { openPostgresStore } = await import("./store/postgres.ts");
  return await usable(await openPostgresStore({ ...common, url, readUrl }));
}

/** A database that was moved away, or only half filled by a move, is nobody's to work on. */
async function usable(store: LeaseStore): Promise<LeaseStore> {
  try {
    await requireUsable({ store, nowMs: clock.now(), isOwnerDead: isProcessDead });
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
  const { openPostgresReader } = await import("./store/postgres-reader.ts");
  return await openPostgresReader({ url, readUrl, clock, logger: createSilentLogger() });
}

/** What may be shown of it: the file, or user, host and database of the URL. */
export function databasePlace({ home, databaseUrl }: DatabaseConfig): string {
  return databaseUrl === undefined ? homeAt(home).stateDatabase : placeOf(databaseUrl);
}
