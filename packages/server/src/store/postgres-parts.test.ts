/** Parts of the store on PostgreSQL by themselves, on a real server: statements, connections, long reads beside a replica, and readers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { connectPostgres, createPostgresStatements } from "./postgres-connection.ts";
import { createPostgresConnections } from "./postgres-connections.ts";
import { lookAtReplica } from "./postgres-place.ts";
import { openPostgresReader } from "./postgres-reader.ts";
import type { StoreReader } from "./sqlite-reader.ts";
import { createReplica } from "./postgres-replica.ts";
import { openPostgresStore } from "./postgres.ts";
import { runSql, skipsPostgres, startTestPostgres } from "./test-postgres.fixture.ts";
import type { TestPostgres } from "./test-postgres.fixture.ts";
import { insertThing, thingMigration, until } from "./test-things.ts";

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
