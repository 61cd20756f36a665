/** The state on a server with a replica: what doctor measures and what metrics tell. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { runSql, skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import type { TestPostgres, TestReplica } from "../store/test-postgres.fixture.ts";
import { until } from "../store/test-things.ts";
import { measureReplica, openStateReader, openStateStore } from "./state-store.ts";

describe.skipIf(skipsPostgres())("the state on a server with a replica", () => {
  let server: TestPostgres;
  let replica: TestReplica;
  beforeAll(async () => {
    server = await startTestPostgres();
    replica = await server.startReplica();
  }, 30_000);
  afterAll(() => server.stop());

  test("tells its lag and where pages came from, and doctor measures the same without a server", async () => {
    const url = await server.schema("state");
    const readUrl = replica.url("state");
    const config = {
      home: "/nowhere",
      databaseUrl: url,
      databaseReadUrl: readUrl,
      databaseReadMaxLagMs: 100,
    };
    const metrics = createMetrics({ clock: systemClock, version: "0.0.0", nodeVersion: "v0.0.0" });
    const store = await openStateStore(config, { logger: createSilentLogger(), metrics });
    const told = async (): Promise<readonly string[]> =>
      (await metrics.scrape()).text.split("\n").filter((line) => line.startsWith("homeostat_store_re"));
    try {
      // A read that finds the replica a moment behind is the primary's, which tells nothing of this test's matter.
      const fromReplica = async (): Promise<boolean> => {
        await store.recent.read("SELECT id FROM runs");
        return (await told()).some((line) => line.includes('from="replica"'));
      };
      while (!(await fromReplica())) await systemClock.sleep(20);
      expect(await told()).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^homeostat_store_recent_reads_total\{from="replica"\} [1-9]/),
          expect.stringMatching(/^homeostat_store_replica_lag_seconds \d[\d.e-]*$/),
        ]),
      );
      const reader = await openStateReader(config);
      expect(await measureReplica(config, reader)).toMatchObject({ kind: "following" });
      expect(await measureReplica({ ...config, databaseReadUrl: undefined }, reader)).toBeUndefined();
      await runSql(readUrl, "SELECT pg_wal_replay_pause()");
      await server.run("CREATE TABLE later (id INTEGER)");
      const behind = await measureReplica(config, reader);
      expect(behind).toMatchObject({ kind: "behind" });
      await replica.crash();
      expect(await measureReplica(config, reader)).toMatchObject({ kind: "away" });
      await until(() => store.recent.replica()?.kind === "away", 20_000);
      expect(await told()).toContain("homeostat_store_replica_lag_seconds +Inf");
      await reader.close();
    } finally {
      await store.close();
    }
  }, 60_000);
});
