/** Copies of whole databases into single files, from SQLite and from PostgreSQL, while others write. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { changeCopy, copySnapshot, copySqliteFile, digestDatabase } from "./copy-database.ts";
import { leaseMigration } from "../lease.ts";
import { marksMigration } from "../marks.ts";
import { openPostgresStore } from "../postgres/postgres.ts";
import { openPostgresSnapshot } from "./snapshot.ts";
import { closeForWriters } from "./source-lock.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import { skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import { insertThing, thingMigration } from "../test-things.ts";

const common = { migrations: [thingMigration], clock, logger: createSilentLogger() };
let folder: string;
let to: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-copy-"));
  to = join(folder, "copy.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const count = async (path: string): Promise<unknown> =>
  (await digestDatabase(path)).map(({ name, rows }) => `${name} ${rows}`);

test("a file is copied as of one moment, and its copy is one file that can be changed", async () => {
  const from = join(folder, "state.db");
  const store = await openSqliteStore({ ...common, path: from });
  await store.write([insertThing("before")]);
  const copying = copySqliteFile(from, to);
  await store.write([insertThing("meanwhile")]);
  await copying;
  await changeCopy({ ...common, to }, [{ sql: "INSERT INTO event (name) VALUES ('copied')" }]);
  expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).toEqual(["copy.db"]);
  expect(await count(to)).toEqual(["event 1", expect.stringMatching(/^thing [12]$/)]);
  await store.close();
});

test("a copy of a database that was being moved away can be written again", async () => {
  const from = join(folder, "state.db");
  const migrations = [thingMigration, leaseMigration, marksMigration];
  const store = await openSqliteStore({ ...common, migrations, path: from });
  await store.write(await closeForWriters(store, "elsewhere"));
  await copySqliteFile(from, to);
  await changeCopy({ ...common, migrations, to }, [insertThing("after")]);
  expect(await count(to)).toContain("thing 1");
  await expect(store.write([insertThing("here")])).rejects.toThrow("its content goes to elsewhere");
  await store.close();
});

test("what is no database cannot be copied", async () => {
  const from = join(folder, "state.db");
  writeFileSync(from, "x".repeat(10_000));
  await expect(copySqliteFile(from, to)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", data: { from } });
});

describe.skipIf(skipsPostgres())("a copy of a schema", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  test("holds every row and goes on with its numbers", async () => {
    const url = await server.schema("copied");
    const store = await openPostgresStore({ ...common, url });
    await store.write([
      insertThing("a"),
      insertThing("b"),
      { sql: "INSERT INTO event (name) VALUES ('one')" },
    ]);
    await store.write([{ sql: "INSERT INTO event (name) VALUES ('two')" }, { sql: "DELETE FROM event" }]);
    const snapshot = await openPostgresSnapshot(url);
    await store.write([insertThing("later")]);
    const progress: string[] = [];
    await copySnapshot({ ...common, snapshot, to, onProgress: (text) => progress.push(text) });
    await snapshot.close();
    await store.close();
    expect(progress).toEqual(["event: 0 rows", "thing: 2 rows"]);
    const copy = await openSqliteStore({ ...common, path: to });
    const [result] = await copy.write([{ sql: "INSERT INTO event (name) VALUES ('next') RETURNING id" }]);
    expect(result?.rows).toEqual([{ id: 3 }]);
    await copy.close();
  });

  test("is refused where a table is built otherwise", async () => {
    const url = await server.schema("other");
    const store = await openPostgresStore({ ...common, url });
    await server.run("ALTER TABLE other.thing ADD COLUMN colour TEXT");
    const snapshot = await openPostgresSnapshot(url);
    await expect(
      copySnapshot({ ...common, snapshot, to, onProgress: () => undefined }),
    ).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", data: { table: "thing" } });
    await snapshot.close();
    await store.close();
  });
});
