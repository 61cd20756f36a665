/** The pass over all blocks: hashes, HMACs, the chain, every entry's form, the tree against checkpoint and tiles. */
import { setImmediate } from "node:timers/promises";
import type { Checkpoint } from "./checkpoint.ts";
import { splitPayload } from "./entry.ts";
import type { Findings, OpenCheck } from "./findings.ts";
import { createHasher } from "./merkle.ts";
import type { Hasher } from "./merkle.ts";
import { listSegments, scanSegment } from "./read-segments.ts";
import type { Scanned, SegmentFile } from "./read-segments.ts";
import { chainProblem, zeroHash } from "./segment.ts";
import type { Block, ChainPlace } from "./segment.ts";
import { createTileTree } from "./tile.ts";
import type { TileTree } from "./tile.ts";
import { createEntryCheck, createMacCheck, createTileCheck } from "./verify-checks.ts";
import type { EntryCheck, MacCheck, TileCheck } from "./verify-checks.ts";
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
  const root = deps.findings.check("tree root");
  const pass = startPass(options, deps);
  const files = listSegments(options.ledgerFolder);
  for (const file of files) {
    beginFile(pass, file);
    for (const scanned of scanSegment(file.path)) {
      if (scanned.kind === "block") checkBlock(pass, file, scanned);
      else noteDamage(pass, file, scanned, file === files.at(-1));
      // A server verifies its own ledger beside its other work.
      if (mayRest(pass)) await setImmediate();
    }
  }
  pass.macs.finish();
  const { unsignedBlocks, blocks, tiles } = pass;
  if (unsignedBlocks > 0 && deps.signed !== undefined)
    blocks.note(`${unsignedBlocks} not yet under a checkpoint`);
  checkRoot(root, deps.signed, pass);
  return { tiles: tiles.paths };
}

/** What the pass knows so far. */
interface Pass {
  readonly options: VerifyLedgerOptions;
  readonly blocks: OpenCheck;
  readonly macs: MacCheck;
  readonly entries: EntryCheck;
  readonly tiles: TileCheck;
  readonly hasher: Hasher;
  readonly tree: TileTree;
  /** Entries under the checkpoint; without one everything is read, so that as much as possible is said about what is there. */
  readonly size: number;
  place: ChainPlace;
  isTreeWhole: boolean;
  unsignedBlocks: number;
  bytesSinceRest: number;
  reportedEntries: number;
}

function startPass(options: VerifyLedgerOptions, { signed, keys, findings }: SegmentDeps): Pass {
  const hasher = createHasher();
  const blocks = findings.check("blocks");
  const macs = createMacCheck(findings.check("block HMACs"), keys.firstSegmentKey);
  const entries = createEntryCheck(findings.check("entries"), options);
  const tiles = createTileCheck(findings.check("tiles"), options.ledgerFolder);
  return {
    options,
    blocks,
    macs,
    entries,
    tiles,
    hasher,
    tree: createTileTree({ hasher, size: 0, edge: [], onTile: tiles.compare }),
    size: signed?.size ?? Infinity,
    place: { segment: 0, block: 0, index: 0, hash: zeroHash },
    isTreeWhole: true,
    unsignedBlocks: 0,
    bytesSinceRest: 0,
    reportedEntries: 0,
  };
}

function beginFile(pass: Pass, file: SegmentFile): void {
  const { index } = pass.place;
  if (file.firstIndex !== index) {
    const detail = `its name says entry ${file.firstIndex}, entry ${index} belongs here`;
    pass.blocks.found({ what: "segment missing or misplaced", where: `segments/${file.name}`, detail });
  }
  pass.place = { ...pass.place, segment: file.segment };
}

function checkBlock(pass: Pass, file: SegmentFile, { offset, block }: Scanned & { kind: "block" }): void {
  const { blocks, size, place, tree, options } = pass;
  const where = `segments/${file.name}, byte ${offset}, block ${block.block}`;
  const problem = chainProblem(place, block);
  if (problem !== undefined) blocks.found({ what: "block out of place", where, detail: problem });
  blocks.add(1);
  pass.macs.check(block, where);
  if (block.firstIndex >= size) pass.unsignedBlocks += 1;
  else if (block.firstIndex !== tree.size) pass.isTreeWhole = false;
  const index = checkPayload(pass, block, where);
  if (block.firstIndex < size && index > size) {
    const detail = `the signed size ${size} is no block's end`;
    blocks.found({ what: "checkpoint inside a block", where, detail });
  }
  pass.place = { segment: block.segment, block: block.block + 1, index, hash: block.hash };
  pass.bytesSinceRest += block.sizeBytes;
  if (index - pass.reportedEntries < 100_000) return;
  pass.reportedEntries = index;
  options.onProgress?.({ entries: index, size });
}

/** Returns the index of the entry that follows the block. */
function checkPayload({ blocks, entries, hasher, tree, size }: Pass, block: Block, where: string): number {
  const { payload, firstIndex, count } = block;
  let index = firstIndex;
  const framing = splitPayload(payload, (start, end) => {
    if (index < size) {
      tree.append(hasher.leaf(payload, start, end));
      entries.check(payload, { start, end, index, where });
    }
    index += 1;
  });
  const found = index - firstIndex;
  if (framing !== undefined || found !== count) {
    const detail = framing ?? `it holds ${found} entries and claims ${count}`;
    blocks.found({ what: "block inconsistent", where, detail });
  }
  return index;
}

function noteDamage(
  pass: Pass,
  file: SegmentFile,
  scanned: Scanned & { kind: "damage" },
  isNewest: boolean,
): void {
  const { blocks, place, size } = pass;
  if (place.index >= size && scanned.isLast && isNewest) {
    const bytes = scanned.endsAt - scanned.offset;
    return blocks.note(`${bytes} bytes of an append that is under way or was cut short`);
  }
  pass.isTreeWhole = false;
  const where = `segments/${file.name}, byte ${scanned.offset}, block ${place.block}, entries from ${place.index} on`;
  blocks.found({ what: "block damaged", where, detail: `${scanned.why} (to byte ${scanned.endsAt})` });
  const [next] = scanned.isLast ? [] : [...scanSegment(file.path, scanned.endsAt).take(1)];
  if (next?.kind !== "block") return;
  // The damage is told; the chain is taken up again behind it.
  const { segment, block, firstIndex, previousHash } = next.block;
  pass.place = { segment, block, index: firstIndex, hash: previousHash };
}

/** True about every megabyte. */
function mayRest(pass: Pass): boolean {
  if (pass.bytesSinceRest < 1024 * 1024) return false;
  pass.bytesSinceRest = 0;
  return true;
}

function checkRoot(
  check: OpenCheck,
  signed: Checkpoint | undefined,
  { tree, isTreeWhole, place }: Pass,
): void {
  const where = "checkpoint";
  if (signed === undefined) return check.note("there is no checkpoint to compare with");
  check.add(1);
  if (place.index < signed.size) {
    const detail = `the checkpoint covers ${signed.size} entries, the segments hold ${place.index}`;
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
