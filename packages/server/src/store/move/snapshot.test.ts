import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import type { LeaseStore } from "../lease.ts";
import { openPostgresStore } from "../postgres/postgres.ts";
import { openPostgresSnapshot, openSqliteSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import { skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import { insertThing, thingMigration } from "../test-things.ts";

async function expectOneMoment(store: LeaseStore, openSnapshot: () => Promise<Snapshot>): Promise<void> {
  const names = Array.from({ length: 1_200 }, (_, index) => `early ${index}`);
  await store.write(names.map((name) => insertThing(name)));
  const snapshot = await openSnapshot();
  await store.write([insertThing("late"), { sql: "DELETE FROM thing WHERE name = 'early 7'" }]);
  const count = "SELECT COUNT(*) AS n FROM thing WHERE name LIKE ?";
  expect(await snapshot.read(count, ["early%"])).toEqual([{ n: 1_200 }]);
  const seen: unknown[] = [];
  for await (const row of snapshot.scan("SELECT name FROM thing")) seen.push(row["name"]);
  expect(seen.sort()).toEqual([...names].sort());
  for await (const row of snapshot.scan("SELECT name FROM thing WHERE name = ?", ["late"])) seen.push(row);
  expect(seen).toHaveLength(1_200);
  await expect(snapshot.read("SELECT * FROM nothing")).rejects.toMatchObject({ code: "INTERNAL" });
  await snapshot.close();
  expect(await store.read(count, ["%"])).toEqual([{ n: 1_200 }]);
}

describe("a snapshot of SQLite", () => {
  test("shows one moment while others write", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeostat-snapshot-"));
    const path = join(folder, "state.db");
    const options = { path, migrations: [thingMigration], clock: systemClock, logger: createSilentLogger() };
    const store = await openSqliteStore(options);
    await expectOneMoment(store, () => openSqliteSnapshot(path));
    await store.close();
    await expect(openSqliteSnapshot(join(folder, "none.db"))).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
    });
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(skipsPostgres())("a snapshot of PostgreSQL", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  test("shows one moment while others write", async () => {
    const url = await server.schema("snapshot");
    const options = { url, migrations: [thingMigration], clock: systemClock, logger: createSilentLogger() };
    const store = await openPostgresStore(options);
    // A statement that fails ends the transaction of PostgreSQL, so it comes last there.
    await expectOneMoment(store, () => openPostgresSnapshot(url));
    await store.close();
    await expect(openPostgresSnapshot("postgres://nobody@127.0.0.1:1/none")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
  });
});
