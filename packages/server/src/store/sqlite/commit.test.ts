import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitBatches, tryCommitBatches } from "./commit.ts";
import { openConnection, readRows } from "./connection.ts";
import type { Connection } from "./connection.ts";
import type { WireBatch } from "../wire.ts";

let folder: string;
let connection: Connection;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-commit-"));
  connection = openConnection({ path: join(folder, "state.db"), readOnly: false });
  connection.database.exec("CREATE TABLE thing (name TEXT PRIMARY KEY, body TEXT)");
  connection.database.exec(
    "CREATE TABLE part (thing TEXT REFERENCES thing (name) DEFERRABLE INITIALLY DEFERRED)",
  );
});
afterEach(() => {
  connection.close();
  rmSync(folder, { recursive: true });
});

const insert = (name: string, body = ""): WireBatch => [
  ["INSERT INTO thing VALUES (?, ?)", [name, body], null],
];
const names = (): unknown[] =>
  connection.database
    .prepare("SELECT name FROM thing ORDER BY name")
    .all()
    .map((row) => row["name"]);

describe("a commit", () => {
  test("to a table that is closed by a trigger fails as one to a database that cannot be written", () => {
    const lock =
      "CREATE TRIGGER closed BEFORE INSERT ON thing BEGIN SELECT RAISE(ABORT, 'it is closed'); END";
    connection.database.exec(lock);
    const { outcomes } = commitBatches(connection, [insert("a"), insert("b")]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        kind: "unavailable",
        message: expect.stringContaining("it is closed") as string,
      });
    expect(names()).toEqual([]);
  });

  test("that cannot even begin is told, unless another only holds the lock", () => {
    const other = openConnection({ path: join(folder, "state.db"), readOnly: false });
    connection.database.exec("PRAGMA busy_timeout = 0");
    other.database.exec("BEGIN IMMEDIATE");
    expect(tryCommitBatches(connection, [insert("a")])).toBeUndefined();
    other.close();
    connection.database.exec("BEGIN");
    expect(tryCommitBatches(connection, [insert("a")])?.outcomes).toMatchObject([
      { kind: "unavailable", message: expect.stringContaining("within a transaction") as string },
    ]);
    expect(connection.database.isTransaction).toBe(false);
  });

  test("keeps the good batches and undoes the bad ones, each with its reason", () => {
    const { outcomes, tables } = commitBatches(connection, [
      insert("a"),
      [...insert("b"), ...insert("a")],
      [...insert("c"), ["DELETE FROM thing WHERE name = ?", ["x"], 1]],
      [...insert("d"), ["DELETE FROM nowhere", [], null]],
      insert("e"),
    ]);
    expect(outcomes).toMatchObject([
      [1],
      { kind: "unique", statement: 1 },
      { kind: "guard", statement: 1, rows: 0 },
      { kind: "mistake", statement: 1, message: expect.stringContaining("no such table") as string },
      [1],
    ]);
    expect(names()).toEqual(["a", "e"]);
    expect(tables).toEqual(["thing"]);
  });

  test("that finds the disk full keeps nothing of any batch, and the next one works when there is room", () => {
    commitBatches(connection, [insert("before")]);
    const pages = connection.database.prepare("PRAGMA page_count").get()?.["page_count"];
    connection.database.exec(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    const { outcomes, tables } = commitBatches(connection, [
      insert("small"),
      insert("large", "x".repeat(100_000)),
      insert("after"),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toEqual({ kind: "unavailable", message: "database or disk is full (SQLite code 13)" });
    }
    expect(tables).toEqual([]);
    expect(names()).toEqual(["before"]);
    connection.database.exec("PRAGMA max_page_count = 1000000");
    expect(commitBatches(connection, [insert("large", "x".repeat(100_000))]).outcomes).toEqual([[1]]);
  });

  test("that cannot get the lock is refused whole", () => {
    const other = openConnection({ path: join(folder, "state.db"), readOnly: false });
    other.database.exec("BEGIN IMMEDIATE");
    connection.database.exec("PRAGMA busy_timeout = 10");
    const { outcomes } = commitBatches(connection, [insert("a"), insert("b")]);
    expect(outcomes).toMatchObject([{ kind: "unavailable" }, { kind: "unavailable" }]);
    other.database.exec("ROLLBACK");
    other.close();
    expect(commitBatches(connection, [insert("a")]).outcomes).toEqual([[1]]);
  });

  test("that breaks a deferred constraint is undone whole", () => {
    const { outcomes } = commitBatches(connection, [
      insert("a"),
      [["INSERT INTO part VALUES (?)", ["nothing"], null]],
    ]);
    expect(outcomes).toMatchObject([{ kind: "unavailable" }, { kind: "unavailable" }]);
    expect(names()).toEqual([]);
  });

  test("is undone whole by a statement that ends the transaction by itself", () => {
    const { outcomes } = commitBatches(connection, [
      insert("a"),
      [["INSERT OR ROLLBACK INTO thing VALUES (?, ?)", ["a", ""], null]],
      insert("b"),
    ]);
    expect(outcomes.map((outcome) => "kind" in outcome && outcome.kind)).toEqual(
      Array(3).fill("unavailable"),
    );
    expect(names()).toEqual([]);
  });

  test("wakes for the tables that rows went into, not for those that were only named", () => {
    const { tables } = commitBatches(connection, [
      [["UPDATE thing SET body = ? WHERE name = ?", ["", "x"], null]],
      [["INSERT INTO thing VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING name", ["a", ""], 1]],
    ]);
    expect(tables).toEqual(["thing"]);
  });
});

describe("a connection", () => {
  test("refuses a text of two statements, transaction control, and a wrong number of parameters", () => {
    expect(() => connection.prepare("SELECT 1; SELECT 2")).toThrow(/one statement/);
    expect(() => connection.prepare("COMMIT")).toThrow(/belong to the store/);
    expect(() => readRows(connection.prepare("SELECT ?"), [])).toThrow(/takes 1 parameters, got 0/);
    expect(connection.prepare("SELECT 1;\n").returnsRows).toBe(true);
  });

  test("syncs every commit unless told otherwise, and enforces foreign keys", () => {
    const pragma = (name: string): unknown => connection.database.prepare(`PRAGMA ${name}`).get()?.[name];
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("foreign_keys")).toBe(1);
    expect(pragma("journal_mode")).toBe("wal");
    const cache = openConnection({ path: join(folder, "cache.db"), readOnly: false, synchronous: "normal" });
    expect(cache.database.prepare("PRAGMA synchronous").get()?.["synchronous"]).toBe(1);
    cache.close();
    cache.close();
  });

  test("keeps statements by their text, and a bounded number of them", () => {
    const first = connection.prepare("SELECT 0");
    expect(connection.prepare("SELECT 0")).toBe(first);
    for (let index = 1; index <= 1000; index += 1) connection.prepare(`SELECT ${index}`);
    expect(connection.prepare("SELECT 0")).not.toBe(first);
    expect(connection.prepare("SELECT 0").statement.get()).toEqual({ "0": 0 });
  });
});
