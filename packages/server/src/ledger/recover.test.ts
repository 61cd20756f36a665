import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { frameEntries, parseEntry } from "./entry.ts";
import {
  appendBlocks,
  copyOf,
  filesBelow,
  refusalOf,
  testEntry,
  testFolder,
  withLog,
} from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { openLog } from "./log.ts";
import { scanSegment, visitEntries } from "./read-segments.ts";
import { verifyLedger } from "./verify.ts";

const segment = (folder: TestFolder, name = "000000000000.seg"): string =>
  join(folder.ledgerFolder, "segments", name);
const checkpoint = (folder: TestFolder): string => join(folder.ledgerFolder, "checkpoint");
const open = (folder: TestFolder): ReturnType<typeof openLog> => openLog(folder, 1_770_000_000_000);
const broken = (folder: TestFolder): string => refusalOf("LEDGER_BROKEN", () => open(folder).close());
const intact = async (folder: TestFolder): Promise<void> =>
  expect((await verifyLedger(folder)).findings).toEqual([]);

function keys(folder: TestFolder, from: number, to: number): string[] {
  const found: string[] = [];
  visitEntries(folder.ledgerFolder, { from, to }, (bytes, start, end) =>
    found.push(parseEntry(bytes.subarray(start, end)).key),
  );
  return found;
}

/** A ledger whose last block is whole but under no checkpoint: what a crash between data and checkpoint leaves. */
function unsigned(counts: readonly number[], last: number, options: Partial<TestFolder> = {}): TestFolder {
  const folder = testFolder(options);
  appendBlocks(folder, counts);
  const before = readFileSync(checkpoint(folder));
  appendBlocks(folder, [last]);
  writeFileSync(checkpoint(folder), before);
  return folder;
}

test("a new ledger has keys, a signed checkpoint of nothing, and private modes", async () => {
  const folder = testFolder();
  withLog(folder, (log) => {
    expect(log.head).toMatchObject({
      size: 0,
      root: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    expect(log.repairs).toEqual({ torn: undefined, adoptedEntries: 0, tilesRewritten: 0 });
    expect(`${log.verifierKey}\n`).toBe(readFileSync(join(folder.ledgerFolder, "key.pub"), "utf8"));
  });
  for (const name of ["ledger-signing.key", "ledger-hmac.key", "ledger-auditor.key"]) {
    expect(statSync(join(folder.keysFolder, name)).mode & 0o777).toBe(0o600);
  }
  expect(statSync(folder.keysFolder).mode & 0o777).toBe(0o700);
  await intact(folder);
});

test("a stop half-way through making a new ledger is finished by the next start", async () => {
  for (const missing of [
    ["ledger/checkpoint"],
    ["ledger/checkpoint", "ledger/key.pub"],
    ["ledger/checkpoint", "ledger/key.pub", "keys/ledger-signing.key"],
  ]) {
    const folder = testFolder();
    appendBlocks(folder, []);
    for (const name of missing) rmSync(join(folder.home, name));
    appendBlocks(folder, [2]);
    await intact(folder);
  }
});

test("appends go on where the ledger was left, over segments and tiles", async () => {
  const folder = testFolder({ segmentBytes: 50_000 });
  for (const count of [1, 254, 1, 1, 300, 2000]) appendBlocks(folder, [count]);
  expect(keys(folder, 0, 2557)).toEqual(Array.from({ length: 2557 }, (_, i) => `test/${i}`));
  expect(keys(folder, 255, 258)).toEqual(["test/255", "test/256", "test/257"]);
  expect(readdirSync(join(folder.ledgerFolder, "segments")).length).toBeGreaterThan(2);
  expect(filesBelow(join(folder.ledgerFolder, "tile"))).toHaveLength(9);
  await intact(folder);
});

describe("a torn tail", () => {
  test("of any length is cut off, and a signed entry says how many bytes went", async () => {
    const folder = unsigned([2, 1], 2);
    const whole = readFileSync(segment(folder));
    const blocks = [...scanSegment(segment(folder))];
    const lastAt = blocks[2]!.offset;
    for (let length = lastAt; length <= whole.length; length += 1) {
      const torn = copyOf(folder);
      truncateSync(segment(torn), length);
      const { head, repairs } = withLog(torn, (log) => log);
      const droppedBytes = length - lastAt;
      if (length === lastAt) {
        expect(repairs.torn).toBeUndefined();
        expect(head.size).toBe(3);
      } else if (length === whole.length) {
        expect(repairs).toMatchObject({ torn: undefined, adoptedEntries: 2 });
        expect(head.size).toBe(5);
      } else {
        expect(repairs.torn).toEqual({ segment: "000000000000.seg", offset: lastAt, droppedBytes });
        expect(head.size).toBe(4);
        let entry: unknown;
        visitEntries(torn.ledgerFolder, { from: 3, to: 4 }, (bytes, start, end) => {
          entry = parseEntry(bytes.subarray(start, end));
        });
        expect(entry).toMatchObject({
          type: "ledger.recovered",
          at: "2026-02-02T02:40:00.000Z",
          data: { droppedBytes, offset: lastAt, segment: "000000000000.seg" },
        });
      }
      if (length % 50 === 0) await intact(torn);
    }
  });

  test("of zeros, or with any flipped byte, is cut off too", async () => {
    const folder = unsigned([2], 1);
    const whole = readFileSync(segment(folder));
    const lastAt = [...scanSegment(segment(folder))][1]!.offset;
    for (let at = lastAt; at < whole.length; at += 3) {
      const torn = copyOf(folder);
      const changed = Buffer.from(whole);
      changed[at]! ^= 4;
      writeFileSync(segment(torn), changed);
      expect(withLog(torn, (log) => log.repairs.torn)).toMatchObject({ droppedBytes: whole.length - lastAt });
      await intact(torn);
    }
    const zeros = copyOf(folder);
    writeFileSync(segment(zeros), Buffer.concat([whole.subarray(0, lastAt), Buffer.alloc(5000)]));
    expect(withLog(zeros, (log) => log.repairs.torn)).toMatchObject({ droppedBytes: 5000 });
    await intact(zeros);
  });

  test("that is a whole segment removes the segment, also an empty one", async () => {
    for (const length of [0, 40]) {
      for (const scanBytes of [1, 1024 ** 3]) {
        const folder = unsigned([2, 2], 1, { segmentBytes: 100, scanBytes });
        truncateSync(segment(folder, "000000000004.seg"), length);
        appendBlocks(folder, [1]);
        expect(withLog(folder, (log) => log.head.size)).toBe(length === 0 ? 5 : 6);
        await intact(folder);
      }
    }
  });

  test("under the checkpoint is no torn tail: acknowledged entries are lost", () => {
    const folder = testFolder();
    appendBlocks(folder, [2, 2]);
    const whole = readFileSync(segment(folder));
    const lastAt = [...scanSegment(segment(folder))][1]!.offset;
    for (let length = lastAt; length < whole.length; length += 1) {
      truncateSync(segment(folder), length);
      const message = broken(folder);
      if (length === lastAt)
        expect(message).toContain("the checkpoint covers 4 entries, the segments hold 2");
      else expect(message).toContain(`block 1 at byte ${lastAt} of segments/000000000000.seg is damaged`);
      expect(statSync(segment(folder)).size).toBe(length);
      writeFileSync(segment(folder), whole);
    }
  });
});

describe("refusals", () => {
  const prepared = (): TestFolder => {
    const folder = testFolder({ segmentBytes: 1000 });
    appendBlocks(folder, [2, 2, 2, 2, 2, 2]);
    return folder;
  };

  test("a damaged block that is not the last is named and nothing is changed", () => {
    for (const offset of [0, 30, 100, 800]) {
      const folder = prepared();
      const bytes = readFileSync(segment(folder));
      bytes[offset]! ^= 1;
      writeFileSync(segment(folder), bytes);
      const before = filesBelow(folder.home).map((name) =>
        readFileSync(join(folder.home, name)).toString("hex"),
      );
      expect(broken(folder)).toMatch(/block [01] at byte \d+ of segments\/000000000000.seg is damaged/);
      expect(
        filesBelow(folder.home).map((name) => readFileSync(join(folder.home, name)).toString("hex")),
      ).toEqual(before);
    }
  });

  test("a damaged block before the last is refused even under an older checkpoint", () => {
    const folder = testFolder();
    appendBlocks(folder, [1]);
    const old = readFileSync(checkpoint(folder));
    appendBlocks(folder, [1, 1]);
    writeFileSync(checkpoint(folder), old);
    const bytes = readFileSync(segment(folder));
    bytes[[...scanSegment(segment(folder))][1]!.offset + 90]! ^= 1;
    writeFileSync(segment(folder), bytes);
    expect(broken(folder)).toContain("block 1 at byte");
  });

  test("a block out of place is refused", () => {
    const folder = testFolder();
    appendBlocks(folder, [1]);
    const first = readFileSync(segment(folder));
    appendFileSync(segment(folder), first);
    expect(broken(folder)).toContain("it is block 0, block 1 belongs here");
  });

  test("an unsigned block that is not ours is refused", () => {
    const folder = unsigned([1], 1);
    const other = testFolder();
    appendBlocks(other, [1, 1]);
    cpSync(join(other.keysFolder, "ledger-hmac.key"), join(folder.keysFolder, "ledger-hmac.key"));
    expect(broken(folder)).toContain("under no checkpoint and its HMAC is not ours");
  });

  test("a missing or misplaced segment is refused, also among those that are only linked", () => {
    for (const scanBytes of [1, 1024 ** 3]) {
      for (const name of ["000000000000.seg", "000000000004.seg", "000000000008.seg"]) {
        const folder = { ...prepared(), scanBytes };
        rmSync(segment(folder, name));
        expect(broken(folder)).toContain("broken");
      }
    }
    const folder = { ...prepared(), scanBytes: 1 };
    const older = readFileSync(segment(folder));
    writeFileSync(segment(folder), older.subarray(0, -1));
    expect(broken(folder)).toContain("segments/000000000000.seg does not end with the block before");
    writeFileSync(segment(folder, "000000000004.seg"), "");
    expect(broken(folder)).toContain("000000000004.seg");
  });

  test("a checkpoint that is gone, changed or ahead is refused", () => {
    const folder = prepared();
    const gone = copyOf(folder);
    rmSync(checkpoint(gone));
    expect(broken(gone)).toContain("checkpoint file is missing");
    const changed = copyOf(folder);
    writeFileSync(checkpoint(changed), readFileSync(checkpoint(changed), "utf8").replace("\n12\n", "\n13\n"));
    expect(broken(changed)).toContain("its checkpoint is refused");
    const ahead = copyOf(folder);
    appendBlocks(ahead, [3]);
    cpSync(checkpoint(ahead), checkpoint(folder));
    expect(broken(folder)).toContain("the checkpoint covers 15 entries, the segments hold 12");
  });

  test("entries that do not give the signed root are refused", async () => {
    const { createHash } = await import("node:crypto");
    const folder = testFolder();
    appendBlocks(folder, [2]);
    const bytes = readFileSync(segment(folder));
    bytes.write('"index":9', bytes.indexOf('"index":1'));
    createHash("sha256")
      .update(bytes.subarray(0, -32))
      .digest()
      .copy(bytes, bytes.length - 32);
    writeFileSync(segment(folder), bytes);
    expect(broken(folder)).toContain("do not give the root");
  });

  test("a ledger shorter than the database knows was rolled back, also one that is gone altogether", () => {
    const folder = prepared();
    expect(broken({ ...folder, knownSize: 13 })).toContain("12 entries, 13 were published");
    expect(withLog({ ...folder, knownSize: 12 }, (log) => log.head.size)).toBe(12);
    rmSync(folder.ledgerFolder, { recursive: true });
    expect(broken({ ...folder, knownSize: 12 })).toContain("its files are gone");
    expect(broken(folder)).toContain("ledger-hmac.key belongs to segment 2");
  });

  test("an HMAC key that does not fit the newest segment is refused", () => {
    const folder = prepared();
    cpSync(join(folder.keysFolder, "ledger-auditor.key"), join(folder.keysFolder, "ledger-hmac.key"));
    expect(broken(folder)).toContain("belongs to segment 0, the newest segment is 2");
  });

  test("key files that are missing, changed, open to others or foreign are named", () => {
    const folder = prepared();
    const unusable = (name: string, change: (path: string) => void): string => {
      const copy = copyOf(folder);
      change(join(copy.home, name));
      return refusalOf("LEDGER_KEYS_UNUSABLE", () => open(copy));
    };
    const corrupt = (path: string): void =>
      writeFileSync(path, readFileSync(path, "utf8").replace(/.\n$/, "!\n"));
    expect(unusable("keys/ledger-signing.key", rmSync)).toContain("ledger-signing.key is missing");
    expect(unusable("keys/ledger-hmac.key", rmSync)).toContain("ledger-hmac.key is missing");
    expect(unusable("ledger/key.pub", rmSync)).toContain("key.pub cannot be read");
    expect(unusable("keys/ledger-signing.key", corrupt)).toContain("does not hold a signing key");
    expect(unusable("keys/ledger-hmac.key", corrupt)).toContain("does not hold an HMAC key");
    expect(unusable("keys/ledger-hmac.key", (path) => writeFileSync(path, "", { mode: 0o600 }))).toContain(
      "does not hold",
    );
    expect(unusable("ledger/key.pub", corrupt)).toContain("not the public half");
    expect(unusable("keys/ledger-signing.key", (path) => chmodSync(path, 0o644))).toContain("mode 644");
  });
});

describe("tiles", () => {
  test("that are missing or different are made again from the segments", async () => {
    const folder = testFolder();
    appendBlocks(folder, [1000]);
    const tile = join(folder.ledgerFolder, "tile/0/001");
    const right = readFileSync(tile);
    rmSync(tile);
    expect(withLog(folder, (log) => log.repairs.tilesRewritten)).toBe(1);
    writeFileSync(tile, Buffer.alloc(8192));
    expect(withLog(folder, (log) => log.repairs.tilesRewritten)).toBe(1);
    expect(readFileSync(tile).equals(right)).toBe(true);
    await intact(folder);
  });

  test("that settled long ago are trusted if they give the signed root, and made again if they do not", async () => {
    const folder = testFolder();
    appendBlocks(folder, [1000]);
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of ["000", "001", "002"])
      utimesSync(join(folder.ledgerFolder, "tile/0", name), longAgo, longAgo);
    expect(withLog(folder, (log) => log.repairs.tilesRewritten)).toBe(0);
    const tile = join(folder.ledgerFolder, "tile/0/001");
    writeFileSync(tile, Buffer.alloc(8192));
    utimesSync(tile, longAgo, longAgo);
    expect(withLog(folder, (log) => log.repairs.tilesRewritten)).toBe(1);
    rmSync(tile);
    expect(withLog(folder, (log) => log.repairs.tilesRewritten)).toBe(1);
    appendBlocks(folder, [100]);
    await intact(folder);
  });
});

describe("the open log", () => {
  test("after a failed append it refuses and the next opening recovers", async () => {
    const folder = testFolder();
    const log = open(folder);
    log.append(frameEntries([testEntry(0)]));
    // A folder in the way of the checkpoint's temporary file: the block is on disk, its checkpoint is not.
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(folder.ledgerFolder, "checkpoint.tmp"));
    expect(() => log.append(frameEntries([testEntry(1)]))).toThrow(/EISDIR/);
    expect(refusalOf("LEDGER_UNAVAILABLE", () => log.append(frameEntries([testEntry(2)])))).toContain(
      "failed before",
    );
    log.close();
    rmSync(join(folder.ledgerFolder, "checkpoint.tmp"), { recursive: true });
    expect(withLog(folder, ({ head, repairs }) => [head.size, repairs.adoptedEntries])).toEqual([2, 1]);
    await intact(folder);
  });

  test("a block that no reader would take is refused", () => {
    const folder = testFolder();
    const payload = Buffer.alloc(4 * 1024 * 1024 + 1);
    const message = withLog(folder, (log) =>
      refusalOf("LEDGER_UNAVAILABLE", () => log.append({ payload, count: 1 })),
    );
    expect(message).toContain("too large");
  });

  test("another writer is noticed before anything is written", () => {
    const folder = testFolder();
    const log = open(folder);
    log.append(frameEntries([testEntry(0)]));
    appendBlocks(folder, [1]);
    expect(refusalOf("LEDGER_UNAVAILABLE", () => log.append(frameEntries([testEntry(1)])))).toContain(
      "another process wrote to it",
    );
    log.close();
  });

  test("a crash between the new HMAC key and its first block starts the segment with that key", async () => {
    const folder = testFolder({ segmentBytes: 100 });
    appendBlocks(folder, [1, 1]);
    const later = copyOf(folder);
    appendBlocks(later, [1]);
    cpSync(join(later.keysFolder, "ledger-hmac.key"), join(folder.keysFolder, "ledger-hmac.key"));
    await intact(folder);
    appendBlocks({ ...folder, segmentBytes: 10_000 }, [1]);
    expect(existsSync(segment(folder, "000000000002.seg"))).toBe(true);
    await intact(folder);
  });

  test("when the note about a torn tail cannot be written the log is not opened, and the next start tries again", async () => {
    const folder = unsigned([1], 1);
    truncateSync(segment(folder), statSync(segment(folder)).size - 1);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(folder.ledgerFolder, "checkpoint.tmp"));
    expect(() => open(folder)).toThrow();
    rmSync(join(folder.ledgerFolder, "checkpoint.tmp"), { recursive: true });
    withLog(folder, () => {});
    await intact(folder);
  });
});
