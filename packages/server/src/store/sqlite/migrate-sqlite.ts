/** Brings a SQLite database to the schema this version needs: each migration in one transaction. */
import { HomeostatError } from "../../base/error.ts";
import type { Connection } from "./connection.ts";
import { migrationDigest, pendingMigrations } from "../migrate.ts";
import type { AppliedMigration } from "../migrate.ts";
import type { Dialect } from "../store.ts";
import type { WireMigration } from "../wire.ts";

/**
 * AUTOINCREMENT, so that the number of a deleted row never comes back: readers remember how far they have come.
 * Everything else about the dialects is alike.
 */
export const sqliteDialect: Dialect = {
  bytes: "BLOB",
  identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
  numberRows: () => [],
};

/** Throws as `pendingMigrations`, and SQLite's errors. Safe when several processes open the same file at once. */
export function migrateSqlite(
  { database }: Connection,
  wanted: readonly WireMigration[],
  nowMs: number,
): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    requireOwnDatabase();
    database.exec(
      "CREATE TABLE IF NOT EXISTS schema_migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, digest TEXT NOT NULL)",
    );
    database.exec("COMMIT");
    for (const { id } of pending()) applyOne(id);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }

  function pending(): readonly WireMigration[] {
    const applied = database.prepare("SELECT id, digest FROM schema_migrations ORDER BY id").all();
    return pendingMigrations(applied as unknown as readonly AppliedMigration[], wanted);
  }

  function applyOne(id: string): void {
    database.exec("BEGIN IMMEDIATE");
    // Another process may have applied it between our look and the lock.
    const migration = pending().find((candidate) => candidate.id === id);
    if (migration !== undefined) {
      for (const sql of migration.statements) database.exec(sql);
      database
        .prepare("INSERT INTO schema_migrations (id, applied_at, digest) VALUES (?, ?, ?)")
        .run(id, BigInt(nowMs), migrationDigest(migration));
    }
    database.exec("COMMIT");
  }

  /** A mistyped path must not grow our tables in somebody else's database. */
  function requireOwnDatabase(): void {
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    if (names.length === 0 || names.some((row) => row["name"] === "schema_migrations")) return;
    throw new HomeostatError(
      "DATA_FOLDER_UNUSABLE",
      "the file is the database of another program",
      {},
      {
        hint: "Give HOMEOSTAT_HOME another folder.",
      },
    );
  }
}
