import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatVerifierKey, signCheckpoint } from "./checkpoint.ts";
import { frameEntries } from "./entry.ts";
import { readSigningKey } from "./keys.ts";
import { appendBlocks, copyOf, filesBelow, testEntry, testFolder, withLog } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { createHasher } from "./merkle.ts";
import { scanSegment } from "./read-segments.ts";
import { createLedgerReader } from "./reader.ts";
import { verifyLedger } from "./verify.ts";
import type { LedgerVerification } from "./verify.ts";

const verify = (folder: TestFolder): Promise<LedgerVerification> => verifyLedger(folder);
const whats = (report: LedgerVerification): string[] => [...new Set(report.findings.map(({ what }) => what))];
const segment = (folder: TestFolder, name = "000000000000.seg"): string =>
  join(folder.ledgerFolder, "segments", name);

/** The blocks of a segment file as bytes. */
function blocksOf(path: string): Buffer[] {
  const bytes = readFileSync(path);
  return [...scanSegment(path)].map((scanned) =>
    scanned.kind === "block"
      ? bytes.subarray(scanned.offset, scanned.offset + scanned.block.sizeBytes)
      : Buffer.alloc(0),
  );
}

test("an untouched ledger is intact, and its checks say what they covered", async () => {
  const folder = testFolder({ segmentBytes: 60_000 });
  appendBlocks(folder, [1, 300, 250, 3, 200, 100, 1]);
  const report = await verify(folder);
  expect(report.findings).toEqual([]);
  expect(report.size).toBe(855);
  expect(report.root).toMatch(/^[0-9a-f]{64}$/);
  const counts = Object.fromEntries(report.checks.map(({ name, ok, count }) => [name, ok && count]));
  expect(counts).toEqual({
    "key files": 4,
    "checkpoint signature": 1,
    blocks: 7,
    "block HMACs": 7,
    entries: 855,
    "tree root": 1,
    tiles: 3,
    files: filesBelow(folder.ledgerFolder).length,
    "nothing rolled back": 1,
  });
});

test("an empty ledger is intact", async () => {
  const folder = testFolder();
  appendBlocks(folder, []);
  expect((await verify(folder)).findings).toEqual([]);
});

test(
  "every flipped bit in every file of the ledger and of its keys is found and named",
  { timeout: 240_000 },
  async () => {
    const folder = testFolder({ segmentBytes: 900 });
    appendBlocks(folder, [1, 2, 1, 1]);
    const names = filesBelow(folder.home);
    expect(names).toEqual([
      "keys/ledger-auditor.key",
      "keys/ledger-hmac.key",
      "keys/ledger-signing.key",
      "ledger/checkpoint",
      "ledger/key.pub",
      "ledger/segments/000000000000.seg",
      "ledger/segments/000000000003.seg",
    ]);
    for (const name of names) {
      const path = join(folder.home, name);
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at += 1) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 1 << (at % 8);
        writeFileSync(path, changed);
        const { findings } = await verify(folder);
        const place = name.replace("ledger/", "");
        expect(findings.map(({ where }) => where).join(), `byte ${at} of ${name}`).toContain(
          place.replace("keys/ledger/", "keys/"),
        );
      }
      writeFileSync(path, whole);
    }
    expect((await verify(folder)).findings).toEqual([]);
  },
);

test("a flipped byte in a tile names the tile and the entry", async () => {
  const folder = testFolder();
  appendBlocks(folder, [600]);
  const path = join(folder.ledgerFolder, "tile/0/001");
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 97) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x10;
    writeFileSync(path, changed);
    expect((await verify(folder)).findings).toEqual([
      {
        what: "tile differs",
        where: `tile/0/001, byte ${at}`,
        detail: `not the hash of entry ${256 + Math.floor(at / 32)}`,
      },
    ]);
  }
  rmSync(path);
  expect((await verify(folder)).findings).toEqual([
    { what: "tile missing", where: "tile/0/001", detail: "there is no file of 8192 bytes" },
  ]);
});

describe("blocks", () => {
  const prepared = (): TestFolder => {
    const folder = testFolder();
    appendBlocks(folder, [2, 2, 2, 2]);
    return folder;
  };

  test("a deleted block is found, first, middle and last", async () => {
    for (const index of [0, 1, 2, 3]) {
      const folder = prepared();
      const blocks = blocksOf(segment(folder));
      writeFileSync(segment(folder), Buffer.concat(blocks.toSpliced(index, 1)));
      expect(whats(await verify(folder))).toContain(index === 3 ? "entries missing" : "block out of place");
    }
  });

  test("reordered and repeated blocks are found", async () => {
    const folder = prepared();
    const [a, b, c, d] = blocksOf(segment(folder)) as [Buffer, Buffer, Buffer, Buffer];
    writeFileSync(segment(folder), Buffer.concat([a, c, b, d]));
    expect(whats(await verify(folder))).toEqual(expect.arrayContaining(["block out of place"]));
    writeFileSync(segment(folder), Buffer.concat([a, b, b, c, d]));
    expect(whats(await verify(folder))).toEqual(expect.arrayContaining(["block out of place"]));
    writeFileSync(segment(folder), Buffer.concat([a, b, c, d, d]));
    expect(whats(await verify(folder))).toEqual(expect.arrayContaining(["block out of place"]));
  });

  test("a ledger cut below its checkpoint is found at every length", async () => {
    const folder = prepared();
    const whole = readFileSync(segment(folder));
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(segment(folder), whole.subarray(0, length));
      expect(whats(await verify(folder))).toEqual(expect.arrayContaining(["entries missing"]));
    }
  });

  test("bytes after the checkpoint are an append under way and break nothing", async () => {
    const folder = prepared();
    const before = readFileSync(join(folder.ledgerFolder, "checkpoint"));
    appendBlocks(folder, [1]);
    writeFileSync(join(folder.ledgerFolder, "checkpoint"), before);
    const whole = readFileSync(segment(folder));
    const report = await verify(folder);
    expect(report.findings).toEqual([]);
    expect(report.checks.find(({ name }) => name === "blocks")?.detail).toContain(
      "1 not yet under a checkpoint",
    );
    truncateSync(segment(folder), whole.length - 1);
    const torn = await verify(folder);
    expect(torn.findings).toEqual([]);
    expect(torn.checks.find(({ name }) => name === "blocks")?.detail).toContain("cut short");
  });

  test("a block forged with right hashes but without the keys is found by HMAC, root and tile", async () => {
    const { createHash } = await import("node:crypto");
    const folder = testFolder();
    appendBlocks(folder, [300]);
    const bytes = readFileSync(segment(folder));
    const at = bytes.indexOf('"index":7');
    bytes.write('"index":8', at);
    createHash("sha256")
      .update(bytes.subarray(0, -32))
      .digest()
      .copy(bytes, bytes.length - 32);
    writeFileSync(segment(folder), bytes);
    const report = await verify(folder);
    expect(whats(report).sort()).toEqual(["block not ours", "root differs", "tile differs"]);
    expect(report.findings.map(({ detail }) => detail)).toContain("not the hash of entry 7");
  });

  test("an entry that is no canonical entry is found even when everything else is right", async () => {
    const folder = testFolder();
    withLog(folder, (log) => {
      const { payload } = frameEntries([testEntry(0)]);
      const loose = Buffer.from(payload.subarray(2).toString().replace('"v":1', '"v": 1'));
      log.append({
        payload: Buffer.concat([Buffer.from([loose.length >> 8, loose.length & 255]), loose]),
        count: 1,
      });
      log.append({ payload: frameEntries([testEntry(1)]).payload, count: 3 });
      log.append({ payload: Buffer.from([0, 9, 1]), count: 1 });
    });
    const report = await verify(folder);
    expect(report.findings.map(({ what, where, detail }) => `${what} | ${where} | ${detail}`)).toEqual([
      expect.stringMatching(
        /^entry invalid \| segments\/000000000000.seg, byte 0, block 0, entry 0 \| .*canonical/,
      ),
      expect.stringMatching(/^block inconsistent \| .*block 1 \| it holds 1 entries and claims 3/),
      expect.stringMatching(/^block out of place/),
      expect.stringMatching(/^block inconsistent \| .* reaches past the block/),
    ]);
  });

  test("a checkpoint that ends inside a block is found", async () => {
    const folder = testFolder();
    appendBlocks(folder, [3]);
    const key = readSigningKey(join(folder.keysFolder, "ledger-signing.key"));
    const leaves = await createLedgerReader(folder.ledgerFolder).entries(0, 2);
    const hasher = createHasher();
    const [a, b] = leaves.map((leaf) => hasher.leaf(leaf, 0, leaf.length)) as [string, string];
    const note = signCheckpoint({ origin: key.name, size: 2, root: hasher.node(a, b) }, key);
    writeFileSync(join(folder.ledgerFolder, "checkpoint"), note);
    expect(whats(await verify(folder))).toEqual(["checkpoint inside a block"]);
  });

  test("damage in the middle is told once and the rest is still read", async () => {
    const folder = prepared();
    const blocks = blocksOf(segment(folder));
    const bytes = Buffer.concat(blocks);
    bytes[blocks[0]!.length + 36]! ^= 0x7f;
    writeFileSync(segment(folder), bytes);
    const report = await verify(folder);
    expect(report.findings).toEqual([
      {
        what: "block damaged",
        where: `segments/000000000000.seg, byte ${blocks[0]!.length}, block 1, entries from 2 on`,
        detail: expect.stringContaining(`to byte ${blocks[0]!.length + blocks[1]!.length}`),
      },
      { what: "root not computable", where: "checkpoint", detail: "entries are damaged or out of place" },
    ]);
    expect(report.checks.find(({ name }) => name === "entries")?.count).toBe(6);
  });
});

describe("files", () => {
  test("a missing segment, a renamed one and an extra one are found", async () => {
    const folder = testFolder({ segmentBytes: 100 });
    appendBlocks(folder, [2, 2, 2]);
    const missing = copyOf(folder);
    rmSync(segment(missing, "000000000002.seg"));
    expect(whats(await verify(missing))).toContain("segment missing or misplaced");
    const renamed = copyOf(folder);
    renameSync(segment(renamed, "000000000004.seg"), segment(renamed, "000000000005.seg"));
    expect(whats(await verify(renamed))).toContain("segment missing or misplaced");
    const extra = copyOf(folder);
    cpSync(segment(extra, "000000000004.seg"), segment(extra, "000000000009.seg"));
    expect(whats(await verify(extra))).toContain("segment missing or misplaced");
  });

  test("files that the ledger does not write are found", async () => {
    const folder = testFolder();
    appendBlocks(folder, [300]);
    writeFileSync(join(folder.ledgerFolder, "note.txt"), "");
    writeFileSync(join(folder.ledgerFolder, "segments/x"), "");
    mkdirSync(join(folder.ledgerFolder, "tile/entries"));
    writeFileSync(join(folder.ledgerFolder, "tile/entries/000"), "");
    writeFileSync(join(folder.ledgerFolder, "tile/0/zzz"), "");
    symlinkSync("/etc/hostname", join(folder.ledgerFolder, "tile/0/001"));
    const report = await verify(folder);
    expect(report.findings.map(({ where }) => where).sort()).toEqual([
      "note.txt",
      "segments/x",
      "tile/0/001",
      "tile/0/zzz",
      "tile/entries/000",
    ]);
  });

  test("a tile that an append under way has filled, and temporary files, are no findings", async () => {
    const folder = testFolder();
    appendBlocks(folder, [255]);
    writeFileSync(join(folder.ledgerFolder, "checkpoint.tmp"), "half");
    mkdirSync(join(folder.ledgerFolder, "tile/0"), { recursive: true });
    writeFileSync(join(folder.ledgerFolder, "tile/0/000"), "half");
    expect((await verify(folder)).findings).toEqual([]);
  });

  test("a checkpoint that is gone is found, and the rest is still checked", async () => {
    const folder = testFolder();
    appendBlocks(folder, [3]);
    rmSync(join(folder.ledgerFolder, "checkpoint"));
    const report = await verify(folder);
    expect(whats(report)).toEqual(["checkpoint missing"]);
    expect(report.checks.find(({ name }) => name === "entries")?.count).toBe(3);
  });

  test("an older checkpoint together with its segments is found by what the database knows", async () => {
    const folder = testFolder();
    appendBlocks(folder, [3]);
    expect((await verify({ ...folder, knownSize: 3 })).findings).toEqual([]);
    expect(whats(await verify({ ...folder, knownSize: 4 }))).toEqual(["ledger rolled back"]);
  });
});

describe("keys", () => {
  test("a ledger whose first HMAC key is with the auditor is checked with what is there", async () => {
    const folder = testFolder({ segmentBytes: 100 });
    appendBlocks(folder, [1, 1, 1]);
    rmSync(join(folder.keysFolder, "ledger-auditor.key"));
    const report = await verify(folder);
    expect(report.findings).toEqual([]);
    const macs = report.checks.find(({ name }) => name === "block HMACs");
    expect(macs).toMatchObject({ count: 1, detail: "2 blocks could not be checked: their key is not here" });
    const { keysFolder: _keys, ...without } = folder;
    expect((await verifyLedger(without)).findings).toEqual([]);
  });

  test("keys of another ledger are found", async () => {
    const folder = testFolder({ segmentBytes: 100 });
    const other = testFolder({ segmentBytes: 100 });
    appendBlocks(folder, [1, 1]);
    appendBlocks(other, [1, 1]);
    for (const [name, finding] of [
      ["keys/ledger-signing.key", "keys do not belong together"],
      ["keys/ledger-hmac.key", "HMAC keys do not belong together"],
      ["keys/ledger-auditor.key", "HMAC keys do not belong together"],
      ["ledger/key.pub", "keys do not belong together"],
    ] as const) {
      const mixed = copyOf(folder);
      cpSync(join(other.home, name), join(mixed.home, name));
      expect(whats(await verify(mixed)), name).toContain(finding);
    }
    const later = copyOf(folder);
    cpSync(join(folder.home, "keys/ledger-hmac.key"), join(later.home, "keys/ledger-auditor.key"));
    cpSync(join(folder.home, "keys/ledger-auditor.key"), join(later.home, "keys/ledger-hmac.key"));
    expect(whats(await verify(later))).toEqual(["HMAC key out of step", "HMAC keys do not belong together"]);
  });

  test("a key file that others may read is found", async () => {
    const folder = testFolder();
    appendBlocks(folder, [1]);
    chmodSync(join(folder.keysFolder, "ledger-hmac.key"), 0o640);
    const report = await verify(folder);
    expect(report.findings[0]).toMatchObject({
      where: "keys/ledger-hmac.key",
      detail: expect.stringContaining("640"),
    });
  });

  test("a verifier key known from elsewhere decides", async () => {
    const folder = testFolder();
    appendBlocks(folder, [1]);
    const own = readFileSync(join(folder.ledgerFolder, "key.pub"), "utf8").trim();
    expect((await verifyLedger({ ...folder, verifierKey: own })).findings).toEqual([]);
    const foreign = formatVerifierKey(own.split("+")[0]!, Buffer.alloc(32, 1));
    expect(whats(await verifyLedger({ ...folder, verifierKey: foreign }))).toEqual([
      "public key replaced",
      "checkpoint changed",
    ]);
    expect(whats(await verifyLedger({ ...folder, verifierKey: "x" }))).toEqual([
      "verifier key unusable",
      "checkpoint not verifiable",
    ]);
  });
});

test("entries can be looked at in the same pass, all of them or those that hold a text", async () => {
  const folder = testFolder();
  appendBlocks(folder, [3, 3]);
  const seen: number[] = [];
  await verifyLedger({
    ...folder,
    onEntry: (index, entry) => seen.push(index, entry.data["index"] as number),
  });
  expect(seen).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  const few: number[] = [];
  await verifyLedger({ ...folder, onlyContaining: '"key":"test/4"', onEntry: (index) => few.push(index) });
  expect(few).toEqual([4]);
});

test("progress is told on the way, and a finding is told at most a hundred times", async () => {
  const folder = testFolder();
  withLog(folder, (log) => {
    const { payload } = frameEntries(Array.from({ length: 1000 }, (_, i) => testEntry(i)));
    for (let i = 0; i < 101; i += 1) log.append({ payload, count: 1000 });
  });
  const progress: number[] = [];
  const report = await verifyLedger({
    ...folder,
    onProgress: ({ entries, size }) => progress.push(entries, size),
  });
  expect(progress).toEqual([100_000, 101_000]);
  expect(report.findings).toEqual([]);
  const tile = join(folder.ledgerFolder, "tile/1/000");
  const bytes = readFileSync(tile);
  bytes[70]! ^= 1;
  writeFileSync(tile, bytes);
  expect((await verifyLedger(folder)).findings).toEqual([
    { what: "tile differs", where: "tile/1/000, byte 70", detail: "not the hash of tile 0/2" },
  ]);
  bytes[70]! ^= 1;
  writeFileSync(tile, bytes);
  for (let i = 0; i < 150; i += 1) appendFileSync(join(folder.ledgerFolder, `junk-${i}`), "");
  const junk = await verifyLedger(folder);
  expect(junk.findings).toHaveLength(100);
  expect(junk.checks.at(-1)?.detail).toBe("150 found");
});
