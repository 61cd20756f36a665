/** A copy of a whole database, as of one moment, in a new SQLite file, while others go on writing to it. */
import { backup, DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { errorMessage, HomeostatError } from "../../base/error.ts";
import { createSilentLogger } from "../../base/log.ts";
import { copyTable, digestTable } from "./copy-table.ts";
import { quoted } from "../sql-text.ts";
import type { RowSet } from "./copy-table.ts";
import { continueAfter, lastNumber } from "./number-sequences.ts";
import { openForWriters } from "./source-lock.ts";
import { openSqliteSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import type { Migration, Statement } from "../store.ts";
import { isNumbered, listTables } from "./tables.ts";

/** In one step: in several, SQLite would begin anew after each foreign commit and never end under load. */
const allPages = 2 ** 31 - 1;

/** By SQLite's own backup, in another thread. Throws STORE_UNAVAILABLE (disk full, source damaged). */
export async function copySqliteFile(from: string, to: string): Promise<void> {
  try {
    const source = new DatabaseSync(from, { readOnly: true, timeout: 15_000 });
    try {
      await backup(source, to, { rate: allPages });
    } finally {
      source.close();
    }
  } catch (error) {
    const text = `The database ${from} cannot be copied: ${errorMessage(error)}`;
    throw new HomeostatError("STORE_UNAVAILABLE", text, { from, to }, { cause: error });
  }
}

export interface CopySnapshotOptions {
  readonly snapshot: Snapshot;
  readonly to: string;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  /** Must not throw. */
  readonly onProgress: (text: string) => void;
}

/** Row by row, from PostgreSQL. Throws STORE_UNAVAILABLE, also when the schema is not this version's. */
export async function copySnapshot(options: CopySnapshotOptions): Promise<void> {
  const { snapshot, to, onProgress } = options;
  const target = await openSqliteStore({ ...options, path: to, logger: createSilentLogger() });
  try {
    const tables = await listTables(snapshot);
    const built = new Set((await listTables(target)).map(({ name, columns }) => `${name} ${columns.join()}`));
    const other = tables.find(({ name, columns }) => !built.has(`${name} ${columns.join()}`));
    if (other !== undefined) {
      const text = `The table ${other.name} is not built as this version builds it`;
      const hint = "Start this version once, so that it brings the schema up to date, and try again.";
      throw new HomeostatError("STORE_UNAVAILABLE", text, { table: other.name }, { hint });
    }
    for (const table of tables) {
      await target.write([{ sql: `DELETE FROM ${quoted(table.name)}` }]);
      const set = await copyTable(table, { source: snapshot, target, onRows: () => undefined });
      onProgress(`${table.name}: ${set.rows} rows`);
      if (isNumbered(table))
        await target.write(continueAfter("sqlite", table, await lastNumber(snapshot, table)));
    }
  } finally {
    await target.close();
  }
}

/** Changes a copy that nobody else uses, and leaves it as a single file. Throws STORE_UNAVAILABLE. */
export async function changeCopy(
  options: Pick<CopySnapshotOptions, "to" | "migrations" | "clock">,
  statements: readonly Statement[],
): Promise<void> {
  const store = await openSqliteStore({ ...options, path: options.to, logger: createSilentLogger() });
  try {
    // One of a database that was being moved away is closed as that was.
    await store.write([...(await openForWriters(store)), ...statements]);
  } finally {
    await store.close();
  }
  const database = new DatabaseSync(options.to);
  try {
    // Without a write-ahead log the file can be read where nobody may write, and nothing belongs to it but itself.
    database.exec("PRAGMA journal_mode = DELETE");
  } finally {
    database.close();
  }
}

/** Counts and digests of every table. */
export async function digestDatabase(path: string): Promise<readonly (RowSet & { readonly name: string })[]> {
  const snapshot = await openSqliteSnapshot(path);
  try {
    const sets: (RowSet & { readonly name: string })[] = [];
    for (const table of await listTables(snapshot))
      sets.push({ name: table.name, ...(await digestTable(table, snapshot)) });
    return sets;
  } finally {
    await snapshot.close();
  }
}
