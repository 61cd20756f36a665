import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { parseEntry } from "./entry.ts";
import { testFolder, withLog } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "./publish.ts";
import { createLedgerReader } from "./reader.ts";
import { verifyLedger } from "./verify.ts";

test(
  "kill -9 while appending loses no acknowledged entry, and the ledger is intact after the next start",
  { timeout: 120_000 },
  async () => {
    const folder = testFolder({ segmentBytes: 100_000 });
    const acknowledged: string[] = [];
    const seed = 7;
    for (let round = 0; round < 8; round += 1) {
      const lines = await startAndKill(
        "./crash.fixture.ts",
        JSON.stringify(folder),
        20 + ((seed * (round + 1) * 37) % 180),
      );
      acknowledged.push(...lines.filter((line) => line !== "ready"));
      const recovered = withLog(folder, (log) => log.head.size);
      expect(
        (await verifyLedger({ ...folder, knownSize: recovered })).findings,
        `seed ${seed}, round ${round}`,
      ).toEqual([]);
    }
    const reader = createLedgerReader(folder.ledgerFolder);
    const keys = (await reader.entries(0, reader.head().size)).map((bytes) => parseEntry(bytes).key);
    expect(acknowledged.length).toBeGreaterThan(20);
    for (const line of acknowledged) {
      const [index, key, count] = line.split(" ") as [string, string, string];
      expect(keys[Number(index)]).toBe(key);
      expect(keys[Number(index) + Number(count) - 1]).toBe(key.replace(/0$/, String(Number(count) - 1)));
    }
  },
);

test(
  "kill -9 while publishing: every committed row is in the ledger once, and what was told published was",
  { timeout: 120_000 },
  async () => {
    const folder = testFolder();
    const told: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      told.push(...(await startAndKill("./crash-publisher.fixture.ts", folder.home, 20 + round * 31)));
      const published = told.filter((line) => line.startsWith("published ")).map((line) => line.slice(10));
      const stored = new Set(await keysOf(folder));
      expect(published.filter((key) => !stored.has(key))).toEqual([]);
    }
    const store = await openSqliteStore({
      path: join(folder.home, "state.db"),
      migrations: [outboxMigration, leaseMigration],
      clock: systemClock,
      logger: createSilentLogger(),
    });
    const publisher = createLedgerPublisher({
      store,
      clock: systemClock,
      logger: createSilentLogger(),
      ledgerFolder: folder.ledgerFolder,
      keysFolder: folder.keysFolder,
      owner: "last",
      isOwnerDead: () => true,
      settings: defaultPublisherSettings,
    });
    await publisher.start();
    await publisher.stop(10_000);
    expect(await store.read("SELECT COUNT(*) AS left_over FROM ledger_outbox")).toEqual([{ left_over: 0 }]);
    await store.close();
    const keys = (await keysOf(folder)).filter((key) => !key.startsWith("ledger/recovered/"));
    const committed = told.filter((line) => line.startsWith("committed ")).map((line) => line.slice(10));
    expect(committed.length).toBeGreaterThan(20);
    expect(new Set(keys).size).toBe(keys.length);
    expect(committed.filter((key) => !keys.includes(key))).toEqual([]);
    expect((await verifyLedger(folder)).findings).toEqual([]);
  },
);

async function keysOf(folder: TestFolder): Promise<readonly string[]> {
  const reader = createLedgerReader(folder.ledgerFolder);
  return (await reader.entries(0, reader.head().size)).map((bytes) => parseEntry(bytes).key);
}

/** Starts a fixture and kills it `afterMs` after its first words. Resolves with the lines it wrote whole. */
function startAndKill(fixture: string, argument: string, afterMs: number): Promise<string[]> {
  const path = new URL(fixture, import.meta.url).pathname;
  const child = spawn(process.execPath, [path, argument], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (text === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    text += chunk.toString();
  });
  return new Promise((resolve) => child.on("close", () => resolve(text.split("\n").slice(0, -1))));
}
