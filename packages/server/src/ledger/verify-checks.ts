/** The checks of single things during the pass over all blocks: one block's HMAC, one entry's form, one tile's bytes. */
import type { KeyObject } from "node:crypto";
import { errorMessage } from "../base/error.ts";
import { isEntry, parseEntry } from "./entry.ts";
import type { OpenCheck } from "./findings.ts";
import { deriveSegmentKey } from "./keys.ts";
import type { SegmentKey } from "./keys.ts";
import { isMacRight, segmentKeyObject } from "./segment.ts";
import type { Block } from "./segment.ts";
import { hashBytes, tilePath, tileWidth } from "./tile.ts";
import type { TileId } from "./tile.ts";
import { readTile } from "./tile-files.ts";
import type { VerifyLedgerOptions } from "./verify-options.ts";

export interface MacCheck {
  check(block: Block, where: string): void;
  finish(): void;
}

export interface EntryCheck {
  check(bytes: Buffer, place: EntryPlace): void;
}

export interface TileCheck {
  /** Paths below `tile/` of all tiles so far. */
  readonly paths: ReadonlySet<string>;
  readonly compare: (tile: TileId, bytes: Buffer) => void;
}

export interface EntryPlace {
  readonly start: number;
  readonly end: number;
  readonly index: number;
  readonly where: string;
}

export function createMacCheck(check: OpenCheck, first: SegmentKey | undefined): MacCheck {
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

export function createEntryCheck(check: OpenCheck, options: VerifyLedgerOptions): EntryCheck {
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

export function createTileCheck(check: OpenCheck, ledgerFolder: string): TileCheck {
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
