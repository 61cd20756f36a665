import { rmSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isHomeostatError } from "../base/error.ts";
import { parseEntry } from "./entry.ts";
import { appendBlocks, testFolder } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { createHasher, hashFromHex, hashToHex, isConsistent, isIncluded } from "./merkle.ts";
import type { Hash } from "./merkle.ts";
import { proveConsistency, proveInclusion } from "./proof.ts";
import { createLedgerReader } from "./reader.ts";
import { parseTilePath } from "./tile.ts";

const hasher = createHasher();
const fromHex = (hashes: readonly string[]): Hash[] => hashes.map((hex) => hashFromHex(hex)!);

function built(counts: readonly number[], options: Partial<TestFolder> = {}): TestFolder {
  const folder = testFolder(options);
  appendBlocks(folder, counts);
  return folder;
}

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (error) {
    return isHomeostatError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  return "no error";
}

test("entries are read from any place, over blocks and segments, also while more are appended", async () => {
  const folder = built([1, 500, 3, 900, 1, 200], { segmentBytes: 100_000 });
  const reader = createLedgerReader(folder.ledgerFolder);
  const keysOf = async (from: number, to: number): Promise<string[]> =>
    (await reader.entries(from, to)).map((bytes) => parseEntry(bytes).key);
  for (const [from, to] of [
    [0, 1605],
    [0, 1],
    [1604, 1605],
    [500, 505],
    [1400, 1410],
    [7, 7],
  ] as const) {
    expect(await keysOf(from, to)).toEqual(Array.from({ length: to - from }, (_, i) => `test/${from + i}`));
  }
  appendBlocks(folder, [50]);
  expect((await keysOf(1600, 1655)).at(-1)).toBe("test/1654");
  expect(await codeOf(() => reader.entries(1600, 1700))).toContain(
    "LEDGER_BROKEN: The ledger is broken: entry 1655 is missing",
  );
});

test("reading past a megabyte of blocks remembers places on the way", async () => {
  const folder = built(
    Array.from({ length: 12 }, () => 100),
    { segmentBytes: 10_000_000 },
  );
  appendBlocks(folder, [100, 100, 100, 100], "x".repeat(5000));
  const reader = createLedgerReader(folder.ledgerFolder);
  expect(parseEntry((await reader.entries(1599, 1600))[0]!).key).toBe("test/1599");
  expect(parseEntry((await reader.entries(1350, 1351))[0]!).key).toBe("test/1350");
  expect(parseEntry((await reader.entries(3, 4))[0]!).key).toBe("test/3");
});

test("a damaged block is named instead of handed out", async () => {
  const folder = built([5, 5]);
  const path = join(folder.ledgerFolder, "segments/000000000000.seg");
  const bytes = readFileSync(path);
  bytes[100]! ^= 1;
  writeFileSync(path, bytes);
  expect(await codeOf(() => createLedgerReader(folder.ledgerFolder).entries(0, 1))).toContain(
    "byte 0 of segments/000000000000.seg",
  );
});

test("every inclusion and consistency proof around tile borders verifies against the signed roots", async () => {
  const folder = testFolder();
  const roots = new Map<number, Hash>();
  const heads = [1, 2, 255, 256, 257, 511, 513, 700];
  let size = 0;
  for (const next of heads) {
    appendBlocks(folder, [next - size]);
    size = next;
    roots.set(size, createLedgerReader(folder.ledgerFolder).head().root);
  }
  const reader = createLedgerReader(folder.ledgerFolder);
  const source = { reader, signedSize: reader.head().size };
  const entries = await reader.entries(0, 700);
  for (const [size, root] of roots) {
    for (const index of [0, 1, 127, 254, 255, 256, 300, 510, 511, 512, 699].filter((i) => i < size)) {
      const proof = fromHex(await proveInclusion(source, index, size));
      const leaf = hasher.leaf(entries[index]!, 0, entries[index]!.length);
      expect(isIncluded(hasher, { index, size, leaf, root, proof }), `${index} in ${size}`).toBe(true);
    }
    for (const [first, firstRoot] of roots) {
      if (first > size) continue;
      const proof = fromHex(await proveConsistency(source, first, size));
      expect(
        isConsistent(hasher, { first, second: size, firstRoot, secondRoot: root, proof }),
        `${first} to ${size}`,
      ).toBe(true);
    }
  }
  expect(await codeOf(() => proveInclusion(source, 0, 701))).toContain("LEDGER_RANGE_INVALID");
  expect(await codeOf(() => proveInclusion(source, 5, 5))).toContain("entry 5 is not among the first 5");
  expect(await codeOf(() => proveInclusion(source, -1, 5))).toContain("LEDGER_RANGE_INVALID");
  expect(await codeOf(() => proveConsistency(source, 0, 5))).toContain("LEDGER_RANGE_INVALID");
  expect(await codeOf(() => proveConsistency(source, 6, 5))).toContain("6 is not from 1 to 5");
  expect(await codeOf(() => proveConsistency(source, 1, 0.5))).toContain("LEDGER_RANGE_INVALID");
});

test("proofs in a tree of three tile levels are right, with and without the tile files", async () => {
  const folder = built(
    Array.from({ length: 7 }, () => 10_000),
    { segmentBytes: 4_000_000 },
  );
  const head = createLedgerReader(folder.ledgerFolder).head();
  const prove = async (): Promise<readonly string[]> => {
    const reader = createLedgerReader(folder.ledgerFolder);
    return await proveInclusion({ reader, signedSize: head.size }, 65_600, head.size);
  };
  const proof = await prove();
  const [entry] = await createLedgerReader(folder.ledgerFolder).entries(65_600, 65_601);
  const leaf = hasher.leaf(entry!, 0, entry!.length);
  expect(
    isIncluded(hasher, { index: 65_600, size: head.size, leaf, root: head.root, proof: fromHex(proof) }),
  ).toBe(true);
  rmSync(join(folder.ledgerFolder, "tile/1"), { recursive: true });
  rmSync(join(folder.ledgerFolder, "tile/0/256"));
  expect(await prove()).toEqual(proof);
});

test("tiles and entry bundles are served as tlog-tiles wants them, full and partial", async () => {
  const folder = built([600]);
  const reader = createLedgerReader(folder.ledgerFolder);
  const tile = async (path: string, size = 600): Promise<Buffer | undefined> =>
    await reader.tile(parseTilePath(path)!, size);
  expect((await tile("0/000"))?.length).toBe(8192);
  const partial = await tile("0/002.p/88");
  const [entry] = await reader.entries(513, 514);
  expect(partial?.subarray(32, 64).toString("hex")).toBe(hashToHex(hasher.leaf(entry!, 0, entry!.length)));
  expect((await tile("1/000.p/2"))?.length).toBe(64);
  expect(await tile("0/002.p/89")).toBeUndefined();
  expect(await tile("0/002")).toBeUndefined();
  expect(await tile("0/000", 255)).toBeUndefined();
  const entries = await tile("entries/002.p/2");
  expect(entries?.readUInt16BE(0)).toBe((await reader.entries(512, 513))[0]!.length);
  expect(parseEntry(entries!.subarray(2, 2 + entries!.readUInt16BE(0))).key).toBe("test/512");
});

test("the head is read from the files and its signature checked", async () => {
  const folder = built([3]);
  const reader = createLedgerReader(folder.ledgerFolder);
  expect(reader.head()).toMatchObject({
    size: 3,
    verifierKey: expect.stringMatching(/^homeostat.local\/[0-9a-f]{16}\+/),
  });
  const path = join(folder.ledgerFolder, "checkpoint");
  writeFileSync(path, readFileSync(path, "utf8").replace("\n3\n", "\n2\n"));
  expect(await codeOf(async () => reader.head())).toContain("LEDGER_BROKEN");
  rmSync(path);
  expect(await codeOf(async () => reader.head())).toContain("checkpoint file is missing");
  rmSync(join(folder.ledgerFolder, "key.pub"));
  expect(await codeOf(async () => reader.head())).toContain("LEDGER_KEYS_UNUSABLE");
});

test("a reader that remembers few roots of tiles gives the same hashes", async () => {
  const folder = built([256 * 3 + 5]);
  const [many, few] = [createLedgerReader(folder.ledgerFolder), createLedgerReader(folder.ledgerFolder, 1)];
  const { size } = many.head();
  const wanted = { kind: "hashes", level: 1, index: 0, width: 3 } as const;
  for (let round = 0; round < 2; round += 1) {
    const [one, other] = [await many.tile(wanted, size), await few.tile(wanted, size)];
    expect(other?.equals(one!)).toBe(true);
  }
});
