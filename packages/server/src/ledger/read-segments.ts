/** Reads segment files block by block in bounded memory, and finds the next whole block after damage. */
import { closeSync, fstatSync, openSync, readSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { splitPayload } from "./entry.ts";
import { broken, brokenSegment } from "./ledger-error.ts";
import {
  findBlock,
  headerBytes,
  maxPayloadBytes,
  parseSegmentName,
  readBlock,
  trailerBytes,
} from "./segment.ts";
import type { Block, BlockResult } from "./segment.ts";

export interface SegmentFile {
  /** Ordinal, from 0. */
  readonly segment: number;
  readonly name: string;
  readonly path: string;
  readonly firstIndex: number;
}

/** Offsets are bytes from the start of the file. Views in `block` are valid until the next step. */
export type Scanned =
  | { readonly kind: "block"; readonly offset: number; readonly block: Block }
  /** Bytes that are no block; `endsAt` is where the next whole block begins, or the end of the file. */
  | {
      readonly kind: "damage";
      readonly offset: number;
      readonly endsAt: number;
      readonly why: string;
      readonly isLast: boolean;
    };

/** The segment files in order. Names that are none are left out; `verify` reports them. */
export function listSegments(ledgerFolder: string): readonly SegmentFile[] {
  const folder = join(ledgerFolder, "segments");
  return readdirSync(folder)
    .filter((name) => parseSegmentName(name) !== undefined)
    .sort()
    .map((name, segment) => ({
      segment,
      name,
      path: join(folder, name),
      firstIndex: parseSegmentName(name) as number,
    }));
}

/** One block of the largest size always fits. */
const largestWindowBytes = 2 * (headerBytes + maxPayloadBytes + trailerBytes);

/**
 * Every block of a file from `offset` on, with its hash checked, and every damaged stretch between. `windowBytes` is what is
 * read at a time; a block that is larger makes the window grow.
 */
export function* scanSegment(
  path: string,
  offset = 0,
  windowBytes: number = largestWindowBytes,
): Generator<Scanned> {
  const file = openSync(path, "r");
  try {
    let window = Buffer.allocUnsafeSlow(
      Math.max(headerBytes, Math.min(windowBytes, fstatSync(file).size - offset)),
    );
    let start = offset;
    for (;;) {
      const bytes = window.subarray(0, readFully(file, window, start));
      if (bytes.length === 0) return;
      let at = 0;
      while (at < bytes.length) {
        const result = readBlock(bytes, at);
        if (result.kind === "block") {
          yield { kind: "block", offset: start + at, block: result.block };
          at += result.block.sizeBytes;
          continue;
        }
        // The rest of the block may lie beyond the window.
        if (result.kind === "short" && at > 0) break;
        if (
          result.kind === "short" &&
          window.length < largestWindowBytes &&
          start + window.length < fstatSync(file).size
        ) {
          window = Buffer.allocUnsafeSlow(largestWindowBytes);
          break;
        }
        const damage = findDamageEnd(file, start + at, result);
        yield damage;
        at = damage.endsAt - start;
        break;
      }
      start += at;
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Visits entries `[from, to)` in order; `bytes` is valid during the call. Blocks are checked for damage, not for their chain.
 * Throws LEDGER_BROKEN when one is damaged or missing.
 */
export function visitEntries(
  ledgerFolder: string,
  { from, to }: { readonly from: number; readonly to: number },
  visit: (bytes: Buffer, start: number, end: number) => void,
): void {
  const segments = listSegments(ledgerFolder);
  let index = from;
  for (const [position, file] of segments.entries()) {
    const next = segments[position + 1]?.firstIndex ?? Infinity;
    if (next <= from || index >= to) continue;
    for (const scanned of scanSegment(file.path)) {
      if (scanned.kind === "damage") throw brokenSegment(file.name, scanned.offset, scanned.why);
      const { block } = scanned;
      let at = block.firstIndex;
      splitPayload(block.payload, (start, end) => {
        if (at === index && index < to) {
          visit(block.payload, start, end);
          index += 1;
        }
        at += 1;
      });
      if (index >= to) break;
    }
  }
  if (index < to) throw broken(`entry ${index} is missing from the segments`, { index });
}

function findDamageEnd(
  file: number,
  offset: number,
  result: BlockResult,
): Scanned & { readonly kind: "damage" } {
  const why = result.kind === "bad" ? result.why : "it ends before its length is reached";
  const rest = Buffer.allocUnsafeSlow(fstatSync(file).size - offset);
  const bytes = rest.subarray(0, readFully(file, rest, offset));
  let at = findBlock(bytes, 1);
  while (at >= 0 && readBlock(bytes, at).kind !== "block") at = findBlock(bytes, at + 1);
  return { kind: "damage", offset, why, endsAt: offset + (at < 0 ? bytes.length : at), isLast: at < 0 };
}

/** Bytes read; less than the buffer only at the end of the file. */
function readFully(file: number, buffer: Buffer, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(file, buffer, filled, buffer.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
