import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { isHomeostatError } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { createSilentLogger } from "../base/log.ts";
import { acquireLease, freeLease, leaseMigration } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { outboxInsert, outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { parseEntry } from "./entry.ts";
import { appendBlocks, testEntry, testFolder, withLog } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "./publish.ts";
import type { LedgerPublisher, PublisherDeps } from "./publish.ts";
import { createLedgerReader } from "./reader.ts";
import { verifyLedger } from "./verify.ts";

const open: { stop(deadlineMs: number): Promise<void> }[] = [];
const stores: LeaseStore[] = [];
afterEach(async () => {
  for (const publisher of open.splice(0)) await publisher.stop(5000);
  for (const store of stores.splice(0)) await store.close();
});

async function openStore(folder: TestFolder): Promise<LeaseStore> {
  const store = await openSqliteStore({
    path: join(folder.home, "state.db"),
    migrations: [outboxMigration, leaseMigration],
    clock: systemClock,
    logger: createSilentLogger(),
  });
  stores.push(store);
  return store;
}

function publisherOn(
  folder: TestFolder,
  store: LeaseStore,
  changes: Partial<PublisherDeps> = {},
): LedgerPublisher {
  const publisher = createLedgerPublisher({
    store,
    clock: systemClock,
    logger: createSilentLogger(),
    ledgerFolder: folder.ledgerFolder,
    keysFolder: folder.keysFolder,
    owner: "process-a",
    isOwnerDead: () => false,
    settings: { ...defaultPublisherSettings, sweepMs: 50, retryMs: 20 },
    ...changes,
  });
  open.push(publisher);
  return publisher;
}

async function insert(store: LeaseStore, ...entries: LedgerEntry[]): Promise<void> {
  await store.write(entries.map((entry) => outboxInsert(entry.key, entry)));
}

function storedKeys(folder: TestFolder): Promise<string[]> {
  const reader = createLedgerReader(folder.ledgerFolder);
  return reader.entries(0, reader.head().size).then((all) => all.map((bytes) => parseEntry(bytes).key));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return isHomeostatError(error) ? error.code : String(error);
  }
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error("waited in vain");
    await systemClock.sleep(5);
  }
}

test("outbox rows become entries in their order, leave the outbox, and the position follows", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  await insert(store, ...Array.from({ length: 1200 }, (_, i) => testEntry(i)));
  const commits: number[] = [];
  const publisher = publisherOn(folder, store, { observeCommit: ({ count }) => commits.push(count) });
  await publisher.start();
  await publisher.published("test/1199");
  await insert(store, testEntry(1200));
  await publisher.published("test/1200");
  await until(async () => (await publisher.state()).pending === 0);
  const state = await publisher.state();
  expect(state).toMatchObject({ size: 1201, pending: 0, witnessedTo: null });
  expect(state.checkpoint).toContain("\n1201\n");
  expect(state.verifierKey).toContain("homeostat.local/");
  expect(Date.parse(state.lastCheckpointAt!)).toBeGreaterThan(Date.now() - 60_000);
  expect(publisher.health()).toEqual({ kind: "ok" });
  expect(await store.read("SELECT size, root FROM ledger_position")).toEqual([
    { size: 1201, root: state.root },
  ]);
  expect(await storedKeys(folder)).toEqual(Array.from({ length: 1201 }, (_, i) => `test/${i}`));
  expect(commits.reduce((sum, count) => sum + count, 0)).toBe(1201);
  expect((await verifyLedger({ ...folder, knownSize: 1201 })).findings).toEqual([]);
});

test("waiting for a key resolves when it is under a checkpoint, also when it was published long before", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const publisher = publisherOn(folder, store);
  await publisher.start();
  await insert(store, testEntry(1), testEntry(2));
  await Promise.all([
    publisher.published("test/1"),
    publisher.published("test/2"),
    publisher.published("test/1"),
  ]);
  expect(readFileSync(join(folder.ledgerFolder, "checkpoint"), "utf8")).toContain("\n2\n");
  await publisher.published("test/1");
  expect(await codeOf(publisher.published("test/1", AbortSignal.abort(new Error("given up"))))).toContain(
    "given up",
  );
});

test("waiting ends with the signal", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  await insert(store, testEntry(1));
  await acquireLease(store, {
    name: "ledger-publisher",
    owner: "other",
    ttlMs: 60_000,
    now: Date.now(),
    isOwnerDead: () => false,
  });
  const publisher = publisherOn(folder, store);
  await publisher.start();
  const aborter = new AbortController();
  const waiting = codeOf(publisher.published("test/1", aborter.signal));
  aborter.abort(new Error("given up"));
  expect(await waiting).toContain("given up");
});

test("bulk entries need no row, and the position follows within a sweep", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const publisher = publisherOn(folder, store);
  expect(await codeOf(publisher.append([testEntry(0)]))).toBe("LEDGER_UNAVAILABLE");
  await publisher.start();
  const { firstIndex, head } = await publisher.append([testEntry(0), testEntry(1)]);
  expect([firstIndex, head.size]).toEqual([0, 2]);
  await until(async () => (await store.read("SELECT size FROM ledger_position"))[0]?.["size"] === 2);
  expect(await codeOf(publisher.append([{ ...testEntry(2), type: "Not A Type" }]))).toBe(
    "LEDGER_ENTRY_INVALID",
  );
});

test("rows go before bulk entries that wait, and are not refused by a full queue", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const settings = { ...defaultPublisherSettings, sweepMs: 50, maxQueuedBytes: 3_000_000 };
  const publisher = publisherOn(folder, store, { settings });
  await publisher.start();
  const bulk = Array.from({ length: 10_000 }, (_, i) => testEntry(i));
  const filling = publisher.append(bulk);
  expect(await codeOf(publisher.append(bulk))).toBe("LEDGER_BUSY");
  await insert(store, { ...testEntry(0), key: "urgent" });
  await publisher.published("urgent");
  expect((await filling).head.size).toBeGreaterThan(10_000);
});

describe("after a crash", () => {
  test("between checkpoint and deletion the rows are deleted and nothing is published twice", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    await insert(store, ...Array.from({ length: 5 }, (_, i) => testEntry(i)));
    appendBlocks(folder, [3]);
    const publisher = publisherOn(folder, store);
    await publisher.start();
    await publisher.published("test/4");
    expect(await storedKeys(folder)).toEqual(["test/0", "test/1", "test/2", "test/3", "test/4"]);
    await until(async () => (await publisher.state()).pending === 0);
  });

  test("with many entries beyond the position they are looked through in pages", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    await insert(store, ...Array.from({ length: 30 }, (_, i) => testEntry(2480 + i)));
    appendBlocks(folder, [1000, 1500]);
    const publisher = publisherOn(folder, store);
    await publisher.start();
    await publisher.published("test/2509");
    expect((await publisher.state()).size).toBe(2510);
  });

  test("a torn block is cut off, noted, and its rows are published again", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    await insert(store, testEntry(0), testEntry(1));
    appendBlocks(folder, [1]);
    const path = join(folder.ledgerFolder, "segments/000000000000.seg");
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("torn")]));
    const publisher = publisherOn(folder, store);
    await publisher.start();
    await publisher.published("test/1");
    const keys = await storedKeys(folder);
    expect(keys).toEqual(["test/0", expect.stringMatching(/^ledger\/recovered\//), "test/1"]);
  });
});

describe("a broken ledger", () => {
  async function brokenBy(
    change: (folder: TestFolder, store: LeaseStore) => void | Promise<void>,
  ): Promise<LedgerPublisher> {
    const folder = testFolder();
    appendBlocks(folder, [4]);
    const store = await openStore(folder);
    await insert(store, testEntry(9));
    await change(folder, store);
    const publisher = publisherOn(folder, store);
    const waiting = codeOf(publisher.published("test/9"));
    await publisher.start();
    expect(await waiting).toBe("LEDGER_BROKEN");
    return publisher;
  }

  test("stops publishing, says so, and refuses everybody who waits", async () => {
    const publisher = await brokenBy((folder) => {
      const path = join(folder.ledgerFolder, "segments/000000000000.seg");
      const bytes = readFileSync(path);
      bytes[200]! ^= 1;
      writeFileSync(path, bytes);
    });
    expect(publisher.health()).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("block 0 at byte 0"),
    });
    expect(await codeOf(publisher.published("test/9"))).toBe("LEDGER_BROKEN");
    expect(await codeOf(publisher.append([testEntry(1)]))).toBe("LEDGER_BROKEN");
    expect(await publisher.state()).toMatchObject({ size: 4, pending: 1 });
    await publisher.stop(1000);
    expect(publisher.health().kind).toBe("failed");
  });

  test("is also one that was rolled back behind what the database knows", async () => {
    const publisher = await brokenBy(async (_folder, store) => {
      await store.write([{ sql: "INSERT INTO ledger_position (only_row, size, root) VALUES (1, 5, '')" }]);
    });
    expect(publisher.health()).toMatchObject({ detail: expect.stringContaining("rolled back") });
  });

  test("whose files are gone has a state all the same", async () => {
    const publisher = await brokenBy(async (folder, store) => {
      rmSync(folder.ledgerFolder, { recursive: true });
      await store.write([{ sql: "INSERT INTO ledger_position (only_row, size, root) VALUES (1, 4, '')" }]);
    });
    expect(await publisher.state()).toMatchObject({
      size: 0,
      checkpoint: "",
      verifierKey: "",
      lastCheckpointAt: null,
    });
  });
});

test("a row that holds no valid entry is replaced by a note, told to its waiter, and stops nobody else", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const bad = (key: string, text: string): { sql: string; params: string[] } => ({
    sql: "INSERT INTO ledger_outbox (key, entry) VALUES (?, ?)",
    params: [key, text],
  });
  await store.write([
    bad("a", "not json"),
    bad("b", JSON.stringify({ ...testEntry(1), key: "b", v: 2 })),
    bad("c", JSON.stringify(testEntry(1))),
    bad("d", JSON.stringify({ ...testEntry(1), key: "d", data: { x: "x".repeat(70_000) } })),
    bad("e", JSON.stringify({ ...testEntry(1), key: "e", data: { x: "\ud800" } })),
    bad("", "empty key"),
    outboxInsert("test/1", testEntry(1)),
  ]);
  const publisher = publisherOn(folder, store);
  const waiting = ["a", "b", "c", "d", "e", "test/1"].map((key) => codeOf(publisher.published(key)));
  await publisher.start();
  expect(await Promise.all(waiting)).toEqual([
    ...Array.from({ length: 5 }, () => "LEDGER_ENTRY_INVALID"),
    "no error",
  ]);
  const all = (await publisher.reader.entries(0, 7)).map(parseEntry);
  expect(all.map(({ type }) => type)).toEqual([
    ...Array.from({ length: 6 }, () => "ledger.entry_refused"),
    "test.happened",
  ]);
  expect(all.map(({ key }) => key)).toEqual([
    "a",
    "b",
    "c",
    "d",
    "e",
    expect.stringMatching(/^ledger\/refused\//),
    "test/1",
  ]);
  expect(all[0]?.data).toEqual({ rowSha256: sha256("not json"), sizeBytes: 8 });
});

describe("the lease", () => {
  test("of another process makes this one follow: who waits is told when the other has published", async () => {
    const folder = testFolder();
    const storeA = await openStore(folder);
    const storeB = await openStore(folder);
    const first = publisherOn(folder, storeA);
    await first.start();
    const second = publisherOn(folder, storeB, { owner: "process-b" });
    await second.start();
    expect(second.health()).toEqual({ kind: "ok", detail: "another process publishes" });
    expect(await codeOf(second.append([testEntry(0)]))).toBe("LEDGER_UNAVAILABLE");
    await insert(storeB, testEntry(5));
    await second.published("test/5");
    expect((await second.state()).size).toBe(1);
    await first.stop(5000);
    await until(() => second.health().detail === undefined);
    await insert(storeB, testEntry(6));
    await second.published("test/6");
    expect(await storedKeys(folder)).toEqual(["test/5", "test/6"]);
  });

  test("of a dead owner is taken at once", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    await acquireLease(store, {
      name: "ledger-publisher",
      owner: "dead",
      ttlMs: 60_000,
      now: Date.now(),
      isOwnerDead: () => false,
    });
    const publisher = publisherOn(folder, store, { isOwnerDead: (owner) => owner === "dead" });
    await publisher.start();
    expect(publisher.health()).toEqual({ kind: "ok" });
  });

  test("with little time left stops acts: rows wait, bulk entries are refused", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    let leftMs = 30_000;
    const waning: LeaseStore = {
      ...store,
      holdLease: (lease) => {
        const held = store.holdLease(lease);
        return { ...lease, signal: held.signal, remainingMs: () => leftMs };
      },
    };
    const publisher = publisherOn(folder, waning);
    await publisher.start();
    leftMs = 4000;
    expect(await codeOf(publisher.append([testEntry(0)]))).toBe("LEASE_LOST");
    await insert(store, testEntry(1));
    await until(() => publisher.health().kind === "degraded");
    leftMs = 30_000;
    await publisher.published("test/1");
    expect(await storedKeys(folder)).toEqual(["test/1"]);
  });

  test("that ended while the ledger was being opened ends the turn, and the next one publishes", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    let turns = 0;
    const ending: LeaseStore = {
      ...store,
      holdLease: (lease) => {
        const held = store.holdLease(lease);
        turns += 1;
        const signal = turns === 1 ? AbortSignal.abort(new Error("ended")) : held.signal;
        return { ...lease, signal, remainingMs: () => held.remainingMs() };
      },
    };
    const publisher = publisherOn(folder, ending);
    await insert(store, testEntry(1));
    await publisher.start();
    await publisher.published("test/1");
    await until(() => turns === 2);
    expect(await storedKeys(folder)).toEqual(["test/1"]);
  });

  test("that could not be freed is taken again at once by the one who held it", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    let turns = 0;
    let failures = 0;
    const freeing = freeLease({ name: "", owner: "", epoch: 0 }).sql;
    const unfreeable: LeaseStore = {
      ...store,
      holdLease: (lease) => {
        const held = store.holdLease(lease);
        turns += 1;
        const signal = turns === 1 ? AbortSignal.abort(new Error("ended")) : held.signal;
        return { ...lease, signal, remainingMs: () => held.remainingMs() };
      },
      write: async (batch) => {
        if (turns === 1 && failures === 0 && batch.some(({ sql }) => sql === freeing)) {
          failures += 1;
          throw new Error("the disk is full");
        }
        return await store.write(batch);
      },
    };
    // No test would wait for the end of such a lease.
    const settings = { ...defaultPublisherSettings, sweepMs: 50, retryMs: 20, leaseTtlMs: 600_000 };
    const publisher = publisherOn(folder, unfreeable, { settings });
    await insert(store, testEntry(1));
    await publisher.start();
    await publisher.published("test/1");
    await until(() => turns === 2);
    expect(failures).toBe(1);
  });

  test("that was taken over ends publishing, and nothing of the batch under way is deleted twice", async () => {
    const folder = testFolder();
    const store = await openStore(folder);
    const publisher = publisherOn(folder, store);
    await publisher.start();
    await store.write([
      {
        sql: "UPDATE leases SET owner = 'thief', epoch = epoch + 1, until_ms = ?",
        params: [Date.now() + 700],
      },
    ]);
    await insert(store, testEntry(0));
    await until(() => publisher.health().detail === "another process publishes");
    await publisher.published("test/0");
    await until(() => publisher.health().kind === "ok" && publisher.health().detail === undefined);
    expect(await storedKeys(folder)).toEqual(["test/0"]);
  });
});

test("a disk that refuses is waited for: the ledger is opened again and who waits is told in the end", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const publisher = publisherOn(folder, store);
  await publisher.start();
  const obstacle = join(folder.ledgerFolder, "checkpoint.tmp");
  mkdirSync(obstacle);
  await insert(store, testEntry(0));
  const waiting = publisher.published("test/0");
  await until(() => publisher.health().kind === "degraded");
  rmSync(obstacle, { recursive: true });
  await waiting;
  expect(await storedKeys(folder)).toEqual(["test/0"]);
});

test("stopping publishes what the outbox still holds, ends those who wait, and may be repeated", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const publisher = publisherOn(folder, store);
  await publisher.start();
  await insert(store, ...Array.from({ length: 700 }, (_, i) => testEntry(i)));
  await publisher.stop(5000);
  await publisher.stop(5000);
  expect((await storedKeys(folder)).length).toBe(700);
  expect(publisher.health()).toEqual({ kind: "degraded", detail: "it is stopped" });
  expect(await codeOf(publisher.published("test/1"))).toBe("LEDGER_UNAVAILABLE");
  expect(await store.read("SELECT owner FROM leases")).toEqual([{ owner: "" }]);
  withLog(folder, (log) => expect(log.head.size).toBe(700));
});

test("a stop during the start still publishes what is there", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  await insert(store, testEntry(0));
  const publisher = publisherOn(folder, store);
  const starting = publisher.start();
  await publisher.stop(5000);
  await starting;
  expect(await storedKeys(folder)).toEqual(["test/0"]);
});

test("a stop that cannot wait ends without what is left, and loses nothing", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const publisher = publisherOn(folder, store);
  await publisher.start();
  await insert(store, ...Array.from({ length: 3000 }, (_, i) => testEntry(i)));
  await publisher.stop(0);
  const next = publisherOn(folder, store);
  await until(async () => (await store.read("SELECT owner FROM leases"))[0]?.["owner"] === "");
  await next.start();
  await next.published("test/2999");
  expect(await storedKeys(folder)).toEqual(Array.from({ length: 3000 }, (_, i) => `test/${i}`));
});

test("a database that cannot be read is waited for, too", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  let isDown = true;
  const shaky: LeaseStore = {
    ...store,
    read: async (...args) => {
      if (isDown) throw new Error("no database");
      return await store.read(...args);
    },
  };
  const publisher = publisherOn(folder, shaky);
  await publisher.start();
  expect(publisher.health()).toEqual({ kind: "degraded", detail: "no database" });
  isDown = false;
  await until(() => publisher.health().kind === "ok");
});

test("an error of our own code ends the publisher, which says why, for a new one to begin with what is on disk", async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const fault = new TypeError("x is not a function");
  const publisher = publisherOn(folder, { ...store, read: () => Promise.reject(fault) });
  await publisher.start();
  expect(await publisher.failed).toBe(fault);
  expect(publisher.health()).toMatchObject({
    kind: "degraded",
    detail: expect.stringContaining(fault.message),
  });
  const next = publisherOn(folder, store);
  await next.start();
  await insert(store, testEntry(1));
  await next.published("test/1");
});
