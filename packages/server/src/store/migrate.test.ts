import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openConnection } from "./sqlite/connection.ts";
import type { Connection } from "./sqlite/connection.ts";
import { migrateSqlite, sqliteDialect } from "./sqlite/migrate-sqlite.ts";
import { migrationDigest, pendingMigrations, renderMigrations } from "./migrate.ts";
import type { Migration } from "./store.ts";
import type { WireMigration } from "./wire.ts";

const first: WireMigration = { id: "0001-a", statements: ["CREATE TABLE a (x INTEGER)"] };
const second: WireMigration = {
  id: "0002-b",
  statements: ["CREATE TABLE b (x INTEGER)", "INSERT INTO a VALUES (1)"],
};

describe("renderMigrations", () => {
  test("makes the text for the dialect and sorts by id", () => {
    const migrations: Migration[] = [
      { id: "0002", statements: ({ bytes }) => [bytes] },
      { id: "0001", statements: ({ identity }) => [identity] },
    ];
    expect(
      renderMigrations(migrations, { bytes: "BYTEA", identity: "SERIAL", numberRows: () => [] }),
    ).toEqual([
      { id: "0001", statements: ["SERIAL"] },
      { id: "0002", statements: ["BYTEA"] },
    ]);
  });

  test("refuses two with one id", () => {
    const migration: Migration = { id: "0001", statements: () => [] };
    expect(() => renderMigrations([migration, { ...migration }], sqliteDialect)).toThrow(/0001/);
  });
});

describe("pendingMigrations", () => {
  const applied = (migration: WireMigration): { id: string; digest: string } => ({
    id: migration.id,
    digest: migrationDigest(migration),
  });

  test("are those that were not applied, also when they lie before one that was", () => {
    expect(pendingMigrations([applied(second)], [first, second])).toEqual([first]);
    expect(pendingMigrations([applied(first), applied(second)], [first, second])).toEqual([]);
  });

  test("do not change with white space, but with every other change of the text", () => {
    const moved = { ...first, statements: ["CREATE  TABLE a\n(x INTEGER) "] };
    expect(pendingMigrations([applied(moved)], [first])).toEqual([]);
    const changed = { ...first, statements: ["CREATE TABLE a (x TEXT)"] };
    expect(() => pendingMigrations([applied(changed)], [first])).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_UNUSABLE", data: { id: "0001-a" } }),
    );
  });

  test("cannot be told for a database of a newer version", () => {
    expect(() => pendingMigrations([applied(second)], [first])).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_UNUSABLE", data: { id: "0002-b" } }),
    );
  });
});

describe("migrateSqlite", () => {
  let folder: string;
  let connection: Connection;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeostat-migrate-"));
    connection = openConnection({ path: join(folder, "state.db"), readOnly: false });
  });
  afterEach(() => {
    connection.close();
    rmSync(folder, { recursive: true });
  });
  const tables = (): unknown[] =>
    connection.database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map((row) => row["name"]);

  test("runs each once, in order, and writes down when", () => {
    migrateSqlite(connection, [first, second], 1234);
    migrateSqlite(connection, [first, second], 5678);
    expect(tables()).toEqual(["a", "b", "schema_migrations"]);
    expect(connection.database.prepare("SELECT count(*) AS n FROM a").get()?.["n"]).toBe(1);
    const rows = connection.database
      .prepare("SELECT id, applied_at FROM schema_migrations ORDER BY id")
      .all();
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { id: "0001-a", applied_at: 1234 },
      { id: "0002-b", applied_at: 1234 },
    ]);
  });

  test("undoes a migration that fails half-way and keeps those before it", () => {
    const broken = { id: "0002-b", statements: ["CREATE TABLE b (x INTEGER)", "nonsense"] };
    expect(() => migrateSqlite(connection, [first, broken], 1)).toThrow(/syntax error/);
    expect(tables()).toEqual(["a", "schema_migrations"]);
    migrateSqlite(connection, [first, second], 2);
    expect(tables()).toEqual(["a", "b", "schema_migrations"]);
  });

  test("leaves to another process what that one has just applied", () => {
    const other = `INSERT INTO schema_migrations VALUES ('${second.id}', 0, '${migrationDigest(second)}')`;
    migrateSqlite(connection, [{ ...first, statements: [other] }, second], 1);
    expect(tables()).toEqual(["schema_migrations"]);
  });

  test("refuses the database of a newer version, and leaves it as it is", () => {
    migrateSqlite(connection, [first, second], 1);
    expect(() => migrateSqlite(connection, [first], 2)).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_UNUSABLE", data: { id: "0002-b" } }),
    );
    expect(connection.database.isTransaction).toBe(false);
    expect(tables()).toEqual(["a", "b", "schema_migrations"]);
  });

  test("leaves the database of another program alone", () => {
    connection.database.exec("CREATE TABLE bookmarks (x)");
    expect(() => migrateSqlite(connection, [first], 1)).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_UNUSABLE" }),
    );
    expect(tables()).toEqual(["bookmarks"]);
  });
});
