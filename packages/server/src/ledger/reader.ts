/** Reads entries, tiles and tree hashes of a ledger folder while another thread or process may be appending to it. */
import { readFileSync } from "node:fs";
import { verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { keyPaths, readVerifierKey } from "./keys.ts";
import { createHasher } from "./merkle.ts";
import type { Hash, NodeId } from "./merkle.ts";
import { createEntryReader } from "./read-entries.ts";
import { broken } from "./ledger-error.ts";
import { checkpointPath } from "./recover.ts";
import { hashBytes, nodeInTile, rootInTile, tileWidth, widthInTree } from "./tile.ts";
import type { TileId, TileRequest } from "./tile.ts";
import { readTile } from "./tile-files.ts";

/** The signed head as it stands in the files. */
export interface StoredHead extends Checkpoint {
  readonly note: string;
  readonly verifierKey: string;
}

/**
 * Everything below `size` of a checkpoint is immutable, so callers take a size first and read below it. Reading throws
 * LEDGER_BROKEN when a block is damaged or missing. Reads of less than 1 MB take the thread for a few milliseconds at most.
 */
export interface LedgerReader {
  /** Reads and verifies the checkpoint file. Throws LEDGER_BROKEN, LEDGER_KEYS_UNUSABLE. */
  head(): StoredHead;
  /** Canonical bytes of entries `[from, to)`. */
  entries(from: number, to: number): Promise<readonly Buffer[]>;
  /** Root of a full subtree that lies below a signed size. */
  node(id: NodeId): Promise<Hash>;
  /** The bytes that C2SP tlog-tiles wants for the request in a tree of `size`, or undefined when that tree has no such tile. */
  tile(request: TileRequest, size: number): Promise<Buffer | undefined>;
}

/** 65,536 roots of tiles, 4 MB: those of 16 million entries. */
const defaultTileRoots = 65_536;

export function createLedgerReader(
  ledgerFolder: string,
  maxTileRoots: number = defaultTileRoots,
): LedgerReader {
  const hasher = createHasher();
  const { entries } = createEntryReader(ledgerFolder);
  const tileRoots = new Map<string, Hash>();

  async function node(id: NodeId): Promise<Hash> {
    const { tile, start, count } = nodeInTile(id);
    const hashes = await hashesOf(tile, start, count);
    return rootInTile(hasher, hashes, { start: 0, count });
  }

  /** `count` hashes of a tile: from its file, else from what it is made of. */
  async function hashesOf(tile: TileId, start: number, count: number): Promise<Buffer> {
    const stored = readTile(ledgerFolder, tile);
    if (stored !== undefined) return stored.subarray(start * hashBytes, (start + count) * hashBytes);
    const made = Buffer.alloc(count * hashBytes);
    const first = tile.index * tileWidth + start;
    if (tile.level === 0) {
      const leaves = await entries(first, first + count);
      for (const [i, leaf] of leaves.entries())
        made.write(hasher.leaf(leaf, 0, leaf.length), i * hashBytes, "latin1");
      return made;
    }
    for (let i = 0; i < count; i += 1) {
      made.write(await tileRoot({ level: tile.level - 1, index: first + i }), i * hashBytes, "latin1");
    }
    return made;
  }

  async function tileRoot(tile: TileId): Promise<Hash> {
    const name = `${tile.level}/${tile.index}`;
    const known = tileRoots.get(name);
    if (known !== undefined) return known;
    const root = rootInTile(hasher, await hashesOf(tile, 0, tileWidth), { start: 0, count: tileWidth });
    if (tileRoots.size >= maxTileRoots) tileRoots.clear();
    tileRoots.set(name, root);
    return root;
  }

  return {
    head: () => readHead(ledgerFolder),
    entries,
    node,
    async tile({ kind, level, index, width }, size) {
      if (widthInTree({ level, index }, size) < width) return undefined;
      if (kind === "hashes") return await hashesOf({ level, index }, 0, width);
      return bundle(await entries(index * tileWidth, index * tileWidth + width));
    },
  };
}

/** An entry bundle: each entry after its length, 16 bits. */
function bundle(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

function readHead(ledgerFolder: string): StoredHead {
  const verifierPath = keyPaths(ledgerFolder, "").verifier;
  const verifier = readVerifierKey(verifierPath);
  let note: string;
  try {
    note = readFileSync(checkpointPath(ledgerFolder), "utf8");
  } catch {
    throw broken("its checkpoint file is missing");
  }
  const result = verifyCheckpoint(note, verifier);
  if (result.kind === "refused") throw broken(`its checkpoint is refused: ${result.why}`);
  return { ...result.checkpoint, note, verifierKey: readFileSync(verifierPath, "latin1").trimEnd() };
}
