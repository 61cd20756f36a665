/** Appends blocks to the newest segment file and starts the next one when it is full. */
import { closeSync, fdatasyncSync, fstatSync, openSync, writevSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { syncFolder } from "../base/durable-file.ts";
import type { FramedEntries } from "./entry.ts";
import { advanceSegmentKey } from "./keys.ts";
import { unavailable } from "./ledger-error.ts";
import type { RecoveredLedger } from "./recover.ts";
import { maxPayloadBytes, sealBlock, segmentKeyObject, segmentName } from "./segment.ts";

export interface SegmentWriterOptions {
  readonly ledgerFolder: string;
  /** A segment that has reached this size is closed and the HMAC key advanced. */
  readonly segmentBytes: number;
}

export interface SegmentWriter {
  /** Returns when the block is synced. After a throw the files must be recovered before anything else is written. */
  append(entries: FramedEntries): void;
  close(): void;
}

export function createSegmentWriter(
  options: SegmentWriterOptions,
  recovered: RecoveredLedger,
): SegmentWriter {
  const { ledgerFolder, segmentBytes } = options;
  let { place } = recovered;
  let segmentKey = recovered.keys.segmentKey;
  let macKey: KeyObject = segmentKeyObject(segmentKey.key);
  let open = recovered.tail === undefined ? undefined : resume(recovered.tail);

  /** The open segment, or a new one when it is full or its key is already gone. */
  function segmentForNext(): OpenSegment {
    if (open !== undefined && open.sizeBytes < segmentBytes && open.segment === segmentKey.segment)
      return open;
    const segment = open === undefined ? place.segment : open.segment + 1;
    close();
    if (segmentKey.segment < segment) {
      segmentKey = advanceSegmentKey(recovered.paths, segmentKey);
      macKey = segmentKeyObject(segmentKey.key);
    }
    const path = join(ledgerFolder, "segments", segmentName(place.index));
    open = { segment, file: openSync(path, "wx", 0o644), sizeBytes: 0 };
    return open;
  }

  function close(): void {
    if (open !== undefined) closeSync(open.file);
    open = undefined;
  }

  return {
    append({ payload, count }) {
      if (payload.length > maxPayloadBytes)
        throw unavailable(`a block of ${payload.length} bytes is too large`);
      const current = segmentForNext();
      requireUntouched(current);
      const { segment, file, sizeBytes } = current;
      const { index, block, hash } = place;
      const sealed = sealBlock(
        { segment, block, firstIndex: index, count, previousHash: hash },
        payload,
        macKey,
      );
      writeWhole(current, sealed.pieces);
      fdatasyncSync(file);
      if (sizeBytes === 0) syncFolder(join(ledgerFolder, "segments"));
      open = { segment, file, sizeBytes: sizeBytes + sealed.sizeBytes };
      place = { segment, block: block + 1, index: index + count, hash: sealed.hash };
    },
    close,
  };
}

interface OpenSegment {
  readonly segment: number;
  readonly file: number;
  readonly sizeBytes: number;
}

function resume({ file, sizeBytes }: NonNullable<RecoveredLedger["tail"]>): OpenSegment {
  return { segment: file.segment, file: openSync(file.path, "r+"), sizeBytes };
}

/** Two publishers at once would each sign a different log; the database lease prevents that, and this finds out if it failed. */
function requireUntouched({ file, sizeBytes, segment }: OpenSegment): void {
  const found = fstatSync(file).size;
  if (found === sizeBytes) return;
  throw unavailable(
    `segment ${segment} has ${found} bytes, ${sizeBytes} were written here: another process wrote to it`,
  );
}

/** A write may be cut short where the disk is nearly full; the next one then throws. The torn block goes when the log is opened anew. */
function writeWhole({ file, sizeBytes }: OpenSegment, pieces: readonly Buffer[]): void {
  let at = sizeBytes;
  for (let left = pieces; left.length > 0;) {
    const written = writevSync(file, left, at);
    at += written;
    left = withoutFirst(left, written);
  }
}

/** The pieces less their first `count` bytes. Pure. */
export function withoutFirst(pieces: readonly Buffer[], count: number): readonly Buffer[] {
  let skip = count;
  return pieces.flatMap((piece) => {
    const left = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - left.length;
    return left.length === 0 ? [] : [left];
  });
}
