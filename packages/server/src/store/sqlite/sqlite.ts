/** The store on SQLite: a writer thread that commits in groups, and point reads on the main thread. */
import { constants, existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { errorMessage, HomeostatError } from "../../base/error.ts";
import type { Logger } from "../../base/log.ts";
import { createCommitListeners } from "../commit-listeners.ts";
import { openConnection, reading, readRows } from "./connection.ts";
import { openInlineWriter } from "./inline-writer.ts";
import { createLeaseKeeper } from "../lease-keeper.ts";
import type { LeaseStore } from "../lease.ts";
import { sqliteDialect } from "./migrate-sqlite.ts";
import { renderMigrations } from "../migrate.ts";
import { createScanner } from "./scan.ts";
import { checkedValue } from "../sql-value.ts";
import type { Migration, Store } from "../store.ts";
import { startWriter } from "../writer.ts";
import type { Writer, WriterEvents } from "../writer.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder must exist; the file is created, readable by this user alone. */
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Leases are renewed by the system's clock: under a manual one they end once it is moved past their end. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** `full` (default) survives a power cut; `normal` the death of the process, and loses about a second to a power cut: for what can be rebuilt. */
  readonly synchronous?: "full" | "normal";
  /** Batches that may wait for their commit before `write` refuses. Default 50,000: about 50 MB of small batches. */
  readonly maxPendingBatches?: number;
  /** How often commits of other processes are looked for while somebody listens; 0 is never. Default 5: a look takes 2 us. */
  readonly foreignCommitPollMs?: number;
  /** Told of each commit, for metrics. Must not throw. */
  readonly observeCommit?: (commit: { readonly batches: number; readonly durationMs: number }) => void;
  /** Told when nothing can be written any more by this store, whatever happens. Must not throw. */
  readonly onDied?: (why: string) => void;
}

/**
 * Keeps the process alive until it is closed. Throws DATA_FOLDER_UNUSABLE (folder or file not writable, made by a newer version),
 * STORE_UNAVAILABLE (damaged, locked).
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<LeaseStore> {
  const { path, clock, logger } = options;
  await createPrivateFile(path);
  const listeners = createCommitListeners(logger);
  // The keeper comes first, because the thread may die at any time and must then end the leases.
  let line: Writer | undefined;
  const leases = createLeaseKeeper({
    clock,
    startRenewal: (lease) => line?.send({ kind: "hold", lease }),
    endRenewal: (name, epoch) => line?.send({ kind: "drop", name, epoch }),
  });
  const onCommitted: WriterEvents["onCommitted"] = ({ tables, batches, durationMs }) => {
    options.observeCommit?.({ batches, durationMs });
    listeners.notify(tables);
  };
  const thread = await startWriter(
    {
      path,
      migrations: renderMigrations(options.migrations, sqliteDialect),
      synchronous: options.synchronous ?? "full",
      foreignCommitPollMs: options.foreignCommitPollMs ?? 5,
      maxPendingBatches: options.maxPendingBatches ?? 50_000,
    },
    {
      onCommitted,
      onForeignCommit: () => listeners.notifyAll(),
      onLeaseLost: (name, epoch) => leases.lost(name, epoch),
      onDied(why) {
        logger.error({ path, why }, "the database can no longer be written");
        leases.stop();
        options.onDied?.(why);
      },
    },
  );
  line = thread;
  const writer =
    options.synchronous === "normal"
      ? await openBeside(thread, () => openInlineWriter(thread, { path, clock }, onCommitted))
      : thread;
  const reader = await openBeside(writer, () => openConnection({ path, readOnly: true }));
  const scanner = createScanner(() => openConnection({ path, readOnly: true }));
  const read: Store["read"] = async (sql, params = []) => {
    const values = params.map(checkedValue);
    return reading(reader, () => readRows(reader.prepare(sql), values));
  };
  const store: Store = {
    dialect: "sqlite",
    read,
    recent: { read, replica: () => undefined },
    scan: (sql, params = []) => scanner.scan(sql, params),
    write: (batch) => writer.write(batch),
    onCommit(table, listener) {
      const remove = listeners.add(table, listener);
      writer.send({ kind: "watch", on: true });
      return () => {
        remove();
        if (listeners.isEmpty()) writer.send({ kind: "watch", on: false });
      };
    },
    async close() {
      leases.stop();
      await writer.close();
      scanner.close();
      reader.close();
      foldLog(path, logger);
    },
  };
  return { ...store, holdLease: leases.holdLease, dropLease: leases.dropLease };
}

/**
 * Whoever closes last puts the write-ahead log into the file and removes it, unless it may only read, as our readers. A log that
 * stays behind would be played into whatever file is put in the place of this one. While other processes have it open it stays theirs.
 */
function foldLog(path: string, logger: Logger): void {
  // Opening one that was taken away would make an empty one in its place.
  if (!existsSync(path)) return;
  try {
    const database = new DatabaseSync(path);
    database.prepare("SELECT name FROM sqlite_master LIMIT 1").get();
    database.close();
  } catch (error) {
    // Nothing is lost: the next one to open it reads the log.
    logger.warn({ err: error, path }, "the database's log stays beside it");
  }
}

/** Without what `open` opens the writer is of no use, and closed. */
async function openBeside<T>(writer: Pick<Writer, "close">, open: () => T): Promise<T> {
  try {
    return reading(undefined, open);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** SQLite would create it readable by everybody; its log and index files take over this file's mode. */
async function createPrivateFile(path: string): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    await file.close();
  } catch (error) {
    const hints: Readonly<Record<string, string>> = {
      EISDIR: "The path is a folder; name a file in it.",
      ENOENT: "The folder does not exist; create it or give HOMEOSTAT_HOME another one.",
      ENOSPC: "The disk is full; free some space and start again.",
    };
    const hint = hints[String((error as NodeJS.ErrnoException).code)];
    throw new HomeostatError(
      "DATA_FOLDER_UNUSABLE",
      `Cannot use the database ${path}: ${errorMessage(error)}`,
      { path },
      { cause: error, ...(hint === undefined ? {} : { hint }) },
    );
  }
}
