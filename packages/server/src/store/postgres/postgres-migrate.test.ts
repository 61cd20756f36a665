import { expect, test } from "vitest";
import { renderPostgresMigrations } from "./postgres-migrate.ts";

function render(...statements: readonly string[]): readonly string[] {
  return renderPostgresMigrations([{ id: "0001-a", statements: () => statements }])[0]!.statements;
}

test("texts compare by their bytes and whole numbers have eight of them", () => {
  expect(render("CREATE TABLE a (b TEXT NOT NULL, c INTEGER, d text)")).toEqual([
    'CREATE TABLE a (b TEXT COLLATE "C" NOT NULL, c BIGINT, d TEXT COLLATE "C")',
  ]);
  expect(render("ALTER TABLE a ADD COLUMN e INTEGER NOT NULL DEFAULT 0")).toEqual([
    "ALTER TABLE a ADD COLUMN e BIGINT NOT NULL DEFAULT 0",
  ]);
});

test("a column that is called like a type keeps its name, and so do words in comments, literals and other statements", () => {
  expect(render("CREATE TABLE a (text TEXT NOT NULL, -- text\n b TEXT DEFAULT 'text')")).toEqual([
    `CREATE TABLE a (text TEXT COLLATE "C" NOT NULL, -- text\n b TEXT COLLATE "C" DEFAULT 'text')`,
  ]);
  expect(render("CREATE INDEX a_text ON a (text)")).toEqual(["CREATE INDEX a_text ON a (text)"]);
});
