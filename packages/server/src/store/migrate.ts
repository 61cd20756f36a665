/** Which migrations a database still needs to have the schema of this version: each once, in the order of ids. Pure. */
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { Dialect, Migration } from "./store.ts";
import type { WireMigration } from "./wire.ts";

/** A row of `schema_migrations`. */
export interface AppliedMigration {
  readonly id: string;
  readonly digest: string;
}

/** Throws INTERNAL when two migrations have the same id. */
export function renderMigrations(
  migrations: readonly Migration[],
  dialect: Dialect,
): readonly WireMigration[] {
  const seen = new Set<string>();
  for (const { id } of migrations) {
    if (seen.has(id)) throw new HomeostatError("INTERNAL", `Two migrations have the id ${id}`, { id });
    seen.add(id);
  }
  return migrations
    .map(({ id, statements }) => ({ id, statements: statements(dialect) }))
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
