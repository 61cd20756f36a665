/** The ledger: durable appends through the publisher, time to durable, rows through the outbox, and verification. */
import { createHash, createHmac, createSecretKey } from "node:crypto";
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../packages/server/src/base/clock.ts";
import type { LedgerEntry } from "../packages/server/src/base/ledger-entry.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { encodeEntry } from "../packages/server/src/ledger/entry.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "../packages/server/src/ledger/publish.ts";
import type { LedgerPublisher } from "../packages/server/src/ledger/publish.ts";
import { verifyLedger } from "../packages/server/src/ledger/verify.ts";
import { leaseMigration } from "../packages/server/src/store/lease.ts";
import type { LeaseStore } from "../packages/server/src/store/lease.ts";
import { outboxInsert, outboxMigration } from "../packages/server/src/store/outbox.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import {
  atLeast,
  atMost,
  benchFolder,
  benchResult,
  interleave,
  median,
  percentile,
  rounded,
  timed,
} from "./bench.ts";
import type { BenchOptions, BenchResult, Row } from "./bench.ts";

const entryBytes = 240;
const batchEntries = 256;
/** Batches a caller has under way at a time: enough to keep both threads busy, few enough to bound the wait. */
const batchesUnderWay = 12;
const roundEntries = 300_000;
const rounds = 5;

export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  // Beside this file, because /tmp may be memory.
  mkdirSync(join(benchFolder, "results"), { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "results", "ledger-"));
  const ledger = await openLedger(folder);
  try {
    const batches = makeBatches(roundEntries);
    progress("warming up");
    await appendAll(ledger.publisher, batches.slice(0, 200));
    const waits: number[] = [];
    progress(`${rounds} rounds of ${roundEntries} durable appends, beside SQLite and the anchors`);
    const figures = await interleave(
      {
        ledger: async () => await appendAll(ledger.publisher, batches, waits),
        sqlite: () => insertChained(join(folder, `peer-${performance.now()}.db`), batches.slice(0, 400)),
        fdatasync: () => syncRate(join(folder, "anchor")),
        sha256: () => hashRate(),
      },
      rounds,
    );
    progress("rows through the outbox, one by one and in groups");
    const singleWaits = await publishOneByOne(ledger, 400);
    const outboxRate = await publishRows(ledger, 20_000);
    await ledger.close();
    progress("verifying");
    const verifications = await verifyRates(folder);
    const rate = median(figures.ledger);
    const p99 = percentile(waits, 0.99);
    const rows: readonly Row[] = [
      row("durable entries/s, batches of 256, through the publisher", rate, figures.ledger),
      row("time to durable under that load, ms: median", percentile(waits, 0.5)),
      row("time to durable under that load, ms: p99", p99),
      row("outbox rows/s, inserted in groups of 100 until published", outboxRate),
      row("one row from commit to published, ms: median", percentile(singleWaits, 0.5)),
      row("one row from commit to published, ms: p99", percentile(singleWaits, 0.99)),
      row("verified entries/s, one thread", median(verifications.rates), verifications.rates),
      row("entries verified", verifications.size),
      row(
        "SQLite, WAL, full sync, commit per 10 ms, chain and HMAC per entry: entries/s",
        median(figures.sqlite),
        figures.sqlite,
      ),
      row("ledger against that, times", rate / median(figures.sqlite)),
      row("anchor: 4 KiB write and fdatasync, per s", median(figures.fdatasync), figures.fdatasync),
      row("anchor: SHA-256, MB/s", median(figures.sha256), figures.sha256),
    ];
    const bars = [
      atLeast("ledger-append", "durable entries/s, batched", rate, 250_000),
      atMost("ledger-p99", "p99 ms to durable", p99, 25),
      atLeast("ledger-verify", "verified entries/s", median(verifications.rates), 400_000),
    ];
    return await benchResult("ledger", {
      peers: { "node:sqlite": process.versions["sqlite"] ?? "built in" },
      rows,
      bars,
    });
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, value: number, spread: readonly number[] = []): Row {
  const least = spread.length === 0 ? null : rounded(Math.min(...spread));
  const most = spread.length === 0 ? null : rounded(Math.max(...spread));
  return { what, value: rounded(value), least, most };
}

interface OpenLedger {
  readonly store: LeaseStore;
  readonly publisher: LedgerPublisher;
  close(): Promise<void>;
}

async function openLedger(folder: string): Promise<OpenLedger> {
  const logger = createSilentLogger();
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [outboxMigration, leaseMigration],
    clock: systemClock,
    logger,
  });
  const publisher = createLedgerPublisher({
    store,
    clock: systemClock,
    logger,
    ledgerFolder: join(folder, "ledger"),
    keysFolder: join(folder, "keys"),
    owner: "bench",
    isOwnerDead: () => false,
    settings: defaultPublisherSettings,
  });
  await publisher.start();
  return {
    store,
    publisher,
    async close() {
      await publisher.stop(10_000);
      await store.close();
    },
  };
}

/** Entries whose canonical form has exactly 240 bytes. */
function makeBatches(count: number): readonly (readonly LedgerEntry[])[] {
  const padding = "x".repeat(entryBytes - encodeEntry(makeEntry(0, "")).length);
  const entries = Array.from({ length: count }, (_, index) => makeEntry(index, padding));
  return Array.from({ length: count / batchEntries }, (_, i) =>
    entries.slice(i * batchEntries, (i + 1) * batchEntries),
  );
}

function makeEntry(index: number, padding: string): LedgerEntry {
  return {
    v: 1,
    key: `b/${String(index).padStart(9, "0")}`,
    at: "2026-02-03T04:05:06.789Z",
    type: "bench.entry",
    tenant: "default",
    actor: { kind: "system", id: "bench" },
    labels: [],
    salt: index.toString(16).padStart(32, "0"),
    data: { text: padding },
  };
}

/** Entries per second until all are under a checkpoint on disk; each batch's wait in ms is added to `waits`. */
async function appendAll(
  publisher: LedgerPublisher,
  batches: readonly (readonly LedgerEntry[])[],
  waits: number[] = [],
): Promise<number> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < batches.length) {
      const batch = batches[next++] as readonly LedgerEntry[];
      waits.push(await timed(() => publisher.append(batch)));
    }
  };
  const tookMs = await timed(() => Promise.all(Array.from({ length: batchesUnderWay }, caller)));
  return (batches.length * batchEntries * 1000) / tookMs;
}

/** Milliseconds from a committed row to its checkpoint, as an unsafe intent waits. */
async function publishOneByOne({ store, publisher }: OpenLedger, count: number): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let i = 0; i < count; i += 1) {
    await store.write([outboxInsert(`single/${i}`, rowEntry(`single/${i}`))]);
    waits.push(await timed(() => publisher.published(`single/${i}`)));
  }
  return waits;
}

async function publishRows({ store, publisher }: OpenLedger, count: number): Promise<number> {
  const tookMs = await timed(async () => {
    for (let i = 0; i < count; i += 100) {
      await store.write(
        Array.from({ length: 100 }, (_, n) => outboxInsert(`row/${i + n}`, rowEntry(`row/${i + n}`))),
      );
    }
    await publisher.published(`row/${count - 1}`);
  });
  return (count * 1000) / tookMs;
}

function rowEntry(key: string): LedgerEntry {
  return { ...makeEntry(0, "x".repeat(30)), key };
}

async function verifyRates(folder: string): Promise<{ rates: readonly number[]; size: number }> {
  const rates: number[] = [];
  let size = 0;
  for (let i = 0; i < 3; i += 1) {
    const report = await verifyLedger({
      ledgerFolder: join(folder, "ledger"),
      keysFolder: join(folder, "keys"),
    });
    if (report.findings.length > 0)
      throw new Error(`the ledger is not intact: ${JSON.stringify(report.findings[0])}`);
    size = report.size;
    rates.push((size * 1000) / report.durationMs);
  }
  return { rates, size };
}

/** The same promise kept with SQLite: entries chained by SHA-256 and HMAC, one transaction about every 10 ms (2,560 entries). */
function insertChained(path: string, batches: readonly (readonly LedgerEntry[])[]): number {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE log (id INTEGER PRIMARY KEY, entry BLOB, hash BLOB, mac BLOB)",
    );
    const insert = database.prepare("INSERT INTO log (entry, hash, mac) VALUES (?, ?, ?)");
    const key = createSecretKey(Buffer.alloc(32, 1));
    let previous: Buffer = Buffer.alloc(32);
    const startMs = performance.now();
    for (const [index, batch] of batches.entries()) {
      if (index % 10 === 0) database.exec("BEGIN");
      for (const entry of batch) {
        const bytes = encodeEntry(entry);
        previous = createHash("sha256").update(previous).update(bytes).digest();
        insert.run(bytes, previous, createHmac("sha256", key).update(previous).digest());
      }
      if (index % 10 === 9) database.exec("COMMIT");
    }
    if (database.isTransaction) database.exec("COMMIT");
    return (batches.length * batchEntries * 1000) / (performance.now() - startMs);
  } finally {
    database.close();
  }
}

function syncRate(path: string): number {
  const file = openSync(path, "w");
  const bytes = Buffer.alloc(4096, 1);
  const startMs = performance.now();
  for (let i = 0; i < 300; i += 1) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  const tookMs = performance.now() - startMs;
  closeSync(file);
  return 300_000 / tookMs;
}

function hashRate(): number {
  const bytes = Buffer.alloc(16 * 1024 * 1024, 1);
  const startMs = performance.now();
  for (let i = 0; i < 8; i += 1) createHash("sha256").update(bytes).digest();
  return (8 * bytes.length) / 1000 / (performance.now() - startMs);
}
