/** What the contract cannot test on PostgreSQL: the death of a process, a connection or the server, and servers of no use. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { acquireLease, fence, leaseMigration, takeLease } from "../lease.ts";
import type { LeaseStore } from "../lease.ts";
import { requirePostgresVersion } from "./postgres-serve-writer.ts";
import { openPostgresStore } from "./postgres.ts";
import type { PostgresStoreOptions } from "./postgres.ts";
import { isProcessDead } from "../process-identity.ts";
import type { Migration, Statement } from "../store.ts";
import {
  guardedPassword,
  guardedUser,
  runSql,
  skipsPostgres,
  startTestPostgres,
} from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import type { ThreadProgram } from "../start-thread.ts";
import { startInSameThread } from "./test-same-thread.ts";
import type { StartThread } from "./test-same-thread.ts";
import { until } from "../test-things.ts";

// In this thread the servers, the writer and the tests share one core.
vi.setConfig({ testTimeout: 60_000 });
const writing = vi.hoisted(() => ({ isHere: false }));
vi.mock("../start-thread.ts", async (importOriginal) => {
  const { startThread } = await importOriginal<{ startThread: StartThread }>();
  return {
    startThread: (program: ThreadProgram) =>
      writing.isHere ? startInSameThread(program, startThread) : startThread(program),
  };
});

const migration: Migration = {
  id: "0001-part",
  statements: ({ identity }) => [
    `CREATE TABLE part (id ${identity}, batch INTEGER NOT NULL, part BIGINT NOT NULL, body TEXT NOT NULL)`,
  ],
};
const migrations = [migration, leaseMigration];
const partsPerBatch = 3;
const unavailable = { code: "STORE_UNAVAILABLE" };

function batchOf(batch: number, body = ""): Statement[] {
  return Array.from({ length: partsPerBatch }, (_, part) => ({
    sql: "INSERT INTO part (batch, part, body) VALUES (?, ?, ?)",
    params: [batch, part, body],
  }));
}

/**
 * A process with a store of its own, that takes the lease `run/1` and writes batches from `from` on, a few in flight. It
 * prints `identity ...`, then the number of every batch that is acknowledged, and `failed CODE` for one that is not.
 */
function startWriterProcess(
  url: string,
  from: number,
  count = Infinity,
): { lines: AsyncIterator<string>; kill: () => Promise<unknown> } {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const code = `
    import { openPostgresStore } from ${module("./postgres.ts")};
    import { acquireLease, leaseMigration } from ${module("../lease.ts")};
    import { processIdentity } from ${module("../process-identity.ts")};
    import { systemClock } from ${module("../../base/clock.ts")};
    import { createSilentLogger } from ${module("../../base/log.ts")};
    import { writeSync } from "node:fs";
    const migration = { id: "0001-part", statements: ({ identity }) => [${JSON.stringify(migration.statements({ bytes: "", identity: "@", numberRows: () => [] })[0])}.replace("@", identity)] };
    const store = await openPostgresStore({ url: ${JSON.stringify(url)}, migrations: [migration, leaseMigration],
      clock: systemClock, logger: createSilentLogger() });
    const owner = processIdentity();
    await acquireLease(store, { name: "run/1", owner, ttlMs: 60_000, now: Date.now(), isOwnerDead: () => false });
    writeSync(1, "identity " + owner + "\\n");
    let next = ${from};
    async function write() {
      while (next < ${from + count}) {
        const batch = next++;
        const statement = (part) => ({ sql: "INSERT INTO part (batch, part, body) VALUES (?, ?, ?)", params: [batch, part, "x"] });
        try {
          await store.write([0, 1, 2].map(statement));
          writeSync(1, batch + "\\n");
        } catch (error) {
          writeSync(1, "failed " + error.code + "\\n");
        }
      }
    }
    await Promise.all([write(), write(), write(), write()]);
    await store.close();
    writeSync(1, "done\\n");`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    kill: () => {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/** Stands between a store and its server, and can lose the answer to a commit together with the connection. */
async function startProxy(
  target: string,
): Promise<{ readonly folder: string; swallowAnswerToCommit(): void; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-proxy-"));
  let isSwallowing = false;
  const proxy = createServer((near) => {
    const far = connect(target);
    near.on("data", (data) => {
      // The name of the prepared statement, as it is bound.
      if (isSwallowing && data.includes("\0commit\0")) {
        isSwallowing = false;
        far.removeAllListeners("data");
        far.once("data", () => near.destroy());
      }
      far.write(data);
    });
    far.on("data", (data) => near.write(data));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    for (const socket of [near, far]) socket.on("error", () => {});
  });
  proxy.listen(join(folder, basename(target)));
  await once(proxy, "listening");
  return {
    folder,
    swallowAnswerToCommit: () => (isSwallowing = true),
    async close() {
      proxy.close();
      await once(proxy, "close");
      rmSync(folder, { recursive: true });
    },
  };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string | undefined> {
  const { done, value } = await lines.next();
  return done === true ? undefined : value;
}

async function keptBatches(store: LeaseStore): Promise<ReadonlyMap<unknown, unknown>> {
  const rows = await store.read("SELECT batch, count(*) AS parts FROM part GROUP BY batch");
  return new Map(rows.map((row) => [row["batch"], row["parts"]]));
}

describe.skipIf(skipsPostgres()).each(["a thread of its own", "this thread"])(
  "the store on PostgreSQL, written by %s",
  (place) => {
    let server: TestPostgres;
    let url: string;
    let schemas = 0;
    let opened: LeaseStore[];
    beforeAll(async () => {
      writing.isHere = place === "this thread";
      server = await startTestPostgres();
    });
    afterAll(() => server.stop());
    beforeEach(async () => {
      url = await server.schema(`process_${(schemas += 1)}`);
      opened = [];
    });
    afterEach(() => Promise.all(opened.map((store) => store.close())));

    async function open(options: Partial<PostgresStoreOptions> = {}): Promise<LeaseStore> {
      const logger = createSilentLogger();
      const store = await openPostgresStore({ url, migrations, clock: systemClock, logger, ...options });
      opened.push(store);
      return store;
    }

    describe("a process killed in the middle of its writes", () => {
      test("loses no acknowledged batch, leaves none half, and its lease is taken over at once", async () => {
        const acknowledged = new Set<number>();
        const store = await open();
        for (let round = 0; round < 2; round += 1) {
          const { lines, kill } = startWriterProcess(url, round * 1_000_000);
          const identity = (await nextLine(lines))?.replace("identity ", "") ?? "";
          for (let seen = 0; seen < 40 + round * 60; seen += 1)
            acknowledged.add(Number(await nextLine(lines)));
          await kill();
          for (let line = await nextLine(lines); line !== undefined; line = await nextLine(lines)) {
            acknowledged.add(Number(line));
          }
          const kept = await keptBatches(store);
          for (const batch of acknowledged) expect(kept.get(batch)).toBe(partsPerBatch);
          for (const parts of kept.values()) expect(parts).toBe(partsPerBatch);
          const request = { name: "run/1", ttlMs: 1, now: Date.now() };
          const lease = await acquireLease(store, { ...request, owner: "me", isOwnerDead: isProcessDead });
          expect(isProcessDead(identity)).toBe(true);
          expect(lease?.epoch).toBe(2 * round + 2);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        expect(acknowledged.size).toBeGreaterThan(2 * 40);
      });
    });

    describe("two processes on one database", () => {
      test("write side by side, and each wakes the other's listeners", async () => {
        const store = await open();
        let wakes = 0;
        store.onCommit("part", () => (wakes += 1));
        const { lines, kill } = startWriterProcess(url, 0, 300);
        await nextLine(lines);
        let acknowledged = 0;
        for (let batch = 1000; batch < 1300; batch += 1) await store.write(batchOf(batch));
        const ownWakes = 300;
        for (let line = await nextLine(lines); line !== "done"; line = await nextLine(lines)) {
          expect(line).toMatch(/^\d+$/);
          acknowledged += 1;
        }
        await kill();
        expect(acknowledged).toBe(300);
        await until(() => wakes > ownWakes);
        const [row] = await store.read("SELECT count(*) AS rows FROM part");
        expect(row?.["rows"]).toBe(600 * partsPerBatch);
      });

      test("never let a batch through its fence after another has taken the lease", async () => {
        const [holder, taker] = [await open(), await open()];
        const name = "run/1";
        const note = (epoch: number): Statement => batchOf(epoch)[0]!;
        const lease = (epoch: number): Parameters<typeof fence>[0] => ({
          name,
          owner: `owner ${epoch}`,
          epoch,
        });
        await holder.write([takeLease({ ...lease(1), untilMs: 1 })]);
        for (let epoch = 1; epoch <= 15; epoch += 1) {
          const store = epoch % 2 === 0 ? taker : holder;
          const other = epoch % 2 === 0 ? holder : taker;
          const fenced = Array.from({ length: 30 }, () => store.write([fence(lease(epoch)), note(epoch)]));
          const taken = other.write([takeLease({ ...lease(epoch + 1), untilMs: 1 }), note(epoch + 1)]);
          for (const outcome of await Promise.allSettled(fenced)) {
            if (outcome.status === "rejected")
              expect(outcome.reason).toMatchObject({ data: { guard: "lease" } });
          }
          await taken;
        }
        const epochs = (await holder.read("SELECT batch FROM part ORDER BY id")).map((row) =>
          Number(row["batch"]),
        );
        expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
        expect(new Set(epochs).size).toBeGreaterThanOrEqual(15);
      });

      test("show their rows in the order of their numbers, so that who reads on misses none", async () => {
        const [reader, ...writers] = [await open(), await open(), await open()];
        const count = 400;
        const written = Promise.all(
          writers.map((store) =>
            Promise.all(Array.from({ length: count }, (_, batch) => store.write(batchOf(batch)))),
          ),
        );
        let last = 0;
        let seen = 0;
        const readOn = async (): Promise<void> => {
          const rows = await reader!.read("SELECT id FROM part WHERE id > ? ORDER BY id", [last]);
          seen += rows.length;
          last = Number(rows.at(-1)?.["id"] ?? last);
        };
        const reading = { isOver: false };
        void written.then(() => (reading.isOver = true));
        while (!reading.isOver) await readOn();
        await readOn();
        expect(seen).toBe(writers.length * count * partsPerBatch);
      });

      test("that count before they add keep to the limit", async () => {
        const stores = [await open(), await open()];
        const limited: Statement = {
          sql: `INSERT INTO part (batch, part, body) SELECT 1, 1, '' WHERE (SELECT count(*) FROM part) < ?`,
          params: [10],
          expect: { rows: 1, guard: "limit" },
        };
        const outcomes = await Promise.allSettled(
          Array.from({ length: 40 }, (_, index) => stores[index % 2]!.write([limited])),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
      });
    });

    describe("a lost connection", () => {
      const endConnections = (): Promise<unknown> =>
        server.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'homeostat%'",
        );

      test("refuses what is in flight, and all works again soon, leases and listeners too", async () => {
        const [store, other] = [await open(), await open()];
        let wakes = 0;
        store.onCommit("leases", () => (wakes += 1));
        const request = { name: "run/9", owner: "me", ttlMs: 3000, isOwnerDead: () => false };
        const lease = (await acquireLease(store, { ...request, now: Date.now() }))!;
        const held = store.holdLease(lease);
        const outcomes: PromiseSettledResult<unknown>[] = [];
        const failures = (): unknown[] =>
          outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
        for (let ended: Promise<unknown> | undefined; failures().length === 0; ended ??= endConnections()) {
          const writes = Array.from({ length: 200 }, (_, index) =>
            store.write(batchOf(outcomes.length + index)),
          );
          outcomes.push(...(await Promise.allSettled(writes)));
        }
        for (const reason of failures()) expect(reason).toMatchObject(unavailable);
        await untilWritable(store);
        await untilWritable(other);
        const before = wakes;
        await other.write([takeLease({ name: "run/8", owner: "other", epoch: 1, untilMs: 1 })]);
        await until(() => wakes > before);
        await new Promise((resolve) => setTimeout(resolve, 1200));
        expect(held.remainingMs()).toBeGreaterThan(1500);
        const kept = await keptBatches(store);
        for (const [batch, outcome] of outcomes.entries()) {
          if (outcome.status === "fulfilled") expect(kept.get(batch)).toBe(partsPerBatch);
        }
        for (const parts of kept.values()) expect(parts).toBe(partsPerBatch);
      });

      test("because the server crashed refuses all until it is back, and no acknowledged batch is gone", async () => {
        const store = await open();
        const acknowledged: number[] = [];
        let batch = 0;
        const writing = { isOver: false };
        const writer = async (): Promise<void> => {
          while (!writing.isOver) {
            const number = (batch += 1);
            await store.write(batchOf(number)).then(
              () => acknowledged.push(number),
              (error: unknown) => expect(error).toMatchObject(unavailable),
            );
          }
        };
        const writers = [writer(), writer(), writer()];
        await until(() => acknowledged.length > 100);
        await server.crash();
        await until(() => batch > acknowledged.length + 10);
        writing.isOver = true;
        await Promise.all(writers);
        await expect(store.read("SELECT 1")).rejects.toMatchObject(unavailable);
        await expect(store.scan("SELECT 1")[Symbol.asyncIterator]().next()).rejects.toMatchObject(
          unavailable,
        );
        await server.restart();
        await untilWritable(store);
        const kept = await keptBatches(store);
        for (const number of acknowledged) expect(kept.get(number)).toBe(partsPerBatch);
        for (const parts of kept.values()) expect(parts).toBe(partsPerBatch);
      });

      test("in the middle of a commit is told as such, because the batch may be there", async () => {
        const proxy = await startProxy(server.socket);
        const store = await open({
          url: url.replace(encodeURIComponent(dirname(server.socket)), encodeURIComponent(proxy.folder)),
        });
        await store.write(batchOf(1));
        proxy.swallowAnswerToCommit();
        const lost = store.write(batchOf(2));
        await expect(lost).rejects.toMatchObject({
          ...unavailable,
          message: expect.stringContaining("not known whether the commit") as string,
        });
        await untilWritable(store);
        expect((await keptBatches(store)).get(2)).toBe(partsPerBatch);
        await store.close();
        await proxy.close();
      });

      let extra = 0;
      async function untilWritable(store: LeaseStore): Promise<void> {
        let isWritten = false;
        for (let tries = 0; tries < 500 && !isWritten; tries += 1) {
          isWritten = await store.write(batchOf((extra -= 1))).then(
            () => true,
            () => false,
          );
          if (!isWritten) await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect(isWritten).toBe(true);
      }
    });

    describe("group commit", () => {
      test("serves many callers with few commits, and a single caller with one each", async () => {
        const sizes: number[] = [];
        const store = await open({ observeCommit: ({ batches }) => sizes.push(batches) });
        const count = 3000;
        await Promise.all(Array.from({ length: count }, (_, batch) => store.write(batchOf(batch))));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
        expect(sizes.length).toBeLessThanOrEqual(10);
        sizes.length = 0;
        for (let batch = 0; batch < 5; batch += 1) await store.write(batchOf(batch));
        expect(sizes).toEqual([1, 1, 1, 1, 1]);
      });

      test("refuses what is more than may wait, and takes more once there is room", async () => {
        const store = await open({ maxPendingBatches: 3 });
        const writes = [1, 2, 3, 4].map((batch) => store.write(batchOf(batch)));
        await expect(writes[3]).rejects.toMatchObject(unavailable);
        await Promise.all(writes.slice(0, 3));
        for (let batch = 4; batch < 20; batch += 1) await store.write(batchOf(batch));
      });
    });

    describe("columns", () => {
      test("are those of SQLite: text in the order of its bytes, whole numbers of eight bytes", async () => {
        const store = await open();
        await store.write(["a", "B", "é", "_"].map((body) => batchOf(2 ** 40, body)[0]!));
        const rows = await store.read("SELECT body FROM part WHERE batch = ? ORDER BY body", [2 ** 40]);
        expect(rows.map((row) => row["body"])).toEqual(["B", "_", "a", "é"]);
        const [row] = await store.read("SELECT sum(batch) AS sum, avg(part) AS avg, 1 = 1 AS yes FROM part");
        expect({ ...row }).toEqual({ sum: 4 * 2 ** 40, avg: 0, yes: 1 });
      });
    });

    describe("opening", () => {
      const refusedWith = (message: RegExp, hint: RegExp): object => ({
        ...unavailable,
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(hint) as string,
      });

      test("by several at once applies each migration once", async () => {
        const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
        expect(await stores[0]!.read("SELECT id FROM schema_migrations")).toHaveLength(2);
      });

      test("with a wrong password says so and shows no password", async () => {
        const error: unknown = await open({ url: server.asGuarded(url, "not/the secret") }).catch(
          (e: unknown) => e,
        );
        expect(error).toMatchObject(refusedWith(/guarded@.*password authentication failed/, /password/));
        expect(JSON.stringify(error) + String(error)).not.toMatch(/secret/);
        const none = server.asGuarded(url, "");
        await expect(open({ url: none })).rejects.toMatchObject(refusedWith(/password/, /wants a password/));
      });

      test("without permission says what to grant, and works once it is granted", async () => {
        const guarded = server.asGuarded(url, guardedPassword);
        await expect(open({ url: guarded })).rejects.toMatchObject(
          refusedWith(/schema|permission/, /GRANT|schema/),
        );
        await server.run(`GRANT USAGE, CREATE ON SCHEMA process_${schemas} TO ${guardedUser}`);
        await (await open({ url: guarded })).write(batchOf(1));
      });

      test.each([
        [
          "a server that is not there",
          (url: string) => url.replace("homeostat-pg", "nowhere"),
          /ENOENT/,
          /Start/,
        ],
        [
          "a port where nobody listens",
          () => "postgres://me:pw@127.0.0.1:1/x",
          /me@127.0.0.1:1.x.*REFUSED/,
          /Start/,
        ],
        [
          "a database that is not there",
          (url: string) => url.replace("/postgres?", "/none?"),
          /none/,
          /Create/,
        ],
        [
          "a schema that is not there",
          (url: string) => url.replace("process", "none"),
          /search_path/,
          /schema/,
        ],
        ["a text that is no URL", () => "postgres://[", /URL/, /./],
      ])("%s is told with what to do", async (_what, change, message, hint) => {
        await expect(open({ url: change(url) })).rejects.toMatchObject(refusedWith(message, hint));
      });

      test("a schema of another program, or made by a newer version, is left as it is", async () => {
        await (await open()).close();
        const older = open({ migrations: [leaseMigration] });
        await expect(older).rejects.toMatchObject(refusedWith(/newer version/, /another database/));
        await runSql(url, "DROP TABLE schema_migrations");
        await expect(open()).rejects.toMatchObject(refusedWith(/another program/, /search_path/));
      });

      test("two migrations with one id are refused", async () => {
        await expect(open({ migrations: [migration, migration] })).rejects.toMatchObject({
          code: "INTERNAL",
        });
      });
    });
  },
);

test("PostgreSQL before 13 is refused by its version", () => {
  expect(() => requirePostgresVersion(120_022)).toThrow(/PostgreSQL 12/);
  requirePostgresVersion(130_000);
});
