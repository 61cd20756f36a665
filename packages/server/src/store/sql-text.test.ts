import { describe, expect, test } from "vitest";
import { controlsTransaction, countParameters, filledTables, numberParameters } from "./sql-text.ts";

test.each([
  ["SELECT 1", 0],
  ["SELECT ?, ? FROM t WHERE a=? -- and ?", 3],
  ["SELECT 'it''s ? ', \"odd?\"\"name\", /* ?\n ? */ ?", 1],
  ["SELECT '--', ?", 1],
  ["SELECT 1 -- ?\n, ?", 1],
  ["", 0],
])("countParameters(%j) is %i", (sql, count) => {
  expect(countParameters(sql)).toBe(count);
});

test("numberParameters numbers each parameter and nothing else", () => {
  const sql = "SELECT 'it''s ? $&', \"odd?\" /* ? */ FROM t WHERE a = ? AND b IN (?,?) -- ?";
  expect(numberParameters(sql)).toEqual({
    text: "SELECT 'it''s ? $&', \"odd?\" /* ? */ FROM t WHERE a = $1 AND b IN ($2,$3) -- ?",
    count: 3,
  });
});

describe("filledTables", () => {
  test.each([
    ["INSERT INTO run (id) VALUES (?)", ["run"]],
    ["insert or ignore\n into Run (id) values (?)", ["run"]],
    ['INSERT INTO "Run" VALUES (?)', ["run"]],
    ["REPLACE INTO run VALUES (?)", ["run"]],
    ["UPDATE run SET state = ?", ["run"]],
    ["UPDATE OR IGNORE run SET state = ?", ["run"]],
    ["INSERT INTO run VALUES (?) ON CONFLICT (id) DO UPDATE SET state = ?", ["run"]],
    ["WITH x AS (SELECT 1) INSERT INTO run SELECT * FROM x", ["run"]],
    ["DELETE FROM run", []],
    ["SELECT 'INSERT INTO run' -- UPDATE run\n", []],
  ])("of %j are %j", (sql, tables) => {
    expect(filledTables(sql)).toEqual(tables);
  });
});

test("statements about transactions and connections are told apart from those about rows", () => {
  for (const sql of [
    "COMMIT",
    " begin immediate",
    "rollback to x",
    "PRAGMA foreign_keys = 0",
    "VACUUM INTO ?",
  ]) {
    expect(controlsTransaction(sql)).toBe(true);
  }
  for (const sql of [
    "SELECT 1",
    "UPDATE release SET a = 1",
    "ENDLESS",
    "WITH begin AS (SELECT 1) SELECT 1",
  ]) {
    expect(controlsTransaction(sql)).toBe(false);
  }
});
