import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Migration, Store } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import { claimsMigration } from "./claim-columns.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { runIndexesMigration, runPlacesMigration } from "./run-indexes.ts";
import { insertRun, runChangesMigration, runsMigration } from "./run-row.ts";

const before = [leaseMigration, runsMigration, runChangesMigration, claimsMigration];
const common = { clock, logger: createSilentLogger() };

test("runs of an older database keep all they have on SQLite, and keys stay unique", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-indexes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await keepsRuns((migrations) => openSqliteStore({ path: join(folder, "state.db"), migrations, ...common }));
});

describe.skipIf(skipsPostgres())("with a server", () => {
  test("runs of an older database keep all they have on PostgreSQL, and keys stay unique", async () => {
    const server = await startTestPostgres();
    onTestFinished(() => server.stop());
    const url = await server.schema("indexes");
    await keepsRuns((migrations) => openPostgresStore({ url, migrations, ...common }));
  });
});

async function keepsRuns(open: (migrations: readonly Migration[]) => Promise<Store>): Promise<void> {
  const older = await open(before);
  await older.write([
    insertRun(testRun(), "key"),
    insertRun(testRun({ wakeAtMs: null, parent: "run_0" }), null),
    {
      sql: "UPDATE runs SET claims = 2, claimed_steps = 1, claimed_at_ms = 3, fault = '{}', progress = '[]' WHERE dedup_key = ?",
      params: ["key"],
    },
  ]);
  const all = "SELECT * FROM runs ORDER BY id";
  const rows = await older.read(all);
  await older.close();
  const newer = await open([...before, runIndexesMigration, runPlacesMigration]);
  try {
    expect(rows).toHaveLength(2);
    expect(await newer.read(all)).toEqual(rows);
    await expect(newer.write([insertRun(testRun(), "key")])).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    await newer.write([insertRun(testRun(), null)]);
    expect(await newer.read(all)).toHaveLength(3);
  } finally {
    await newer.close();
  }
}
