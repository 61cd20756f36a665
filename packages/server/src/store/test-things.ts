/** The tables and small helpers that the contract tests of stores share. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Migration, Row, Statement, Store } from "./store.ts";

export const thingMigration: Migration = {
  id: "0001-thing",
  statements: ({ bytes, identity }) => [
    `CREATE TABLE thing (name TEXT PRIMARY KEY, amount BIGINT NOT NULL, ratio DOUBLE PRECISION, body ${bytes})`,
    `CREATE TABLE event (id ${identity}, name TEXT NOT NULL)`,
  ],
};
export function insertThing(name: string, amount = 1): Statement {
  return { sql: "INSERT INTO thing (name, amount) VALUES (?, ?)", params: [name, amount] };
}

export async function thingNames(store: Store): Promise<readonly unknown[]> {
  return (await store.read("SELECT name FROM thing ORDER BY name")).map((row) => row["name"]);
}

export function plain(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row }));
}

/** Polls, because listeners may be called late. */
export async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Where programs that tests start keep their compiled code: their homes are new each time, and would each compile it again. */
export const compiledFolder: string = join(tmpdir(), "homeostat-compiled-for-tests");
