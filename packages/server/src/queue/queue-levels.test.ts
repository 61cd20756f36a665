import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import { createClaims } from "./claim.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { noLimits } from "./limits.ts";
import { queueMigrations } from "./migrations.ts";
import { readQueueLevels } from "./queue-levels.ts";
import { insertRun } from "./run-row.ts";

const migrations = [leaseMigration, ...queueMigrations];
const logger = createSilentLogger();
const t0 = 1_700_000_000_000;

describeLevels("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-levels-"));
  const store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
  return { store, close: () => store.close().then(() => rm(folder, { recursive: true })) };
});

describe.skipIf(skipsPostgres())("with a server", () => {
  describeLevels("PostgreSQL", async () => {
    const server = await startTestPostgres();
    const url = await server.schema("levels");
    const store = await openPostgresStore({ url, migrations, clock, logger });
    return { store, close: () => store.close().then(() => server.stop()) };
  });
});

function describeLevels(name: string, open: () => Promise<{ store: Store; close(): Promise<void> }>): void {
  describe(`the levels of the queue on ${name}`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ store, close } = await open());
      await store.write(
        [
          testRun({ wakeAtMs: t0 - 9_000, priority: "high", workflowName: "mail" }),
          testRun({ wakeAtMs: t0 - 5_000, workflowName: "mail" }),
          testRun({ wakeAtMs: t0 - 7_000, workflowName: "audit" }),
          testRun({ wakeAtMs: t0 + 60_000, priority: "low", workflowName: "audit" }),
          testRun({ wakeAtMs: null, state: "WAITING", workflowName: "audit" }),
          testRun({ wakeAtMs: t0 - 90_000, tenant: "other", workflowName: "mail" }),
        ].map((row) => insertRun(row, null)),
      );
    }, 60_000);
    afterAll(() => close());

    test("count what is due, what comes later and what is held, for one tenant", async () => {
      const before = await readQueueLevels(store, { tenant: "default", limits: noLimits, nowMs: t0 });
      expect(before.limits).toEqual([]);
      expect(before.lanes).toEqual([
        { priority: "high", due: 1, later: 0, held: 0, oldestDueAtMs: t0 - 9_000 },
        { priority: "normal", due: 2, later: 0, held: 0, oldestDueAtMs: t0 - 7_000 },
        { priority: "low", due: 0, later: 1, held: 0, oldestDueAtMs: null },
      ]);
    });

    test("say which workflow is full once a worker holds as many as it may", async () => {
      const limits = {
        tenants: { default: { rate: { count: 5, windowMs: 60_000 } } },
        workflows: { "*": { concurrency: 1 }, audit: { concurrency: 4 } },
      };
      const claims = createClaims(store, { owner: "a", leaseTtlMs: 30_000, limits, agingMs: 0 });
      await claims.take(1, t0);
      const { lanes, limits: levels } = await readQueueLevels(store, {
        tenant: "default",
        limits,
        nowMs: t0,
      });
      expect(lanes[0]).toEqual({ priority: "high", due: 0, later: 0, held: 1, oldestDueAtMs: null });
      expect(levels).toEqual([
        {
          scope: "tenant",
          name: "default",
          limit: { concurrency: undefined, rate: { count: 5, windowMs: 60_000 } },
          held: 1,
          begun: 1,
          due: 2,
        },
        {
          scope: "workflow",
          name: "audit",
          limit: { concurrency: 4, rate: undefined },
          held: 0,
          begun: null,
          due: 1,
        },
        {
          scope: "workflow",
          name: "mail",
          limit: { concurrency: 1, rate: undefined },
          held: 1,
          begun: null,
          due: 1,
        },
      ]);
    });
  });
}
