/** A real replica that follows by streaming: what may come from it, and what the primary serves when it lags or is gone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { leaseMigration } from "../lease.ts";
import type { LeaseStore } from "../lease.ts";
import { openPostgresStore } from "./postgres.ts";
import type { PostgresStoreOptions } from "./postgres.ts";
import { runSql, skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres, TestReplica } from "../test-postgres.fixture.ts";
import type { ReplicaState } from "../store.ts";
import { insertThing, thingMigration, until } from "../test-things.ts";

const migrations = [thingMigration, leaseMigration];

describe.skipIf(skipsPostgres())("a replica of the store's database", () => {
  let server: TestPostgres;
  let replica: TestReplica;
  let url: string;
  let readUrl: string;
  let schemas = 0;
  let opened: LeaseStore[];
  let served: string[];
  beforeAll(async () => {
    server = await startTestPostgres();
    replica = await server.startReplica();
  }, 30_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    const schema = `replica_${(schemas += 1)}`;
    url = await server.schema(schema);
    readUrl = replica.url(schema);
    opened = [];
    served = [];
  });
  afterEach(() => Promise.all(opened.map((store) => store.close())));

  async function open(options: Partial<PostgresStoreOptions> = {}): Promise<LeaseStore> {
    const store = await openPostgresStore({
      ...{ url, readUrl, migrations, clock: systemClock, logger: createSilentLogger() },
      observeRecent: (from) => served.push(from),
      ...options,
    });
    opened.push(store);
    return store;
  }

  async function openFollowed(options: Partial<PostgresStoreOptions> = {}): Promise<LeaseStore> {
    const store = await open({ replicaMaxLagMs: 2_000, ...options });
    await untilReplica(store, "following");
    return store;
  }

  function untilReplica(store: LeaseStore, kind: ReplicaState["kind"]): Promise<void> {
    return until(() => store.recent.replica()?.kind === kind, 20_000);
  }

  /** How many things a page shows, and whether a replica showed them. */
  async function listed(store: LeaseStore): Promise<readonly [things: unknown, from: string | undefined]> {
    const [row] = await store.recent.read(
      "SELECT COUNT(*) AS things, CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END AS place FROM thing",
    );
    expect(row?.["place"]).toBe(served.at(-1));
    return [row?.["things"], served.at(-1)];
  }

  async function scannedFrom(store: LeaseStore): Promise<unknown> {
    for await (const row of store.scan("SELECT pg_is_in_recovery() AS replica")) return row["replica"];
    return undefined;
  }

  test("serves pages with every write that was made before, in this process and in another", async () => {
    const [mine, other] = [await openFollowed(), await open({ readUrl: undefined })];
    for (let things = 1; things <= 20; things += 1) {
      await mine.write([insertThing(`mine ${things}`)]);
      expect(await listed(mine)).toEqual([things, "replica"]);
    }
    let isHeard = false;
    mine.onCommit("thing", () => (isHeard = true));
    await other.write([insertThing("of another")]);
    await until(() => isHeard);
    expect(await listed(mine)).toEqual([21, "replica"]);
    expect(await listed(other)).toEqual([21, "primary"]);
    expect(other.recent.replica()).toBeUndefined();
  });

  test("that stands still is passed over as soon as something was written, and used again once it has caught up", async () => {
    const store = await openFollowed({ replicaMaxLagMs: 150 });
    await store.write([insertThing("before")]);
    await until(() => store.recent.replica()?.kind === "following");
    await runSql(readUrl, "SELECT pg_wal_replay_pause()");
    try {
      await store.write([insertThing("after")]);
      // The reader sees his own write at once; the ones after him do not even wait for the replica.
      expect(await listed(store)).toEqual([2, "primary"]);
      await untilReplica(store, "behind");
      expect(await scannedFrom(store)).toBe(0);
      const startMs = performance.now();
      for (let reads = 0; reads < 5; reads += 1) expect(await listed(store)).toEqual([2, "primary"]);
      expect(performance.now() - startMs).toBeLessThan(5 * 150);
      const lagged = (): number => (store.recent.replica() as { lagMs?: number }).lagMs ?? 0;
      await until(() => lagged() > 600);
    } finally {
      await runSql(readUrl, "SELECT pg_wal_replay_resume()");
    }
    await untilReplica(store, "following");
    expect(await listed(store)).toEqual([2, "replica"]);
    expect(await scannedFrom(store)).toBe(1);
  });

  test("that is stopped costs no page, and is used again after its start", async () => {
    const store = await openFollowed();
    await store.write([insertThing("one")]);
    expect(await listed(store)).toEqual([1, "replica"]);
    await replica.crash();
    try {
      expect(await listed(store)).toEqual([1, "primary"]);
      await untilReplica(store, "away");
      expect(store.recent.replica()).toMatchObject({
        why: expect.stringMatching(/ENOENT|ECONNREFUSED/) as string,
      });
      await store.write([insertThing("two")]);
      expect(await listed(store)).toEqual([2, "primary"]);
      expect(await scannedFrom(store)).toBe(0);
    } finally {
      await replica.restart();
    }
    await untilReplica(store, "following");
    expect(await listed(store)).toEqual([2, "replica"]);
  });

  test("that was away for an hour has no lag of an hour when it is back", async () => {
    let aheadMs = 0;
    const monotonic = (): number => systemClock.monotonic() + aheadMs;
    const store = await openFollowed({ clock: { ...systemClock, monotonic } });
    await replica.crash();
    try {
      await untilReplica(store, "away");
      aheadMs = 3_600_000;
    } finally {
      await replica.restart();
    }
    await untilReplica(store, "following");
    expect(store.recent.replica()).toMatchObject({ lagMs: expect.closeTo(0, -4) as number });
  });

  test("that hangs with its connections open keeps a page waiting for seconds at most, once", async () => {
    const store = await openFollowed();
    await store.write([insertThing("one")]);
    expect(await listed(store)).toEqual([1, "replica"]);
    replica.freeze();
    try {
      const startMs = performance.now();
      expect(await listed(store)).toEqual([1, "primary"]);
      expect(performance.now() - startMs).toBeLessThan(4_000);
      expect(store.recent.replica()?.kind).toBe("away");
      const againMs = performance.now();
      expect(await listed(store)).toEqual([1, "primary"]);
      expect(performance.now() - againMs).toBeLessThan(500);
    } finally {
      replica.thaw();
    }
    await untilReplica(store, "following");
  });

  test("still shows pages while the primary is away", async () => {
    const store = await openFollowed();
    await store.write([insertThing("one")]);
    expect(await listed(store)).toEqual([1, "replica"]);
    await server.crash();
    try {
      expect(await listed(store)).toEqual([1, "replica"]);
      await expect(store.read("SELECT 1 AS one")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await expect(store.write([insertThing("two")])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      // Also after a commit of which it is not known whether it was made.
      expect(await listed(store)).toEqual([1, "replica"]);
    } finally {
      await server.restart();
    }
  });

  test("is passed over for what it does not know, and wrong statements are told as everywhere", async () => {
    const store = await openFollowed();
    await expect(store.recent.read("SELECT * FROM nowhere")).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(store.recent.read("SELECT ? AS one")).rejects.toMatchObject({ code: "INTERNAL" });
    await store.recent.read("SELECT * FROM thing");
    await server.run(`ALTER TABLE replica_${schemas}.thing ADD COLUMN colour TEXT`);
    await store.write([insertThing("one")]);
    const [row] = await store.recent.read("SELECT * FROM thing");
    expect(Object.keys(row!)).toContain("colour");
    await store.recent.read("SELECT * FROM thing");
    expect(served.at(-1)).toBe("replica");
  });

  test("lets go of the rows of each read, however long it follows", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const store = await openFollowed();
    const rows = new WeakRef(await store.recent.read("SELECT 1 AS one"));
    expect(served).toEqual(["replica"]);
    await until(() => {
      collectGarbage();
      return rows.deref() === undefined;
    });
    expect(store.recent.replica()?.kind).toBe("following");
  });

  test("has a bound on reads at once; those beyond it are the primary's", async () => {
    const store = await openFollowed();
    await Promise.all(Array.from({ length: 40 }, () => store.recent.read("SELECT pg_sleep(0.05)")));
    expect(new Set(served)).toEqual(new Set(["primary", "replica"]));
    expect(served.filter((from) => from === "replica").length).toBeLessThanOrEqual(8);
  });

  test("named by the wrong URL is none: the primary itself, or one that is not there", async () => {
    const same = await open({ readUrl: url });
    await until(() => /no replica/.test(JSON.stringify(same.recent.replica())));
    expect(await listed(same)).toEqual([0, "primary"]);
    expect(await scannedFrom(same)).toBe(0);
    const gone = await open({ readUrl: readUrl.replace("replica", "nowhere") });
    await until(() => /ENOENT/.test(JSON.stringify(gone.recent.replica())));
    expect(await listed(gone)).toEqual([0, "primary"]);
    const refused = open({ url: readUrl });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining("replica") as string });
  });

  test("that became a primary of its own shows another history, and is used no more", async () => {
    const store = await openFollowed();
    await replica.promote();
    await runSql(readUrl, "INSERT INTO thing (name, amount) VALUES ('of another history', 1)");
    expect(await listed(store)).toEqual([0, "primary"]);
    expect(await scannedFrom(store)).toBe(0);
    await untilReplica(store, "away");
  });
});
