/** Reads entries by index from the segments, remembering places on the way, so that the next read starts close to its goal. */
import { setImmediate } from "node:timers/promises";
import { splitPayload } from "./entry.ts";
import { broken, brokenSegment } from "./ledger-error.ts";
import { listSegments, scanSegment } from "./read-segments.ts";
import type { SegmentFile } from "./read-segments.ts";
import type { Block } from "./segment.ts";

export interface EntryReader {
  /** Canonical bytes of entries `[from, to)`. Throws LEDGER_BROKEN when a block is damaged or missing. */
  entries(from: number, to: number): Promise<readonly Buffer[]>;
}

/** Distance of the places in a segment that are remembered, and what is read at a time. */
const markEveryBytes = 64 * 1024;
const readBytes = 256 * 1024;
/** A cold walk through a segment reads 64 MB; other work gets its turn about every millisecond. */
const restEveryBytes = 1024 * 1024;

export function createEntryReader(ledgerFolder: string): EntryReader {
  const marks = new Map<string, Mark[]>();
  return {
    async entries(from, to) {
      const found: Buffer[] = [];
      const segments = listSegments(ledgerFolder);
      for (const [position, file] of segments.entries()) {
        const next = segments[position + 1]?.firstIndex ?? Infinity;
        if (next <= from || file.firstIndex >= to) continue;
        const known = marks.get(file.name) ?? [{ index: file.firstIndex, offset: 0 }];
        marks.set(file.name, known);
        await collect(file, known, { from: from + found.length, to: Math.min(to, next), found });
      }
      if (found.length === to - from) return found;
      const index = from + found.length;
      throw broken(`entry ${index} is missing from the segments`, { index });
    },
  };
}

interface Mark {
  readonly index: number;
  readonly offset: number;
}

interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly found: Buffer[];
}

/** Adds entries of one segment to `found`. */
async function collect(file: SegmentFile, marks: Mark[], wanted: Wanted): Promise<void> {
  let sinceRest = 0;
  for (const scanned of scanSegment(file.path, lastMark(marks, wanted.from).offset, readBytes)) {
    if (scanned.kind === "damage") throw brokenSegment(file.name, scanned.offset, scanned.why);
    const { block, offset } = scanned;
    const newest = marks[marks.length - 1] as Mark;
    if (offset >= newest.offset + markEveryBytes) marks.push({ index: block.firstIndex, offset });
    take(block, wanted);
    if (block.firstIndex + block.count >= wanted.to) return;
    sinceRest += block.sizeBytes;
    if (sinceRest < restEveryBytes) continue;
    sinceRest = 0;
    await setImmediate();
  }
}

function take({ payload, firstIndex, count }: Block, { from, to, found }: Wanted): void {
  if (firstIndex + count <= from) return;
  let index = firstIndex;
  splitPayload(payload, (start, end) => {
    if (index >= from && index < to) found.push(Buffer.from(payload.subarray(start, end)));
    index += 1;
  });
}

/** The last place at or before the entry. */
function lastMark(marks: readonly Mark[], index: number): Mark {
  let low = 0;
  let high = marks.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((marks[middle] as Mark).index <= index) low = middle;
    else high = middle - 1;
  }
  return marks[low] as Mark;
}
