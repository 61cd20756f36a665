/** The open ledger: appends a block, syncs it, signs the new tree head, all synchronously. Runs in the log thread. */
import { closeSync, fdatasyncSync, fstatSync, openSync, writevSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { syncFolder, writeFileDurably } from "../base/durable-file.ts";
import { HomeostatError } from "../base/error.ts";
import { createId, createSalt } from "../base/id.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { frameEntries, splitPayload } from "./entry.ts";
import type { FramedEntries } from "./entry.ts";
import { advanceSegmentKey } from "./keys.ts";
import { createHasher, hashToHex } from "./merkle.ts";
import { checkpointPath, recoverLedger } from "./recover.ts";
import type { RecoverOptions, RecoveredLedger, Repairs } from "./recover.ts";
import { maxPayloadBytes, sealBlock, segmentKeyObject, segmentName } from "./segment.ts";

export interface LogOptions extends RecoverOptions {
  /** A segment that has reached this size is closed and the HMAC key advanced. */
  readonly segmentBytes: number;
}

/** The signed state of the tree after an append. */
export interface SignedHead {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  readonly checkpoint: string;
}

export interface Log {
  readonly head: SignedHead;
  readonly verifierKey: string;
  readonly repairs: Repairs;
  /**
   * Returns after the block and then a checkpoint over it are on disk. Throws the file system's error (disk full, failing disk)
   * or LEDGER_UNAVAILABLE when somebody else wrote to the segment; after any throw the log must be closed and opened anew.
   */
  append(entries: FramedEntries): SignedHead;
  close(): void;
}

/**
 * Recovers and opens the ledger. `nowMs` dates the entry `ledger.recovered`, which is appended when a torn block was cut off.
 * Throws as `recoverLedger` does.
 */
export function openLog(options: LogOptions, nowMs: number): Log {
  const recovered = recoverLedger(options);
  const log = createLog(options, recovered);
  const { torn } = recovered.repairs;
  if (torn === undefined) return log;
  try {
    log.append(frameEntries([recoveredEntry(torn, nowMs)]));
  } catch (error) {
    log.close();
    throw error;
  }
  return log;
}

function createLog({ ledgerFolder, segmentBytes }: LogOptions, recovered: RecoveredLedger): Log {
  const { keys, paths, tree } = recovered;
  const { signing } = keys;
  const hasher = createHasher();
  let { place } = recovered;
  let segmentKey = keys.segmentKey;
  let macKey: KeyObject = segmentKeyObject(segmentKey.key);
  let segment = recovered.tail === undefined ? undefined : resume(recovered.tail);
  let head: SignedHead = { size: tree.size, root: hashToHex(tree.root()), checkpoint: recovered.checkpoint };
  let hasFailed = false;

  function append({ payload, count }: FramedEntries): SignedHead {
    if (hasFailed) throw unavailable("it was closed, or an append failed before");
    if (payload.length > maxPayloadBytes)
      throw unavailable(`a block of ${payload.length} bytes is too large`);
    hasFailed = true;
    const current = segmentFor();
    requireUntouched(current);
    const sealed = sealBlock(
      { ...place, segment: current.number, firstIndex: place.index, count, previousHash: place.hash },
      payload,
      macKey,
    );
    writeWhole(current, sealed.pieces);
    fdatasyncSync(current.file);
    if (current.sizeBytes === 0) syncFolder(join(ledgerFolder, "segments"));
    current.sizeBytes += sealed.sizeBytes;
    place = {
      segment: current.number,
      block: place.block + 1,
      index: place.index + count,
      hash: sealed.hash,
    };
    splitPayload(payload, (start, end) => tree.append(hasher.leaf(payload, start, end)));
    const root = tree.root();
    const checkpoint = signCheckpoint({ origin: signing.name, size: tree.size, root }, signing);
    writeFileDurably(checkpointPath(ledgerFolder), checkpoint, 0o644);
    head = { size: tree.size, root: hashToHex(root), checkpoint };
    hasFailed = false;
    return head;
  }

  /** The open segment, or a new one when it is full or its key is already gone. */
  function segmentFor(): OpenSegment {
    if (segment !== undefined && segment.sizeBytes < segmentBytes && segment.number === segmentKey.segment)
      return segment;
    const number = segment === undefined ? place.segment : segment.number + 1;
    if (segment !== undefined) closeSync(segment.file);
    segment = undefined;
    if (segmentKey.segment < number) {
      segmentKey = advanceSegmentKey(paths, segmentKey);
      macKey = segmentKeyObject(segmentKey.key);
    }
    const path = join(ledgerFolder, "segments", segmentName(place.index));
    segment = { number, file: openSync(path, "wx", 0o644), sizeBytes: 0 };
    return segment;
  }

  return {
    get head() {
      return head;
    },
    verifierKey: signing.verifierKey,
    repairs: recovered.repairs,
    append,
    close() {
      if (segment !== undefined) closeSync(segment.file);
      segment = undefined;
      hasFailed = true;
    },
  };
}

interface OpenSegment {
  readonly number: number;
  readonly file: number;
  sizeBytes: number;
}

function resume({ file, sizeBytes }: NonNullable<RecoveredLedger["tail"]>): OpenSegment {
  return { number: file.segment, file: openSync(file.path, "r+"), sizeBytes };
}

/** Two publishers at once would each sign a different log; the database lease prevents that, and this finds out if it failed. */
function requireUntouched({ file, sizeBytes, number }: OpenSegment): void {
  const found = fstatSync(file).size;
  if (found === sizeBytes) return;
  throw unavailable(
    `segment ${number} has ${found} bytes, ${sizeBytes} were written here: another process wrote to it`,
  );
}

function writeWhole({ file, sizeBytes }: OpenSegment, pieces: readonly Buffer[]): void {
  const wanted = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const written = writevSync(file, pieces, sizeBytes);
  // A short write means a full disk; the torn block is cut off when the log is opened anew.
  if (written !== wanted) throw unavailable(`only ${written} of ${wanted} bytes of a block could be written`);
}

function unavailable(why: string): HomeostatError {
  return new HomeostatError("LEDGER_UNAVAILABLE", `The ledger cannot be appended to: ${why}`);
}

function recoveredEntry(torn: NonNullable<Repairs["torn"]>, nowMs: number): LedgerEntry {
  const id = createId("ent", nowMs);
  return {
    v: 1,
    key: `ledger/recovered/${id}`,
    at: new Date(nowMs).toISOString(),
    type: "ledger.recovered",
    tenant: "default",
    actor: { kind: "system", id: "ledger" },
    labels: [],
    salt: createSalt(),
    data: { ...torn },
  };
}
