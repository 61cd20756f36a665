import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isHomeostatError } from "../base/error.ts";
import { frameEntries, parseEntry } from "./entry.ts";
import { startLog } from "./log-client.ts";
import { appendBlocks, testEntry, testFolder } from "./log.fixture.ts";
import { createLedgerReader } from "./reader.ts";
import { verifyLedger } from "./verify.ts";

const maxQueuedBytes = 64 * 1024 * 1024;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return isHomeostatError(error) ? error.code : String(error);
  }
}

test("appends made together share a block, and each learns its index and checkpoint", async () => {
  const folder = testFolder();
  const commits: number[] = [];
  const log = await startLog({ ...folder, maxQueuedBytes, onCommitted: ({ count }) => commits.push(count) });
  const appended = await Promise.all(
    [0, 1, 2].map((i) => log.append(frameEntries([testEntry(2 * i), testEntry(2 * i + 1)]))),
  );
  expect(appended.map(({ firstIndex }) => firstIndex)).toEqual([0, 2, 4]);
  expect(commits).toEqual([6]);
  expect(log.head).toEqual(appended[2]!.head);
  expect(await log.append({ payload: Buffer.alloc(0), count: 0 })).toEqual({ firstIndex: 6, head: log.head });
  await log.close();
  await log.close();
  expect(await codeOf(log.append(frameEntries([testEntry(0)])))).toBe("LEDGER_UNAVAILABLE");
  expect((await verifyLedger(folder)).findings).toEqual([]);
});

test("an append larger than a block is spread over several and acknowledged when the last is signed", async () => {
  const folder = testFolder();
  const commits: number[] = [];
  const log = await startLog({ ...folder, maxQueuedBytes, onCommitted: ({ count }) => commits.push(count) });
  const many = Array.from({ length: 5000 }, (_, i) => testEntry(i));
  const large = Array.from({ length: 40 }, (_, i) => testEntry(5000 + i, "x".repeat(60_000)));
  const [first, second] = await Promise.all([
    log.append(frameEntries(many)),
    log.append(frameEntries(large)),
  ]);
  expect([first.firstIndex, second.firstIndex]).toEqual([0, 5000]);
  expect(second.head.size).toBe(5040);
  expect(Math.max(...commits)).toBeLessThanOrEqual(2048);
  expect(commits.length).toBeGreaterThanOrEqual(6);
  await log.close();
  const reader = createLedgerReader(folder.ledgerFolder);
  expect((await reader.entries(0, 5040)).map((bytes) => parseEntry(bytes).key)).toEqual(
    Array.from({ length: 5040 }, (_, i) => `test/${i}`),
  );
});

test("what does not fit the queue is refused at once, and what was queued is still written on close", async () => {
  const folder = testFolder();
  const framed = frameEntries(Array.from({ length: 100 }, (_, i) => testEntry(i)));
  const log = await startLog({ ...folder, maxQueuedBytes: framed.payload.length * 2 });
  const accepted = [log.append(framed), log.append(framed)];
  expect(await codeOf(log.append(framed))).toBe("LEDGER_BUSY");
  const closed = log.close();
  expect(await codeOf(log.append(framed))).toBe("LEDGER_UNAVAILABLE");
  await closed;
  expect((await Promise.all(accepted)).map(({ firstIndex }) => firstIndex)).toEqual([0, 100]);
});

test("a ledger that cannot be opened is refused with the reason", async () => {
  const folder = testFolder();
  appendBlocks(folder, [1]);
  expect(await codeOf(startLog({ ...folder, knownSize: 9, maxQueuedBytes }))).toBe("LEDGER_BROKEN");
  rmSync(join(folder.keysFolder, "ledger-hmac.key"));
  expect(await codeOf(startLog({ ...folder, maxQueuedBytes }))).toBe("LEDGER_KEYS_UNUSABLE");
  rmSync(folder.home, { recursive: true });
  writeFileSync(folder.home, "a file where the folder should be");
  expect(await codeOf(startLog({ ...folder, maxQueuedBytes }))).toBe("LEDGER_UNAVAILABLE");
});

test("when writing fails, everybody waiting hears of it and a new log recovers", async () => {
  const folder = testFolder();
  const log = await startLog({ ...folder, maxQueuedBytes });
  await log.append(frameEntries([testEntry(0)]));
  mkdirSync(join(folder.ledgerFolder, "checkpoint.tmp"));
  const many = Array.from({ length: 5000 }, (_, i) => testEntry(i));
  const results = [log.append(frameEntries(many)), log.append(frameEntries([testEntry(1)]))].map(codeOf);
  expect(await Promise.all(results)).toEqual(["LEDGER_UNAVAILABLE", "LEDGER_UNAVAILABLE"]);
  expect(await codeOf(log.failed)).toBe("LEDGER_UNAVAILABLE");
  expect(await codeOf(log.append(frameEntries([testEntry(2)])))).toBe("LEDGER_UNAVAILABLE");
  await log.close();
  rmSync(join(folder.ledgerFolder, "checkpoint.tmp"), { recursive: true });
  const again = await startLog({ ...folder, maxQueuedBytes });
  expect(again.repairs.adoptedEntries).toBe(2048);
  await again.close();
  expect((await verifyLedger(folder)).findings).toEqual([]);
});
