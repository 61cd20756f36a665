import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { until } from "../store/test-things.ts";
import { claimsMigration } from "./claim-columns.ts";
import { runIndexesMigration } from "./run-indexes.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { createRunChanges, runChangesMigration } from "./run-changes.ts";
import { insertRun, projectRun, runsMigration } from "./run-row.ts";

/** Two stores on one database, as two processes have them. */
async function openTwo(): Promise<readonly [Store, Store]> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-changes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const open = (): Promise<Store> =>
    openSqliteStore({
      path: join(folder, "state.db"),
      migrations: [leaseMigration, runsMigration, runChangesMigration, claimsMigration, runIndexesMigration],
      clock,
      logger: createSilentLogger(),
    });
  const [one, other] = [await open(), await open()];
  onTestFinished(async () => {
    await one.close();
    await other.close();
  });
  return [one, other];
}

test("tells of runs that this or another process made or changed, and of none from before", async () => {
  const [here, there] = await openTwo();
  const old = testRun();
  await here.write([insertRun(old, null)]);
  const told: string[] = [];
  const stop = await createRunChanges({ store: here }).subscribe((row) =>
    told.push(`${row.id} ${row.state}`),
  );
  const fresh = testRun();
  await there.write([insertRun(fresh, null)]);
  await until(() => told.length === 1);
  await there.write([projectRun({ ...old, state: "RUNNING", headSeq: 2 }, 1)]);
  await here.write([projectRun({ ...fresh, state: "COMPLETED", headSeq: 2 }, 1)]);
  await until(() => told.length === 3);
  expect(told.toSorted()).toEqual(
    [`${fresh.id} QUEUED`, `${old.id} RUNNING`, `${fresh.id} COMPLETED`].toSorted(),
  );
  stop();
  await here.write([insertRun(testRun(), null)]);
  await clock.sleep(50);
  expect(told).toHaveLength(3);
});

test("goes on when the newest runs were deleted", async () => {
  const [store] = await openTwo();
  const [first, second] = [testRun(), testRun()];
  await store.write([insertRun(first, null), insertRun(second, null)]);
  const told: string[] = [];
  await createRunChanges({ store }).subscribe((row) => told.push(row.id));
  await store.write([{ sql: "DELETE FROM runs WHERE id = ?", params: [second.id] }]);
  await store.write([{ sql: "UPDATE runs SET wake_at_ms = 1 WHERE id = ?", params: [first.id] }]);
  await clock.sleep(50);
  const third = testRun();
  await store.write([insertRun(third, null)]);
  await until(() => told.length === 1);
  expect(told).toEqual([third.id]);
});
