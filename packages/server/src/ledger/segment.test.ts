import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendBlocks, refusalOf, testFolder } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { visitEntries } from "./read-segments.ts";
import {
  chainProblem,
  findBlock,
  headerBytes,
  isMacRight,
  maxPayloadBytes,
  nextSegmentKey,
  parseSegmentName,
  readBlock,
  sealBlock,
  segmentKeyObject,
  segmentName,
  zeroHash,
} from "./segment.ts";

const key = segmentKeyObject(Buffer.alloc(32, 1));
const header = {
  segment: 3,
  block: 2 ** 40,
  firstIndex: 2 ** 41 + 5,
  count: 2,
  previousHash: "ab".repeat(32),
};
const sealed = sealBlock(header, Buffer.from("payload"), key);
const bytes = Buffer.concat(sealed.pieces);

test("a sealed block is read back as it was", () => {
  const result = readBlock(Buffer.concat([Buffer.from("xx"), bytes]), 2);
  expect(result).toMatchObject({ kind: "block", block: { ...header, payloadBytes: 7, hash: sealed.hash } });
  expect(result.kind === "block" && result.block.payload.toString()).toBe("payload");
  expect(result.kind === "block" && isMacRight(result.block, key)).toBe(true);
  expect(result.kind === "block" && isMacRight(result.block, segmentKeyObject(Buffer.alloc(32, 2)))).toBe(
    false,
  );
  expect(sealed.sizeBytes).toBe(bytes.length);
});

test("every cut and every flipped bit of a block is noticed", () => {
  for (let at = 0; at < bytes.length; at += 1) {
    expect(readBlock(bytes.subarray(0, at), 0).kind).toBe("short");
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << bit;
      expect(readBlock(changed, 0).kind).not.toBe("block");
    }
  }
});

test("a block of another format, with a reserved byte set or an absurd length is refused even with a right hash", async () => {
  const { createHash } = await import("node:crypto");
  const forged = (at: number): unknown => {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    createHash("sha256")
      .update(changed.subarray(0, -32))
      .digest()
      .copy(changed, changed.length - 32);
    return readBlock(changed, 0);
  };
  expect(forged(9)).toMatchObject({ kind: "bad", why: expect.stringContaining("format version") });
  expect(forged(11)).toMatchObject({ kind: "bad", why: expect.stringContaining("format version") });
  expect(forged(16)).toMatchObject({ kind: "bad", why: expect.stringContaining("too large") });
  expect(forged(25)).toMatchObject({ kind: "bad", why: expect.stringContaining("too large") });
  const long = Buffer.from(bytes);
  long.writeUInt32BE(maxPayloadBytes + 1, 36);
  expect(readBlock(long, 0)).toMatchObject({ kind: "bad", why: expect.stringContaining("4194305") });
});

test("a block in a wrong place says so", () => {
  const place = { segment: 0, block: 7, index: 9, hash: zeroHash };
  const block = { segment: 0, block: 7, firstIndex: 9, count: 1, payloadBytes: 1, previousHash: zeroHash };
  expect(chainProblem(place, block)).toBeUndefined();
  expect(chainProblem(place, { ...block, segment: 1 })).toContain("segment 1");
  expect(chainProblem(place, { ...block, block: 8 })).toContain("block 8");
  expect(chainProblem(place, { ...block, firstIndex: 8 })).toContain("entry 8");
  expect(chainProblem(place, { ...block, previousHash: "11".repeat(32) })).toContain("follow");
  expect(chainProblem(place, { ...block, count: 0 })).toContain("no entry");
});

test("names, keys and the search for the next block", () => {
  expect(segmentName(1234)).toBe("000000001234.seg");
  expect(parseSegmentName("000000001234.seg")).toBe(1234);
  expect(parseSegmentName("1234.seg")).toBeUndefined();
  expect(nextSegmentKey(Buffer.alloc(32, 1))).toEqual(nextSegmentKey(Buffer.alloc(32, 1)));
  expect(nextSegmentKey(Buffer.alloc(32, 1))).not.toEqual(nextSegmentKey(Buffer.alloc(32, 2)));
  expect(findBlock(Buffer.concat([bytes, bytes]), 1)).toBe(bytes.length);
  expect(findBlock(bytes, headerBytes)).toBe(-1);
});

describe("reading entries straight from the segments", () => {
  const read = (folder: TestFolder, to: number): string =>
    refusalOf("LEDGER_BROKEN", () => visitEntries(folder.ledgerFolder, { from: 0, to }, () => {}));

  test("stops at a damaged block and at the end of what is there", () => {
    const folder = testFolder();
    appendBlocks(folder, [2, 2]);
    expect(read(folder, 4)).toBe("not refused");
    expect(read(folder, 5)).toContain("entry 4 is missing");
    const path = join(folder.ledgerFolder, "segments/000000000000.seg");
    const whole = readFileSync(path);
    whole[whole.length - 5]! ^= 1;
    writeFileSync(path, whole);
    expect(read(folder, 4)).toMatch(/byte \d+ of segments\/000000000000.seg/);
  });
});
