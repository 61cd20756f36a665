/** The pass over all blocks: hashes, HMACs, the chain, every entry's form, the tree against checkpoint and tiles. */
import { setImmediate } from "node:timers/promises";
import type { KeyObject } from "node:crypto";
import { errorMessage } from "../base/error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isEntry, parseEntry, splitPayload } from "./entry.ts";
import type { Findings, OpenCheck } from "./findings.ts";
import { deriveSegmentKey } from "./keys.ts";
import type { SegmentKey } from "./keys.ts";
import { createHasher } from "./merkle.ts";
import { listSegments, scanSegment } from "./read-segments.ts";
import type { Scanned, SegmentFile } from "./read-segments.ts";
import { chainProblem, isMacRight, segmentKeyObject, zeroHash } from "./segment.ts";
import type { Block, ChainPlace } from "./segment.ts";
import { createTileTree, hashBytes, tilePath, tileWidth } from "./tile.ts";
import type { TileId, TileTree } from "./tile.ts";
import { readTile } from "./tile-files.ts";
import type { VerifiedKeys } from "./verify-keys.ts";
import type { VerifyLedgerOptions } from "./verify-options.ts";

interface SegmentDeps {
  readonly signed: Checkpoint | undefined;
  readonly keys: VerifiedKeys;
  readonly findings: Findings;
}

/** Paths below `tile/` of the full tiles that the entries give. */
export interface SegmentResult {
  readonly tiles: ReadonlySet<string>;
}

export async function verifySegments(
  options: VerifyLedgerOptions,
  deps: SegmentDeps,
): Promise<SegmentResult> {
  const pass = createPass(options, deps);
  const files = listSegments(options.ledgerFolder);
  for (const file of files) {
    pass.beginFile(file);
    for (const scanned of scanSegment(file.path)) {
      if (scanned.kind === "block") pass.block(file, scanned.offset, scanned.block);
      else pass.damage(file, scanned, file === files.at(-1));
      // A server verifies its own ledger beside its other work.
      if (pass.mayRest()) await setImmediate();
    }
  }
  return pass.finish();
}

interface Pass {
  beginFile(file: SegmentFile): void;
  block(file: SegmentFile, offset: number, block: Block): void;
  damage(file: SegmentFile, scanned: Scanned & { kind: "damage" }, isNewest: boolean): void;
  mayRest(): boolean;
  finish(): SegmentResult;
}

function createPass(options: VerifyLedgerOptions, { signed, keys, findings }: SegmentDeps): Pass {
  const blocks = findings.check("blocks");
  const macs = createMacCheck(findings.check("block HMACs"), keys.firstSegmentKey);
  const entries = createEntryCheck(findings.check("entries"), options);
  const root = findings.check("tree root");
  const tiles = createTileCheck(findings.check("tiles"), options.ledgerFolder);
  const hasher = createHasher();
  const tree = createTileTree({ hasher, size: 0, edge: [], onTile: tiles.compare });
  // Without a checkpoint everything is read, so that as much as possible is said about what is there.
  const size = signed?.size ?? Infinity;
  let place: ChainPlace = { segment: 0, block: 0, index: 0, hash: zeroHash };
  let isTreeWhole = true;
  let sinceRest = 0;
  let reported = 0;
  let unsigned = 0;

  function block(file: SegmentFile, offset: number, found: Block): void {
    const where = `segments/${file.name}, byte ${offset}, block ${found.block}`;
    const problem = chainProblem(place, found);
    if (problem !== undefined) blocks.found({ what: "block out of place", where, detail: problem });
    blocks.add(1);
    macs.check(found, where);
    if (found.firstIndex >= size) unsigned += 1;
    else if (found.firstIndex !== tree.size) isTreeWhole = false;
    let index = found.firstIndex;
    const framing = splitPayload(found.payload, (start, end) => {
      if (index < size) {
        tree.append(hasher.leaf(found.payload, start, end));
        entries.check(found.payload, { start, end, index, where });
      }
      index += 1;
    });
    const count = index - found.firstIndex;
    if (framing !== undefined || count !== found.count) {
      const detail = framing ?? `it holds ${count} entries and claims ${found.count}`;
      blocks.found({ what: "block inconsistent", where, detail });
    }
    if (found.firstIndex < size && index > size) {
      blocks.found({
        what: "checkpoint inside a block",
        where,
        detail: `the signed size ${size} is no block's end`,
      });
    }
    place = { segment: found.segment, block: found.block + 1, index, hash: found.hash };
    sinceRest += found.sizeBytes;
    if (index - reported >= 100_000) options.onProgress?.({ entries: (reported = index), size });
  }

  return {
    beginFile(file) {
      if (file.firstIndex !== place.index) {
        const detail = `its name says entry ${file.firstIndex}, entry ${place.index} belongs here`;
        blocks.found({ what: "segment missing or misplaced", where: `segments/${file.name}`, detail });
      }
      place = { ...place, segment: file.segment };
    },
    block,
    damage(file, scanned, isNewest) {
      if (place.index >= size && scanned.isLast && isNewest) {
        return blocks.note(
          `${scanned.endsAt - scanned.offset} bytes of an append that is under way or was cut short`,
        );
      }
      isTreeWhole = false;
      const where = `segments/${file.name}, byte ${scanned.offset}, block ${place.block}, entries from ${place.index} on`;
      blocks.found({ what: "block damaged", where, detail: `${scanned.why} (to byte ${scanned.endsAt})` });
      const [next] = scanned.isLast ? [] : [...scanSegment(file.path, scanned.endsAt).take(1)];
      if (next?.kind !== "block") return;
      // The damage is told; the chain is taken up again behind it.
      const { segment, block: number, firstIndex, previousHash } = next.block;
      place = { segment, block: number, index: firstIndex, hash: previousHash };
    },
    mayRest() {
      if (sinceRest < 1024 * 1024) return false;
      sinceRest = 0;
      return true;
    },
    finish() {
      macs.finish();
      if (unsigned > 0 && signed !== undefined) blocks.note(`${unsigned} not yet under a checkpoint`);
      checkRoot(root, { signed, tree, isTreeWhole, seen: place.index });
      return { tiles: tiles.paths };
    },
  };
}

interface RootDeps {
  readonly signed: Checkpoint | undefined;
  readonly tree: TileTree;
  readonly isTreeWhole: boolean;
  readonly seen: number;
}

function checkRoot(check: OpenCheck, { signed, tree, isTreeWhole, seen }: RootDeps): void {
  const where = "checkpoint";
  if (signed === undefined) return check.note("there is no checkpoint to compare with");
  check.add(1);
  if (seen < signed.size) {
    const detail = `the checkpoint covers ${signed.size} entries, the segments hold ${seen}`;
    return check.found({ what: "entries missing", where, detail });
  }
  if (!isTreeWhole)
    return check.found({ what: "root not computable", where, detail: "entries are damaged or out of place" });
  if (tree.root() === signed.root) return;
  check.found({
    what: "root differs",
    where,
    detail: `the ${tree.size} entries are not those that were signed`,
  });
}

function createMacCheck(
  check: OpenCheck,
  first: SegmentKey | undefined,
): { check(block: Block, where: string): void; finish(): void } {
  let current = first;
  let key: KeyObject | undefined = first === undefined ? undefined : segmentKeyObject(first.key);
  let unchecked = 0;
  return {
    check(block, where) {
      if (current === undefined || block.segment < current.segment || block.segment > current.segment + 1) {
        unchecked += 1;
        return;
      }
      if (block.segment > current.segment) {
        current = deriveSegmentKey(current, block.segment);
        key = segmentKeyObject(current.key);
      }
      check.add(1);
      if (isMacRight(block, key as KeyObject)) return;
      check.found({
        what: "block not ours",
        where,
        detail: "its HMAC is not made with the key of its segment",
      });
    },
    finish() {
      if (unchecked > 0) check.note(`${unchecked} blocks could not be checked: their key is not here`);
    },
  };
}

interface EntryPlace {
  readonly start: number;
  readonly end: number;
  readonly index: number;
  readonly where: string;
}

function createEntryCheck(
  check: OpenCheck,
  options: VerifyLedgerOptions,
): { check(bytes: Buffer, place: EntryPlace): void } {
  const { onEntry, onlyContaining } = options;
  return {
    check(bytes, { start, end, index, where }) {
      check.add(1);
      if (!isEntry(bytes, start, end)) {
        let detail = "";
        try {
          parseEntry(bytes.subarray(start, end));
        } catch (error) {
          detail = errorMessage(error);
        }
        return check.found({ what: "entry invalid", where: `${where}, entry ${index}`, detail });
      }
      if (onEntry === undefined) return;
      const entry = bytes.subarray(start, end);
      if (onlyContaining === undefined || entry.includes(onlyContaining)) onEntry(index, parseEntry(entry));
    },
  };
}

function createTileCheck(
  check: OpenCheck,
  ledgerFolder: string,
): { paths: Set<string>; compare(tile: TileId, bytes: Buffer): void } {
  const paths = new Set<string>();
  return {
    paths,
    compare(tile, bytes) {
      const path = tilePath(tile);
      paths.add(path);
      check.add(1);
      const stored = readTile(ledgerFolder, tile);
      const where = `tile/${path}`;
      if (stored === undefined)
        return check.found({ what: "tile missing", where, detail: "there is no file of 8192 bytes" });
      if (stored.equals(bytes)) return;
      const position = firstDifference(stored, bytes);
      const hash = tile.index * tileWidth + Math.floor(position / hashBytes);
      const whose = tile.level === 0 ? `entry ${hash}` : `tile ${tile.level - 1}/${hash}`;
      check.found({
        what: "tile differs",
        where: `${where}, byte ${position}`,
        detail: `not the hash of ${whose}`,
      });
    },
  };
}

function firstDifference(a: Buffer, b: Buffer): number {
  return a.findIndex((byte, position) => byte !== b[position]);
}
