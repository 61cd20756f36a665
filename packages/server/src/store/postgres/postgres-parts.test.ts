/** Parts of the store on PostgreSQL by themselves, on a real server: statements, connections, long reads beside a replica, and readers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { createLeaseSlot, remainingInSlot } from "../lease-slot.ts";
import { leaseMigration, takeLease } from "../lease.ts";
import type { LeaseStore } from "../lease.ts";
import { commitToPostgres } from "./postgres-commit.ts";
import { connectPostgres, createPostgresStatements } from "./postgres-connection.ts";
import type { PostgresAnswer, PostgresConnection } from "./postgres-connection.ts";
import { createPostgresConnections } from "./postgres-connections.ts";
import { createPostgresLeaseRenewal } from "./postgres-lease-renewal.ts";
import { createPostgresLink } from "./postgres-link.ts";
import { lookAtReplica, reachPlace } from "./postgres-place.ts";
import { openPostgresReader } from "./postgres-reader.ts";
import { createReplica } from "./postgres-replica.ts";
import { servePostgresWriter } from "./postgres-serve-writer.ts";
import { openPostgresStore } from "./postgres.ts";
import type { ThreadProgram } from "../start-thread.ts";
import type { Migration, StoreReader } from "../store.ts";
import { runSql, skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import { startInSameThread } from "./test-same-thread.ts";
import type { StartThread } from "./test-same-thread.ts";
import { insertThing, thingMigration, until } from "../test-things.ts";
import type { FromWriter } from "../wire.ts";

const writing = vi.hoisted(() => ({ isHere: false }));
vi.mock("../start-thread.ts", async (importOriginal) => {
  const { startThread } = await importOriginal<{ startThread: StartThread }>();
  return {
    startThread: (program: ThreadProgram) =>
      writing.isHere ? startInSameThread(program, startThread) : startThread(program),
  };
});

const logger = createSilentLogger();

test("texts beyond the cache are sent without a name, and what would change the session is refused", () => {
  const statements = createPostgresStatements();
  const nameOf = (sql: string): unknown => statements.toQuery(sql, []).query.name;
  for (let number = 0; number < 1_000; number += 1) expect(nameOf(`SELECT ${number}`)).toBeDefined();
  expect(nameOf("SELECT 'one more'")).toBeUndefined();
  expect(nameOf("SELECT 7")).toBeDefined();
  for (const sql of ["COMMIT", "SET search_path = other", "LISTEN x"])
    expect(() => statements.toQuery(sql, [])).toThrow("belong to the store");
  expect(() => statements.toQuery("SELECT ?", [])).toThrow("takes 1 parameters, got 0");
});

describe.skipIf(skipsPostgres())("on a real server", () => {
  let server: TestPostgres;
  let url: string;
  let schemas = 0;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.schema(`parts_${(schemas += 1)}`);
  });
  /** With its writer in this thread. */
  async function openHere(open: () => Promise<LeaseStore>): Promise<LeaseStore> {
    writing.isHere = true;
    try {
      return await open();
    } finally {
      writing.isHere = false;
    }
  }

  async function refusalOf(of: string): Promise<FromWriter> {
    const said = Promise.withResolvers<FromWriter>();
    const line = { clock, send: said.resolve, listen: () => undefined, close: () => undefined };
    await servePostgresWriter({ url: of, migrations: [], instance: "i" }, line);
    return await said.promise;
  }

  const openStore = () => openPostgresStore({ url, migrations: [thingMigration], clock, logger });

  test("connections that come after the end are ended, and kept ones are lent again", async () => {
    const connections = createPostgresConnections(url, 1);
    const [first, second] = [await connections.borrow(), await connections.borrow()];
    expect(connections.busy()).toBe(2);
    first.giveBack(true);
    second.giveBack(true);
    const again = await connections.borrow();
    expect(again.connection).toBe(first.connection);
    await expect(second.connection.ask("SELECT 1")).rejects.toThrow();
    const late = connections.borrow();
    expect(connections.busy()).toBe(2);
    connections.close();
    const loan = await late;
    await expect(loan.connection.ask("SELECT 1")).rejects.toThrow();
    loan.giveBack(true);
  });

  test("a look at a connection that has ended fails", async () => {
    const connection = await connectPostgres(url);
    connection.destroy();
    await expect(lookAtReplica(connection, "0/0")).rejects.toThrow();
    expect(await reachPlace(connection, "0/0", { clock, patienceMs: 1_000 })).toBe("failed");
  });

  test("a commit that the server answers by undoing it is told as one that was not made", async () => {
    const connection = await connectPostgres(url);
    const undoing: PostgresConnection = {
      ...connection,
      send: (query) =>
        connection.send(query.text === "COMMIT" ? { ...query, text: "ROLLBACK", name: "undo" } : query),
    };
    const target = {
      connection: undoing,
      statements: createPostgresStatements(),
      lock: "1",
      channel: "c",
      instance: "i",
    };
    const { outcomes } = await commitToPostgres(target, [[["CREATE TABLE a (b TEXT)", [], null]]]);
    expect(outcomes).toMatchObject([
      { kind: "unavailable", message: expect.stringContaining("answered with ROLLBACK") as string },
    ]);
    await connection.end();
  });

  test("a commit to more tables than a notification can name wakes every listener of others", async () => {
    const names = Array.from({ length: 160 }, (_, index) => `table_${index}_${"x".repeat(45)}`);
    const wide: Migration = {
      id: "0002-wide",
      statements: () => names.map((name) => `CREATE TABLE ${name} (a TEXT)`),
    };
    const open = () => openPostgresStore({ url, migrations: [thingMigration, wide], clock, logger });
    const [mine, other] = [await openHere(open), await openHere(open)];
    let isWoken = false;
    mine.onCommit("thing", () => (isWoken = true));
    await other.write(names.map((name) => ({ sql: `INSERT INTO ${name} (a) VALUES ('b')` })));
    await until(() => isWoken);
    await Promise.all([mine.close(), other.close()]);
  });

  test("leases are renewed each at its time, and tried again while there is no connection", async () => {
    const store = await openPostgresStore({ url, migrations: [leaseMigration], clock, logger });
    const connection = await connectPostgres(url);
    let current: PostgresConnection | undefined;
    const lost: string[] = [];
    const renewal = createPostgresLeaseRenewal({
      ...{ clock, connection: () => current, onStuck: () => undefined },
      onLost: (name) => lost.push(name),
    });
    const hold = async (name: string, ttlMs: number): Promise<BigInt64Array> => {
      await store.write([takeLease({ name, owner: "me", epoch: 1, untilMs: 1 })]);
      const slot = createLeaseSlot();
      renewal.hold({ name, owner: "me", epoch: 1, ttlMs, slot });
      return slot;
    };
    const [short, long] = [await hold("short", 300), await hold("long", 600_000)];
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(remainingInSlot(short, clock)).toBe(0);
    current = connection;
    await until(() => remainingInSlot(short, clock) > 0);
    expect(remainingInSlot(long, clock)).toBe(0);
    await store.write([{ sql: "UPDATE leases SET owner = 'another' WHERE name = 'short'" }]);
    await until(() => lost.includes("short"));
    renewal.stop();
    await Promise.all([connection.end(), store.close()]);
  });

  test("a lease that is dropped while its renewal is under way is not extended", async () => {
    const connection = await connectPostgres(url);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<PostgresAnswer>();
    const silent: PostgresConnection = {
      ...connection,
      send() {
        asked.resolve();
        return answer.promise;
      },
    };
    const renewal = createPostgresLeaseRenewal({
      ...{ clock, connection: () => silent },
      ...{ onStuck: () => undefined, onLost: () => undefined },
    });
    const slot = createLeaseSlot();
    renewal.hold({ name: "a", owner: "me", epoch: 1, ttlMs: 30, slot });
    await asked.promise;
    renewal.drop("a", 1);
    answer.resolve({ kind: "done", command: "UPDATE", rows: [], changes: 1, returnsRows: false });
    await new Promise((resolve) => setImmediate(resolve));
    expect(remainingInSlot(slot, clock)).toBe(0);
    renewal.stop();
    await connection.end();
  });

  test("a connection that comes after the end of its link is ended", async () => {
    const first = await connectPostgres(url);
    const coming = Promise.withResolvers<PostgresConnection>();
    const link = createPostgresLink(first, {
      clock,
      connect: () => coming.promise,
      onAgain: () => undefined,
    });
    link.lose(first, "the test says so");
    expect(link.connection()).toBeUndefined();
    await link.close();
    const late = await connectPostgres(url);
    coming.resolve(late);
    await expect
      .poll(() =>
        late.ask("SELECT 1").then(
          () => "open",
          () => "ended",
        ),
      )
      .toBe("ended");
  });

  test("a replica that is closed while it is measured stays closed", async () => {
    const committedUpTo = (): Promise<string> => Promise.resolve("0/0");
    const replica = createReplica({ url, clock, maxLagMs: 10, committedUpTo });
    replica.close();
    expect(await replica.measured).toMatchObject({ kind: "away" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(replica.state()).toEqual({ kind: "away", why: "it is closed" });
    expect(await replica.read({ text: "SELECT 1", values: [] }, "0/0")).toBeUndefined();
  });

  test("a connection over which a look at a replica failed is not kept for the next", async () => {
    const committedUpTo = (): Promise<string> => Promise.resolve("no place");
    const replica = createReplica({ url, clock, maxLagMs: 10, committedUpTo });
    expect(await replica.measured).toMatchObject({
      kind: "away",
      why: expect.stringContaining("no place") as string,
    });
    await expect
      .poll(() =>
        server.run(
          "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_last_wal_replay_lsn() >=%' AND pid <> pg_backend_pid()",
        ),
      )
      .toEqual([]);
    replica.close();
  });

  test("a commit that was heard of before somebody listens to its table is told to him", async () => {
    const [mine, other] = [await openStore(), await openStore()];
    let isHeard = false;
    mine.onCommit("event", () => (isHeard = true));
    await other.write([insertThing("a"), { sql: "INSERT INTO event (name) VALUES ('b')" }]);
    await until(() => isHeard);
    let isTold = false;
    mine.onCommit("thing", () => (isTold = true));
    await until(() => isTold);
    await Promise.all([mine.close(), other.close()]);
  });

  test("a reader needs tables of ours, a server, and no replica that is there or up to date", async () => {
    const open = (of: string, readUrl?: string): Promise<StoreReader> =>
      openPostgresReader({ url: of, readUrl, clock, logger });
    await expect(open(url)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("holds no tables of Homeostat") as string,
    });
    await expect(open(url.replace(/host=[^&]*/, "host=%2Fnowhere"))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      hint: expect.stringContaining("Start PostgreSQL") as string,
    });
    const store = await openStore();
    await store.write([insertThing("a")]);
    const replica = await server.startReplica();
    const readUrl = replica.url(`parts_${schemas}`);
    await runSql(readUrl, "SELECT pg_wal_replay_pause()");
    await store.write([insertThing("b")]);
    const said = await refusalOf(readUrl);
    expect(said).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("it is a replica") as string,
    });
    // While the primary is away nothing is committed that it could be behind of.
    const committedUpTo = (): Promise<never> => Promise.reject(new Error("away"));
    const alone = createReplica({ url: readUrl, clock, maxLagMs: 10, committedUpTo });
    expect(await alone.measured).toEqual({ kind: "following", lagMs: 0 });
    alone.close();
    for (const from of [undefined, readUrl, readUrl.replace("replica", "nowhere")]) {
      const reader = await open(url, from);
      const names: unknown[] = [];
      for await (const row of reader.scan("SELECT name FROM thing ORDER BY name")) names.push(row["name"]);
      expect(names).toEqual(["a", "b"]);
      await reader.close();
    }
    await store.close();
  }, 30_000);
});
