/** Opens the ledger's files after a stop or a crash: finds the tail, repairs what no one was promised, refuses everything else. */
import { closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { readFileSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { syncFolder, temporaryPath, writeFileDurably } from "../base/durable-file.ts";
import { signCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { createFolders, createKeys, keyPaths, openKeys } from "./keys.ts";
import type { KeyPaths, LedgerKeys } from "./keys.ts";
import { createHasher, emptyRoot } from "./merkle.ts";
import type { Hasher } from "./merkle.ts";
import { broken, brokenSegment } from "./ledger-error.ts";
import { listSegments, scanSegment, visitEntries } from "./read-segments.ts";
import type { SegmentFile } from "./read-segments.ts";
import { chainProblem, isMacRight, segmentKeyObject, zeroHash } from "./segment.ts";
import type { Block, ChainPlace } from "./segment.ts";
import { createTileTree, hashBytes } from "./tile.ts";
import type { TileTree } from "./tile.ts";
import { loadEdge, repairTile, unsettledFrom, writeTile } from "./tile-files.ts";

export interface RecoverOptions {
  readonly ledgerFolder: string;
  readonly keysFolder: string;
  /** Entries that the database knows to be published: a shorter ledger was rolled back. */
  readonly knownSize: number;
  /** How many of the newest bytes are read again; older segments are only checked to be linked. 1 GiB takes about 0.6 s. */
  readonly scanBytes: number;
}

/** A ledger that is ready to be appended to. */
export interface RecoveredLedger {
  readonly keys: LedgerKeys;
  readonly paths: KeyPaths;
  /** The newest segment file and its length, if there is one. */
  readonly tail: { readonly file: SegmentFile; readonly sizeBytes: number } | undefined;
  readonly place: ChainPlace;
  readonly tree: TileTree;
  readonly checkpoint: string;
  readonly repairs: Repairs;
}

export interface Repairs {
  /** Of a block that was never acknowledged, cut off at `offset` of `segment`. */
  readonly torn:
    { readonly segment: string; readonly offset: number; readonly droppedBytes: number } | undefined;
  /** Entries whose block was whole but not yet under a checkpoint. */
  readonly adoptedEntries: number;
  /** Tiles that were missing or different and were made again. */
  readonly tilesRewritten: number;
}

/**
 * Throws LEDGER_BROKEN for damage that is not a torn tail, for a checkpoint that the files do not bear out, and for fewer entries
 * than `knownSize`; LEDGER_KEYS_UNUSABLE for a key file. Changes no file before all of that has been checked.
 */
export function recoverLedger(options: RecoverOptions): RecoveredLedger {
  const { ledgerFolder, keysFolder } = options;
  createFolders(ledgerFolder, keysFolder);
  const paths = keyPaths(ledgerFolder, keysFolder);
  createIfNew(options, paths);
  const keys = openKeys(paths);
  const checkpoint = readCheckpoint(ledgerFolder, keys);
  const scan = scanTail(options, keys, checkpoint.size);
  const good = scan.place.index;
  if (good < checkpoint.size) {
    if (scan.damage !== undefined)
      throw brokenSegment(scan.damage.segment, scan.damage.offset, scan.damage.why, scan.place.block);
    throw broken(`the checkpoint covers ${checkpoint.size} entries, the segments hold ${good}`, {
      size: good,
    });
  }
  if (good < options.knownSize) {
    throw broken(`it holds ${good} entries, ${options.knownSize} were published: it was rolled back`, {
      size: good,
    });
  }
  const loaded = loadTree(ledgerFolder, checkpoint);
  for (const name of ["checkpoint", "key.pub"])
    rmSync(temporaryPath(join(ledgerFolder, name)), { force: true });
  const tail = settleTail(ledgerFolder, scan);
  const adoptedEntries = good - checkpoint.size;
  const note = adoptedEntries === 0 ? checkpoint.note : adopt(ledgerFolder, loaded.tree, good, keys);
  return {
    keys,
    paths,
    tail,
    place: scan.place,
    tree: loaded.tree,
    checkpoint: note,
    repairs: { torn: scan.torn, adoptedEntries, tilesRewritten: loaded.tilesRewritten },
  };
}

export function checkpointPath(ledgerFolder: string): string {
  return join(ledgerFolder, "checkpoint");
}

/** An empty ledger gets a signed checkpoint before its first block, so that a missing checkpoint always means a loss. */
function createIfNew({ ledgerFolder, knownSize }: RecoverOptions, paths: KeyPaths): void {
  const hasSegments = listSegments(ledgerFolder).length > 0;
  if (existsSync(checkpointPath(ledgerFolder))) return;
  if (hasSegments) throw broken("its checkpoint file is missing");
  if (knownSize > 0) throw broken(`its files are gone, ${knownSize} entries were published`);
  createKeys(paths);
  const { signing, segmentKey } = openKeys(paths);
  if (segmentKey.segment !== 0)
    throw broken(`its files are gone, ${paths.segmentKey} belongs to segment ${segmentKey.segment}`);
  const note = signCheckpoint({ origin: signing.name, size: 0, root: emptyRoot }, signing);
  writeFileDurably(checkpointPath(ledgerFolder), note, 0o644);
}

interface SignedState extends Checkpoint {
  readonly note: string;
  readonly writtenAt: number;
}

function readCheckpoint(ledgerFolder: string, keys: LedgerKeys): SignedState {
  const path = checkpointPath(ledgerFolder);
  const note = readFileSync(path, "utf8");
  const result = verifyCheckpoint(note, keys.verifier);
  if (result.kind === "refused") throw broken(`its checkpoint is refused: ${result.why}`);
  return { ...result.checkpoint, note, writtenAt: statSync(path).mtimeMs };
}

interface TailScan {
  readonly place: ChainPlace;
  readonly tail: RecoveredLedger["tail"];
  readonly torn: Repairs["torn"];
  readonly damage: { readonly segment: string; readonly offset: number; readonly why: string } | undefined;
}

function scanTail(options: RecoverOptions, keys: LedgerKeys, signedSize: number): TailScan {
  const files = listSegments(options.ledgerFolder);
  requireKeyOfTail(files, keys);
  const first = firstToScan(files, options.scanBytes);
  let place = linkOlder(files, first);
  let tail: RecoveredLedger["tail"];
  for (const file of files.slice(first)) {
    if (file.firstIndex !== place.index)
      throw broken(`segments/${file.name} begins where entry ${place.index} belongs`, { segment: file.name });
    place = { ...place, segment: file.segment };
    let sizeBytes = 0;
    for (const scanned of scanSegment(file.path)) {
      if (scanned.kind === "damage") {
        const damage = { segment: file.name, offset: scanned.offset, why: scanned.why };
        if (!scanned.isLast || file !== files.at(-1))
          throw brokenSegment(file.name, scanned.offset, scanned.why, place.block);
        const torn = {
          segment: file.name,
          offset: scanned.offset,
          droppedBytes: scanned.endsAt - scanned.offset,
        };
        return { place, tail: { file, sizeBytes }, torn, damage };
      }
      requireInPlace(file, { offset: scanned.offset, block: scanned.block, place });
      if (scanned.block.firstIndex + scanned.block.count > signedSize) requireMac(file, scanned, keys);
      place = after(scanned.block);
      sizeBytes = scanned.offset + scanned.block.sizeBytes;
    }
    tail = { file, sizeBytes };
  }
  return { place, tail, torn: undefined, damage: undefined };
}

/** The key file is at the newest segment, or one further when a crash came between the new key and its first block. */
function requireKeyOfTail(files: readonly SegmentFile[], { segmentKey }: LedgerKeys): void {
  const newest = files.length - 1;
  if (segmentKey.segment === newest || segmentKey.segment === newest + 1) return;
  throw broken(`ledger-hmac.key belongs to segment ${segmentKey.segment}, the newest segment is ${newest}`);
}

function firstToScan(files: readonly SegmentFile[], scanBytes: number): number {
  let bytes = 0;
  let first = files.length;
  // Two at least: the newest may hold nothing but a torn block.
  while (first > 0 && (bytes < scanBytes || files.length - first < 2)) {
    first -= 1;
    bytes += statSync((files[first] as SegmentFile).path).size;
  }
  return first;
}

/** Checks that each older segment ends with the hash that the next one's first block names; returns where the scan begins. */
function linkOlder(files: readonly SegmentFile[], first: number): ChainPlace {
  let place: ChainPlace = { segment: 0, block: 0, index: 0, hash: zeroHash };
  for (const file of files.slice(1, first + 1)) {
    const [scanned] = scanSegment(file.path).take(1).toArray();
    if (scanned?.kind !== "block") throw brokenSegment(file.name, 0, scanned?.why ?? "the file is empty");
    const older = files[file.segment - 1] as SegmentFile;
    if (lastHash(older.path) !== scanned.block.previousHash) {
      throw broken(`segments/${older.name} does not end with the block before segments/${file.name}`, {
        segment: older.name,
      });
    }
    const { block, previousHash, firstIndex } = scanned.block;
    place = { segment: file.segment, block, index: firstIndex, hash: previousHash };
  }
  return place;
}

function lastHash(path: string): string {
  const file = openSync(path, "r");
  try {
    const hash = Buffer.alloc(hashBytes);
    readSync(file, hash, 0, hashBytes, Math.max(0, fstatSync(file).size - hashBytes));
    return hash.toString("hex");
  } finally {
    closeSync(file);
  }
}

function requireInPlace(file: SegmentFile, found: { offset: number; block: Block; place: ChainPlace }): void {
  const problem = chainProblem(found.place, found.block);
  if (problem !== undefined) throw brokenSegment(file.name, found.offset, problem, found.place.block);
}

/** No signature covers this block yet, so only its HMAC says that we wrote it. */
function requireMac(
  file: SegmentFile,
  { offset, block }: { offset: number; block: Block },
  { segmentKey }: LedgerKeys,
): void {
  const isOurs = segmentKey.segment === block.segment && isMacRight(block, segmentKeyObject(segmentKey.key));
  if (!isOurs)
    throw brokenSegment(file.name, offset, "it is under no checkpoint and its HMAC is not ours", block.block);
}

function after(block: Block): ChainPlace {
  return {
    segment: block.segment,
    block: block.block + 1,
    index: block.firstIndex + block.count,
    hash: block.hash,
  };
}

interface LoadedTree {
  readonly tree: TileTree;
  readonly tilesRewritten: number;
}

/** The tree at the checkpoint: from the tiles if they give the signed root, else from all entries, else broken. */
function loadTree(ledgerFolder: string, signed: SignedState): LoadedTree {
  const hasher = createHasher();
  const settled = unsettledFrom(ledgerFolder, signed.size, signed.writtenAt);
  for (const from of settled === 0 ? [0] : [settled, 0]) {
    const loaded = replay(ledgerFolder, hasher, { from, to: signed.size });
    if (loaded?.tree.root() === signed.root) return loaded;
  }
  throw broken(`its entries do not give the root that the checkpoint over ${signed.size} entries signs`);
}

function replay(
  ledgerFolder: string,
  hasher: Hasher,
  { from, to }: { from: number; to: number },
): LoadedTree | undefined {
  const edge = from === 0 ? [] : loadEdge(ledgerFolder, from, hasher);
  if (edge === undefined) return undefined;
  let isReplaying = true;
  let tilesRewritten = 0;
  const tree = createTileTree({
    hasher,
    size: from,
    edge,
    onTile(tile, bytes) {
      if (isReplaying) tilesRewritten += Number(repairTile(ledgerFolder, tile, bytes));
      else writeTile(ledgerFolder, tile, bytes);
    },
  });
  visitEntries(ledgerFolder, { from, to }, (bytes, start, end) =>
    tree.append(hasher.leaf(bytes, start, end)),
  );
  isReplaying = false;
  return { tree, tilesRewritten };
}

/** Removes the bytes of a block that was never under a checkpoint, and syncs the rest. A segment that held nothing else goes. */
function settleTail(ledgerFolder: string, { tail }: TailScan): RecoveredLedger["tail"] {
  if (tail === undefined) return undefined;
  if (tail.sizeBytes === 0) {
    rmSync(tail.file.path);
    syncFolder(join(ledgerFolder, "segments"));
    return undefined;
  }
  const file = openSync(tail.file.path, "r+");
  try {
    if (fstatSync(file).size > tail.sizeBytes) ftruncateSync(file, tail.sizeBytes);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  return tail;
}

/** The crash came between data and checkpoint: the entries are whole and ours, so they are signed now. */
function adopt(ledgerFolder: string, tree: TileTree, size: number, { signing }: LedgerKeys): string {
  const hasher = createHasher();
  const range = { from: tree.size, to: size };
  visitEntries(ledgerFolder, range, (bytes, start, end) => tree.append(hasher.leaf(bytes, start, end)));
  const note = signCheckpoint({ origin: signing.name, size, root: tree.root() }, signing);
  writeFileDurably(checkpointPath(ledgerFolder), note, 0o644);
  return note;
}
