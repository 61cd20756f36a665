/** Small ledgers in temporary folders, for the tests of this folder. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { onTestFinished } from "vitest";
import { isHomeostatError } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { frameEntries } from "./entry.ts";
import { openLog } from "./log.ts";
import type { Log, LogOptions } from "./log.ts";

export interface TestFolder extends LogOptions {
  readonly home: string;
}

export function testEntry(index: number, padding = ""): LedgerEntry {
  return {
    v: 1,
    key: `test/${index}`,
    at: "2026-02-03T04:05:06.789Z",
    type: "test.happened",
    tenant: "default",
    actor: { kind: "system", id: "test" },
    labels: [],
    salt: "0123456789abcdef0123456789abcdef",
    data: { index, padding },
  };
}

/** A folder that is removed after the test. */
export function testFolder(options: Partial<LogOptions> = {}): TestFolder {
  const home = mkdtempSync(join(tmpdir(), "ledger-test-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return at(home, options);
}

export function copyOf(folder: TestFolder): TestFolder {
  const copy = testFolder(folder);
  cpSync(folder.home, copy.home, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Opens, lets `use` append, closes. */
export function withLog<Result>(folder: TestFolder, use: (log: Log) => Result): Result {
  const log = openLog(folder, 1_770_000_000_000);
  try {
    return use(log);
  } finally {
    log.close();
  }
}

/** Appends blocks with the given numbers of entries. */
export function appendBlocks(folder: TestFolder, counts: readonly number[], padding = ""): void {
  withLog(folder, (log) => {
    for (const count of counts) {
      const first = log.head.size;
      log.append(frameEntries(Array.from({ length: count }, (_, i) => testEntry(first + i, padding))));
    }
  });
}

/** All files below a folder, as relative paths. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => relative(folder, join(item.parentPath, item.name)))
    .sort();
}

/** The message of the HomeostatError with this code that `act` throws. */
export function refusalOf(
  code: "LEDGER_BROKEN" | "LEDGER_KEYS_UNUSABLE" | "LEDGER_UNAVAILABLE",
  act: () => unknown,
): string {
  try {
    act();
  } catch (error) {
    if (isHomeostatError(error, code)) return error.message;
    throw error;
  }
  return "not refused";
}

function at(home: string, options: Partial<LogOptions>): TestFolder {
  return {
    segmentBytes: 64 * 1024 * 1024,
    scanBytes: 1024 ** 3,
    knownSize: 0,
    ...options,
    home,
    ledgerFolder: join(home, "ledger"),
    keysFolder: join(home, "keys"),
  };
}
