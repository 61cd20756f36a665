/** The store on PostgreSQL: a thread that commits in groups and renews leases, and a pool of connections to read with. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { createCommitListeners } from "../commit-listeners.ts";
import { createLeaseKeeper } from "../lease-keeper.ts";
import type { LeaseStore } from "../lease.ts";
import { renderPostgresMigrations } from "./postgres-migrate.ts";
import { createPostgresReads } from "./postgres-reader.ts";
import { createRecentReads } from "./postgres-recent.ts";
import type { PostgresRecentReads } from "./postgres-recent.ts";
import { createPostgresScanner } from "./postgres-scan.ts";
import { placeOf } from "./postgres-url.ts";
import type { Migration, Store } from "../store.ts";
import { startWriterThread } from "../writer.ts";
import type { Writer } from "../writer.ts";

export interface PostgresStoreOptions {
  /**
   * `postgres://user:password@host:port/database`, with TLS as its parameters say (sslmode, sslrootcert, sslcert, sslkey).
   * The store keeps to the first schema of the search_path: `?options=-c%20search_path%3Dhomeostat` gives it its own.
   * Between may be a pooler only if it pools sessions, not transactions.
   */
  readonly url: string;
  readonly migrations: readonly Migration[];
  /** Leases are renewed by the system's clock: under a manual one they end once it is moved past their end. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** A streaming replica, from which scans and recent reads come once it shows all they must show. */
  readonly readUrl?: string | undefined;
  /** Further behind than this it serves no recent reads, and none waits longer for it. Default 250. */
  readonly replicaMaxLagMs?: number | undefined;
  /** Batches that may wait for their commit before `write` refuses. Default 50,000: about 50 MB of small batches. */
  readonly maxPendingBatches?: number;
  /** Told of each commit, for metrics. Must not throw. */
  readonly observeCommit?: (commit: { readonly batches: number; readonly durationMs: number }) => void;
  /** Told where each recent read came from, for metrics. Must not throw. */
  readonly observeRecent?: ((from: "primary" | "replica") => void) | undefined;
  /** Told when nothing can be written any more by this store, whatever happens. Must not throw. */
  readonly onDied?: (why: string) => void;
}

/**
 * Keeps the process alive until it is closed. Throws STORE_UNAVAILABLE with a hint: unreachable, refused (password,
 * permission), older than PostgreSQL 13, a replica, another program's schema, made by a newer version. A connection lost later
 * is made anew; until then everything is refused, and a batch in flight is refused too, even if its commit may have been made.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<LeaseStore> {
  const { url, clock, logger } = options;
  const place = placeOf(url);
  const listeners = createCommitListeners(logger);
  // Tables of others' commits since somebody last began to listen: who begins just after a commit is told of it.
  const unheard = new Set<string>();
  let line: Writer | undefined;
  const leases = createLeaseKeeper({
    clock,
    startRenewal: (lease) => line?.send({ kind: "hold", lease }),
    endRenewal: (name, epoch) => line?.send({ kind: "drop", name, epoch }),
  });
  let recent: PostgresRecentReads | undefined;
  const writer = await startWriterThread(
    {
      program: {
        name: "postgres-writer-thread",
        options: { url, migrations: renderPostgresMigrations(options.migrations), instance: randomUUID() },
      },
      maxPendingBatches: options.maxPendingBatches ?? 50_000,
      about: { database: place },
    },
    {
      onCommitted({ tables, batches, durationMs }) {
        recent?.noteCommit();
        options.observeCommit?.({ batches, durationMs });
        listeners.notify(tables);
      },
      onForeignCommit(tables) {
        recent?.noteCommit();
        if (tables === undefined) return listeners.notifyAll();
        for (const table of tables) unheard.add(table);
        listeners.notify(tables);
      },
      onLeaseLost: (name, epoch) => leases.lost(name, epoch),
      onDied(why) {
        logger.error({ database: place, why }, "the database can no longer be written");
        leases.stop();
        options.onDied?.(why);
      },
    },
  );
  line = writer;
  const reader = createPostgresReads(url, logger);
  const { readUrl } = options;
  const { committedUpTo } = reader;
  const fromReplica = (recent = createRecentReads({
    ...{ readUrl, clock, primary: reader },
    maxLagMs: options.replicaMaxLagMs ?? 250,
    observe: options.observeRecent,
  }));
  const mayAskReplica = (): boolean => fromReplica.replica()?.kind === "following";
  const scanner = createPostgresScanner({ url, readUrl, clock, committedUpTo, mayAskReplica });
  const store: Store = {
    dialect: "postgres",
    read: reader.read,
    recent: fromReplica,
    scan: (sql, params = []) => scanner.scan(sql, params),
    write: (batch) => writer.write(batch),
    onCommit(table, listener) {
      const remove = listeners.add(table, listener);
      if (unheard.delete(table.toLowerCase())) queueMicrotask(() => listeners.notify([table.toLowerCase()]));
      return remove;
    },
    async close() {
      leases.stop();
      await writer.close();
      fromReplica.close();
      scanner.close();
      await reader.close();
    },
  };
  return { ...store, holdLease: leases.holdLease, dropLease: leases.dropLease };
}
