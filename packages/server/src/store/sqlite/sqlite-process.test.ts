/** What the contract cannot test: the death of a process or thread, a full disk, and files that are no database. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { acquireLease, leaseMigration } from "../lease.ts";
import { isProcessDead } from "../process-identity.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { SqliteStoreOptions } from "./sqlite.ts";
import type { LeaseStore } from "../lease.ts";
import type { Migration, Statement } from "../store.ts";

const migration: Migration = {
  id: "0001-part",
  statements: () => ["CREATE TABLE part (batch BIGINT NOT NULL, part BIGINT NOT NULL, body TEXT NOT NULL)"],
};
const partsPerBatch = 3;

let folder: string;
let path: string;
let opened: LeaseStore[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-sqlite-"));
  path = join(folder, "state.db");
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<SqliteStoreOptions> = {}): Promise<LeaseStore> {
  const store = await openSqliteStore({
    path,
    migrations: [migration, leaseMigration],
    clock: systemClock,
    logger: createSilentLogger(),
    ...options,
  });
  opened.push(store);
  return store;
}

function batchOf(batch: number, body = ""): Statement[] {
  return Array.from({ length: partsPerBatch }, (_, part) => ({
    sql: "INSERT INTO part (batch, part, body) VALUES (?, ?, ?)",
    params: [batch, part, body],
  }));
}

/**
 * A process with a store of its own, that takes the lease `run/1` and writes batches from `from` on, a few in flight,
 * each with `bodyLength` characters. It prints `identity ...`, then the number of every batch that is acknowledged, and
 * `failed CODE` for one that is not.
 */
function startWriterProcess(
  from: number,
  { bodyLength = 10, fileLimitKilobytes = "unlimited" as string | number, count = Infinity } = {},
): { lines: AsyncIterator<string>; kill: () => Promise<unknown> } {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const code = `
    import { openSqliteStore } from ${module("./sqlite.ts")};
    import { acquireLease, leaseMigration } from ${module("../lease.ts")};
    import { processIdentity } from ${module("../process-identity.ts")};
    import { systemClock } from ${module("../../base/clock.ts")};
    import { createSilentLogger } from ${module("../../base/log.ts")};
    import { writeSync } from "node:fs";
    // The pipe is full while its reader is slow.
    function say(line) {
      for (;;) {
        try { return writeSync(1, line); } catch (error) { if (error.code !== "EAGAIN") throw error; }
      }
    }
    const migration = { id: "0001-part", statements: () => [${JSON.stringify(migration.statements({ bytes: "", identity: "", numberRows: () => [] })[0])}] };
    const store = await openSqliteStore({ path: ${JSON.stringify(path)}, migrations: [migration, leaseMigration],
      clock: systemClock, logger: createSilentLogger() });
    const owner = processIdentity();
    await acquireLease(store, { name: "run/1", owner, ttlMs: 60_000, now: Date.now(), isOwnerDead: () => false });
    say("identity " + owner + "\\n");
    const body = "x".repeat(${bodyLength});
    let next = ${from};
    async function write() {
      while (next < ${from + count}) {
        const batch = next++;
        const statement = (part) => ({ sql: "INSERT INTO part (batch, part, body) VALUES (?, ?, ?)", params: [batch, part, body] });
        try {
          await store.write([0, 1, 2].map(statement));
          say(batch + "\\n");
        } catch (error) {
          say("failed " + error.code + "\\n");
        }
      }
    }
    await Promise.all([write(), write(), write(), write()]);
    await store.close();
    say("done\\n");`;
  const command = 'ulimit -f "$1" && exec "$2" --input-type=module-typescript -e "$3"';
  // dash, the usual sh, counts in blocks of 512 bytes.
  const limit = typeof fileLimitKilobytes === "number" ? fileLimitKilobytes * 2 : fileLimitKilobytes;
  const child = spawn("sh", ["-c", command, "sh", String(limit), process.execPath, code], {
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

async function nextLine(lines: AsyncIterator<string>): Promise<string | undefined> {
  const { done, value } = await lines.next();
  return done === true ? undefined : value;
}

describe("a process killed in the middle of its writes", () => {
  test("loses no acknowledged batch, leaves none half, and its lease is taken over at once", async () => {
    const acknowledged = new Set<number>();
    for (let round = 0; round < 4; round += 1) {
      const { lines, kill } = startWriterProcess(round * 1_000_000);
      const identity = (await nextLine(lines))?.replace("identity ", "") ?? "";
      for (let seen = 0; seen < 40 + round * 60; seen += 1) acknowledged.add(Number(await nextLine(lines)));
      await kill();
      for (let line = await nextLine(lines); line !== undefined; line = await nextLine(lines)) {
        acknowledged.add(Number(line));
      }
      const store = await open();
      const rows = await store.read("SELECT batch, count(*) AS parts FROM part GROUP BY batch");
      const kept = new Map(rows.map((row) => [row["batch"], row["parts"]]));
      for (const batch of acknowledged) expect(kept.get(batch)).toBe(partsPerBatch);
      for (const parts of kept.values()) expect(parts).toBe(partsPerBatch);
      expect(isProcessDead(identity)).toBe(true);
      const request = { name: "run/1", ttlMs: 1, now: Date.now() };
      const lease = await acquireLease(store, { ...request, owner: "me", isOwnerDead: isProcessDead });
      expect(lease?.epoch).toBe(2 * round + 2);
      await store.close();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(acknowledged.size).toBeGreaterThan(4 * 40);
  });
});

describe("two processes on one database", () => {
  test("write side by side, and each wakes the other's listeners", async () => {
    const store = await open();
    let wakes = 0;
    store.onCommit("part", () => (wakes += 1));
    const { lines, kill } = startWriterProcess(0, { count: 300 });
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
    expect(wakes).toBeGreaterThan(ownWakes);
    const [row] = await store.read("SELECT count(*) AS rows FROM part");
    expect(row?.["rows"]).toBe(600 * partsPerBatch);
  });
});

describe("a disk that takes no more", () => {
  test("refuses batches as unavailable, keeps what was acknowledged and nothing half", async () => {
    const acknowledged: number[] = [];
    const failures: string[] = [];
    const { lines, kill } = startWriterProcess(0, {
      bodyLength: 20_000,
      fileLimitKilobytes: 1024,
      count: 60,
    });
    await nextLine(lines);
    for (let line = await nextLine(lines); line !== undefined; line = await nextLine(lines)) {
      if (line.startsWith("failed")) failures.push(line);
      else if (line !== "done") acknowledged.push(Number(line));
    }
    await kill();
    expect(failures.length).toBeGreaterThan(0);
    expect(new Set(failures)).toEqual(new Set(["failed STORE_UNAVAILABLE"]));
    const store = await open();
    const rows = await store.read("SELECT batch, count(*) AS parts FROM part GROUP BY batch");
    const kept = new Map(rows.map((row) => [row["batch"], row["parts"]]));
    for (const batch of acknowledged) expect(kept.get(batch)).toBe(partsPerBatch);
    for (const parts of kept.values()) expect(parts).toBe(partsPerBatch);
  });
});

describe("group commit", () => {
  test("serves many callers with few commits, and a single caller with one each", async () => {
    const sizes: number[] = [];
    const store = await open({ observeCommit: ({ batches }) => sizes.push(batches) });
    const count = 10_000;
    await Promise.all(Array.from({ length: count }, (_, batch) => store.write(batchOf(batch))));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
    expect(sizes.length).toBeLessThanOrEqual(20);
    sizes.length = 0;
    for (let batch = 0; batch < 5; batch += 1) await store.write(batchOf(batch));
    expect(sizes).toEqual([1, 1, 1, 1, 1]);
  });

  test("refuses what is more than may wait, and takes more once there is room", async () => {
    const store = await open({ maxPendingBatches: 3 });
    const writes = [1, 2, 3, 4].map((batch) => store.write(batchOf(batch)));
    await expect(writes[3]).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await Promise.all(writes.slice(0, 3));
    for (let batch = 4; batch < 20; batch += 1) await store.write(batchOf(batch));
  });
});

describe("opening", () => {
  test("by several at once applies each migration once", async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => open()));
    const rows = await stores[0]!.read("SELECT id FROM schema_migrations");
    expect(rows).toHaveLength(2);
  });

  test("makes files that only this user may read", async () => {
    await (await open()).write(batchOf(1));
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  });

  test("a folder, or a file in a folder that is missing or takes no files, says what to do", async () => {
    const unusable = { code: "DATA_FOLDER_UNUSABLE" };
    await expect(open({ path: folder })).rejects.toMatchObject({
      ...unusable,
      hint: expect.stringMatching("folder") as string,
    });
    const missing = join(folder, "missing", "state.db");
    await expect(open({ path: missing })).rejects.toMatchObject({ ...unusable, data: { path: missing } });
    // Root may write everywhere but here.
    await expect(open({ path: "/proc/state.db" })).rejects.toMatchObject(unusable);
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(open({ path: join(file, "state.db") })).rejects.toMatchObject(unusable);
  });

  test("a file that is no database, or was made by a newer version, is left as it is", async () => {
    writeFileSync(path, "not a database".repeat(100));
    await expect(open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", data: { path } });
    rmSync(path);
    await (await open()).close();
    await expect(open({ migrations: [leaseMigration] })).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
      message: expect.stringContaining("newer version") as string,
    });
    await open();
  });

  test("a file whose log cannot be written is refused, and the thread ends", async () => {
    mkdirSync(`${path}-wal`);
    await expect(open()).rejects.toMatchObject({ data: { path } });
  });

  test("two migrations with one id are refused", async () => {
    await expect(open({ migrations: [migration, migration] })).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
