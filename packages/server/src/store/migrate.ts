/** Brings a database to the schema this version needs: each migration once, in the order of ids, each in one transaction. */
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { Connection } from "./connection.ts";
import type { Migration } from "./store.ts";
import type { WireMigration } from "./wire.ts";

/** A row of `schema_migrations`. */
export interface AppliedMigration {
  readonly id: string;
  readonly digest: string;
}

/**
 * AUTOINCREMENT, so that the number of a deleted row never comes back: readers remember how far they have come.
 * Everything else about the dialects is alike.
 */
export const sqliteTypes: { readonly bytes: string; readonly identity: string } = {
  bytes: "BLOB",
  identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
};

/** Throws INTERNAL when two migrations have the same id. */
export function renderMigrations(
  migrations: readonly Migration[],
  types: { readonly bytes: string; readonly identity: string },
): readonly WireMigration[] {
  const seen = new Set<string>();
  for (const { id } of migrations) {
    if (seen.has(id)) throw new HomeostatError("INTERNAL", `Two migrations have the id ${id}`, { id });
    seen.add(id);
  }
  return migrations
    .map(({ id, statements }) => ({ id, statements: statements(types) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Digest of a migration's text; white space does not count, because formatters move it. */
export function migrationDigest(migration: WireMigration): string {
  return sha256(migration.statements.map((sql) => sql.replace(/\s+/g, " ").trim()).join(";\n"));
}

/**
 * What is still to be done, in order. Throws DATA_FOLDER_UNUSABLE when the database knows a migration that this version
 * does not (a newer version made it), or when the text of an applied one has changed.
 */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  wanted: readonly WireMigration[],
): readonly WireMigration[] {
  const byId = new Map(wanted.map((migration) => [migration.id, migration]));
  for (const { id, digest } of applied) {
    const migration = byId.get(id);
    if (migration === undefined) {
      throw new HomeostatError(
        "DATA_FOLDER_UNUSABLE",
        `the database was made by a newer version: it has the schema change ${id}`,
        { id },
        { hint: "Start the version that made it, or give HOMEOSTAT_HOME another folder." },
      );
    }
    if (migrationDigest(migration) !== digest) {
      throw new HomeostatError(
        "DATA_FOLDER_UNUSABLE",
        `the database was made by a different build: its schema change ${id} has another text`,
        { id },
        { hint: "Start the version that made it, or give HOMEOSTAT_HOME another folder." },
      );
    }
  }
  const done = new Set(applied.map(({ id }) => id));
  return wanted.filter(({ id }) => !done.has(id));
}

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
