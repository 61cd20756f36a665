import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fork } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { acquireLease, leaseMigration } from "../lease.ts";
import type { LeaseStore } from "../lease.ts";
import { marksMigration, readMarks, requireUsable, setMark } from "../marks.ts";
import { countStore, moveStore } from "./move.ts";
import type { MoveOptions } from "./move.ts";
import { openPostgresStore } from "../postgres/postgres.ts";
import { isProcessDead, processIdentity } from "../process-identity.ts";
import { createRowDigest } from "./row-digest.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import { closeForWriters, openAbandoned, openForWriters } from "./source-lock.ts";
import type { Migration, Row } from "../store.ts";
import { skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import { insertThing, thingMigration, until } from "../test-things.ts";

const migrations: readonly Migration[] = [thingMigration, leaseMigration, marksMigration];
const clock = systemClock;
let folder: string;
const opened: LeaseStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-move-"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await rm(folder, { recursive: true });
});

async function openFile(name: string, wanted = migrations): Promise<LeaseStore> {
  const logger = createSilentLogger();
  const store = await openSqliteStore({ path: join(folder, name), migrations: wanted, clock, logger });
  opened.push(store);
  return store;
}

function options(source: LeaseStore, target: LeaseStore, more: Partial<MoveOptions> = {}): MoveOptions {
  return {
    source,
    target,
    from: "the source",
    to: "the target",
    clock,
    owner: "mover",
    isOwnerDead: () => false,
    alsoHold: ["ledger-publisher"],
    findUser: () => Promise.resolve(undefined),
    arriving: {},
    prove: () => Promise.resolve(),
    record: () => [],
    onProgress: () => undefined,
    ...more,
  };
}

/** Every kind of value, more rows than one statement takes, and numbers beyond the highest row. */
async function fill(store: LeaseStore, rows = 2_345): Promise<void> {
  for (let at = 0; at < rows; at += 100) {
    const batch = Array.from({ length: Math.min(100, rows - at) }, (_, index) => ({
      sql: "INSERT INTO thing (name, amount, ratio, body) VALUES (?, ?, ?, ?)",
      params: [
        `thing ${at + index} ☃`,
        (at + index) * 1_000_000_007,
        index % 3 === 0 ? null : index / 7,
        index % 2 === 0 ? null : Uint8Array.from([0, index, 255]),
      ],
    }));
    await store.write(batch);
  }
  for (const name of ["one", "two", "last"])
    await store.write([{ sql: "INSERT INTO event (name) VALUES (?)", params: [name] }]);
  await store.write([{ sql: "DELETE FROM event WHERE name = 'last'" }]);
  await store.write([
    { sql: "INSERT INTO leases (name, owner, epoch, until_ms) VALUES ('run/1', 'somebody', 7, 1)" },
  ]);
}

async function nextNumber(store: LeaseStore): Promise<unknown> {
  const [result] = await store.write([{ sql: "INSERT INTO event (name) VALUES ('next') RETURNING id" }]);
  return result?.rows[0]?.["id"];
}

/** What holds for a move between any two databases. */
async function expectMoves(source: LeaseStore, target: LeaseStore): Promise<void> {
  await fill(source);
  const progress: string[] = [];
  const moved = await moveStore(options(source, target, { onProgress: (text) => progress.push(text) }));
  expect(moved.tables.map(({ name, rows }) => [name, rows])).toEqual([
    ["event", 2],
    ["leases", 3],
    ["thing", 2_345],
  ]);
  expect(progress).toContain("thing: 2345 rows copied");
  const read = "SELECT * FROM thing ORDER BY name";
  expect(await target.read(read)).toEqual(await source.read(read));
  const leases = await target.read("SELECT name, owner, epoch, until_ms FROM leases WHERE name = 'run/1'");
  expect(leases[0]).toEqual({ name: "run/1", owner: "", epoch: 7, until_ms: 0 });
  expect(await nextNumber(target)).toBe(4);
  await requireUsable({ store: target, nowMs: clock.now(), isOwnerDead: () => false });
  await expect(
    requireUsable({ store: source, nowMs: clock.now(), isOwnerDead: () => false }),
  ).rejects.toMatchObject({ code: "STORE_MOVED", data: { to: "the target" } });
  await expect(moveStore(options(source, await openFile("third.db")))).rejects.toMatchObject({
    code: "STORE_MOVED",
  });
}

describe("a move from SQLite to SQLite", () => {
  test("takes every row, number and epoch along and leaves a mark on the source", async () => {
    await expectMoves(await openFile("a.db"), await openFile("b.db"));
  });

  test("refuses a target that holds rows, and leaves them and the source alone", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 5);
    await fill(target, 1);
    await expect(moveStore(options(source, target))).rejects.toMatchObject({
      code: "STORE_TARGET_NOT_EMPTY",
      data: { table: "event", rows: 2 },
    });
    expect(await countStore(target)).toContainEqual({ name: "thing", rows: 1 });
    await requireUsable({ store: source, nowMs: clock.now(), isOwnerDead: () => false });
  });

  test("refuses while a process is known that holds nothing just now", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    const findUser = (): Promise<string> => Promise.resolve("worker 7 on there");
    await expect(moveStore(options(source, target, { findUser }))).rejects.toMatchObject({
      code: "STORE_IN_USE",
      message: expect.stringContaining("worker 7 on there") as string,
    });
    await fill(source, 1);
  });

  test("refuses when another takes a lease between the look and the move", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    const request = { name: "ledger-publisher", owner: "gateway", ttlMs: 60_000, now: clock.now() };
    const findUser = async (): Promise<undefined> => {
      await acquireLease(source, { ...request, isOwnerDead: () => false });
      return undefined;
    };
    await expect(moveStore(options(source, target, { findUser }))).rejects.toMatchObject({
      code: "STORE_IN_USE",
      data: { lease: "ledger-publisher" },
    });
  });

  test("tells about many rows as they come, and begins anew on what a mover that is gone has closed", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await source.write([
      {
        sql: `INSERT INTO thing (name, amount) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
          SELECT 'thing ' || i, i FROM n`,
      },
    ]);
    const leaving = setMark("leaving", { to: "somewhere" });
    await source.write([...(await closeForWriters(source, "somewhere")), leaving]);
    const progress: string[] = [];
    await moveStore(options(source, target, { onProgress: (text) => progress.push(text) }));
    expect(progress).toContain("thing: 10000 rows");
    await expect(source.write([insertThing("late")])).rejects.toThrow("its content goes to the target");
  });

  test("lets rows arrive changed, and still proves them", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 3);
    await moveStore(options(source, target, { arriving: { thing: { amount: "-1 AS amount" } } }));
    expect(await target.read("SELECT DISTINCT amount FROM thing")).toEqual([{ amount: -1 }]);
  });

  test("refuses while somebody who may be alive holds a lease, and goes on when he is dead", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    const request = { name: "run/2", owner: "worker", ttlMs: 60_000, now: clock.now() };
    await acquireLease(source, { ...request, isOwnerDead: () => false });
    await expect(moveStore(options(source, target))).rejects.toMatchObject({
      code: "STORE_IN_USE",
      data: { lease: "run/2" },
    });
    await moveStore(options(source, target, { isOwnerDead: (owner) => owner === "worker" }));
  });

  test("keeps everybody from starting while it runs", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 3);
    const isUsable = (store: LeaseStore): Promise<void> =>
      requireUsable({ store, nowMs: clock.now(), isOwnerDead: () => false });
    await moveStore(
      options(source, target, {
        async prove() {
          await expect(isUsable(source)).rejects.toMatchObject({ code: "STORE_IN_USE" });
          await expect(isUsable(target)).rejects.toMatchObject({ code: "STORE_MOVE_UNFINISHED" });
        },
      }),
    );
    await isUsable(target);
  });

  test("fails when a row of the source changes meanwhile, and when the proof does not hold; then it can be done again", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 50);
    // The target is compared first, and while that happens somebody writes to the source who has opened it by force.
    const force = async (): Promise<void> => {
      await source.write(await openForWriters(source));
      await source.write([{ sql: "UPDATE thing SET amount = amount + 1 WHERE name = 'thing 7 ☃'" }]);
    };
    const scan = async function* (sql: string): AsyncGenerator<Row> {
      await force();
      yield* target.scan(sql);
    };
    await expect(moveStore(options(source, { ...target, scan }))).rejects.toMatchObject({
      code: "STORE_MOVE_FAILED",
      data: { table: "thing", side: "the source" },
    });
    const written = force;
    await expect(moveStore(options(source, target, { prove: written }))).rejects.toMatchObject({
      code: "STORE_MOVE_FAILED",
      data: { table: "thing", side: "the source" },
    });
    const unproven = new Error("the ledger says no");
    const prove = (): Promise<void> => Promise.reject(unproven);
    await expect(moveStore(options(source, target, { prove }))).rejects.toBe(unproven);
    await requireUsable({ store: source, nowMs: clock.now(), isOwnerDead: () => false });
    const moved = await moveStore(options(source, target));
    expect(moved.rows).toBe(55);
  });

  test("tells why it failed, also when the source cannot be opened again or its leases not be freed", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 10);
    const why = new Error("the ledger says no");
    let isAway = false;
    const prove = (): Promise<void> => {
      isAway = true;
      return Promise.reject(why);
    };
    const away = new Error("the database is away");
    const write: LeaseStore["write"] = (batch) => (isAway ? Promise.reject(away) : source.write(batch));
    const told: string[] = [];
    const onProgress = (text: string): void => void told.push(text);
    await expect(moveStore(options({ ...source, write }, target, { prove, onProgress }))).rejects.toBe(why);
    expect(told.slice(-2)).toEqual([
      "the source stays closed until a server is started on it: the database is away",
      "the leases on the source could not be freed and end by themselves: the database is away",
    ]);
  });

  test("a crash after the source was marked is finished by the next call without copying again", async () => {
    const [source, target] = [await openFile("a.db"), await openFile("b.db")];
    await fill(source, 10);
    const crash = new Error("the power went");
    const record = (): never => {
      throw crash;
    };
    await expect(moveStore(options(source, target, { record }))).rejects.toBe(crash);
    expect(await readMarks(target)).toMatchObject({ moving: { verified: true } });
    const moved = await moveStore(options(source, target));
    expect(moved).toMatchObject({ wasFinished: true, rows: 15 });
    await requireUsable({ store: target, nowMs: clock.now(), isOwnerDead: () => false });
  });

  test("a process killed in the middle leaves the source usable, and the next call begins anew", async () => {
    const source = await openFile("a.db");
    await fill(source, 3_000);
    const child = fork(new URL("move-killed.fixture.ts", import.meta.url), [folder], { stdio: "inherit" });
    const [message] = (await once(child, "message")) as [string];
    expect(message).toBe("copying");
    child.kill("SIGKILL");
    await once(child, "exit");
    const target = await openFile("b.db");
    const copied = (await countStore(target)).find(({ name }) => name === "thing");
    expect(copied?.rows).toBeGreaterThan(0);
    expect(copied?.rows).toBeLessThan(3_000);
    const isOwnerDead = isProcessDead;
    await expect(requireUsable({ store: target, nowMs: clock.now(), isOwnerDead })).rejects.toMatchObject({
      code: "STORE_MOVE_UNFINISHED",
    });
    await requireUsable({ store: source, nowMs: clock.now(), isOwnerDead });
    await expect(source.write([insertThing("too early")])).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    const taker = { owner: processIdentity(), ttlMs: 1_000, now: clock.now(), isOwnerDead };
    // While the mover may be alive nothing is opened.
    await openAbandoned(source, { ...taker, isOwnerDead: () => false });
    await expect(source.write([insertThing("too early")])).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    await openAbandoned(source, taker);
    await source.write([insertThing("in time"), { sql: "DELETE FROM thing WHERE name = 'in time'" }]);
    await openAbandoned(source, taker);
    const moved = await moveStore(options(source, target, { isOwnerDead, owner: processIdentity() }));
    expect(moved.tables.find(({ name }) => name === "thing")?.rows).toBe(3_000);
  });

  test("refuses a target that a newer version made, and one whose tables are built differently", async () => {
    const source = await openFile("a.db");
    const newer: Migration = { id: "9000-later", statements: () => ["CREATE TABLE later (id TEXT)"] };
    await (await openFile("b.db", [...migrations, newer])).close();
    await expect(openFile("b.db")).rejects.toMatchObject({ code: "DATA_FOLDER_UNUSABLE" });
    const other: Migration = {
      id: "0001-thing",
      statements: () => ["CREATE TABLE thing (name TEXT)", "CREATE TABLE event (id INTEGER)"],
    };
    const target = await openFile("c.db", [other, leaseMigration, marksMigration]);
    await expect(moveStore(options(source, target))).rejects.toMatchObject({ code: "STORE_MOVE_FAILED" });
  });
});

describe.skipIf(skipsPostgres())("a move with PostgreSQL", () => {
  let server: TestPostgres;
  let schemas = 0;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  async function openSchema(): Promise<LeaseStore> {
    const url = await server.schema(`move_${(schemas += 1)}`);
    const store = await openPostgresStore({ url, migrations, clock, logger: createSilentLogger() });
    opened.push(store);
    return store;
  }

  test("goes from SQLite to PostgreSQL", async () => {
    await expectMoves(await openFile("a.db"), await openSchema());
  });

  test("goes from PostgreSQL to SQLite, with the same digests as on the way there", async () => {
    await expectMoves(await openSchema(), await openFile("b.db"));
    const [first, middle, last] = [await openFile("x.db"), await openSchema(), await openFile("y.db")];
    await fill(first, 300);
    const there = await moveStore(options(first, middle));
    const back = await moveStore(options(middle, last));
    const digests = (moved: typeof there): unknown =>
      moved.tables.filter(({ name }) => name !== "leases").map(({ name, digest }) => [name, digest]);
    expect(digests(back)).toEqual(digests(there));
  });

  test.each(["a.db", "a schema"])(
    "of %s misses no write of a process that knows nothing of it",
    async (place) => {
      const url = await server.schema(`move_${(schemas += 1)}`);
      const logger = createSilentLogger();
      const source =
        place === "a schema"
          ? await openPostgresStore({ url, migrations, clock, logger })
          : await openFile(place);
      if (place === "a schema") opened.push(source);
      await fill(source, 500);
      const target = await openFile("b.db");
      const writer = fork(
        new URL("move-writer.fixture.ts", import.meta.url),
        [place === "a schema" ? url : join(folder, place)],
        { stdio: "inherit" },
      );
      const written: string[] = [];
      const refused: string[] = [];
      writer.on("message", (answer: { readonly written?: string; readonly refused?: string }) => {
        if (answer.written !== undefined) written.push(answer.written);
        if (answer.refused !== undefined) refused.push(answer.refused);
      });
      const kept = async (): Promise<readonly unknown[]> => {
        const rows = await target.read("SELECT name FROM thing WHERE name LIKE 'written%'");
        return rows.map((row) => row["name"]).toSorted();
      };
      try {
        await until(() => written.length > 20, 30_000);
        // A move that fails gives the source back to its writers.
        const prove = (): Promise<never> => Promise.reject(new Error("no"));
        await expect(moveStore(options(source, target, { prove }))).rejects.toThrow("no");
        const before = written.length;
        await until(() => written.length > before + 20, 30_000);
        await moveStore(options(source, target));
        const [writes, refusals] = [written.length, refused.length];
        await until(() => refused.length > refusals + 20, 30_000);
        // Answers of writes before the move may have come after its end.
        expect(written.length).toBeLessThan(writes + 3);
      } finally {
        writer.kill("SIGKILL");
        await once(writer, "exit");
      }
      expect(await kept()).toEqual(written.toSorted());
      expect(new Set(refused)).toEqual(
        new Set([
          expect.stringMatching(/cannot be written: it is closed, because its content goes to the target/),
        ]),
      );
    },
    60_000,
  );

  test("goes on from an empty sequence with 1", async () => {
    const [source, target] = [await openFile("a.db"), await openSchema()];
    await moveStore(options(source, target));
    const back = await openFile("b.db");
    await moveStore(options(target, back));
    expect(await nextNumber(back)).toBe(1);
  });
});

describe("a row digest", () => {
  const rows = fc.array(
    fc.record({ a: fc.oneof(fc.string(), fc.integer(), fc.constant(null)), b: fc.string() }),
  );
  const digestOf = (list: readonly { a: string | number | null; b: string }[]): string => {
    const digest = createRowDigest(["a", "b"]);
    for (const row of list) digest.add(row);
    return digest.hex();
  };

  test("is the same in any order and another one as soon as a row is added, lost or changed", () => {
    fc.assert(
      fc.property(rows, fc.record({ a: fc.string(), b: fc.string() }), (list, extra) => {
        expect(digestOf([...list].reverse())).toBe(digestOf(list));
        expect(digestOf([...list, extra])).not.toBe(digestOf(list));
        expect(digestOf([...list, extra, extra])).not.toBe(digestOf([...list, extra]));
        expect(digestOf([...list, { ...extra, b: `${extra.b}x` }])).not.toBe(digestOf([...list, extra]));
      }),
    );
  });

  test("tells bytes from the text of their digits, and nothing from an empty text", () => {
    const one = (a: string | null | Uint8Array): string => {
      const digest = createRowDigest(["a"]);
      digest.add({ a });
      return digest.hex();
    };
    expect(new Set([one("00ff"), one(Uint8Array.from([0, 255])), one(""), one(null)]).size).toBe(4);
  });
});
