/** Full tiles as files below `ledger/tile/`, and the tree loaded from them. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Hash, Hasher } from "./merkle.ts";
import { hashBytes, rootInTile, tilePath, tileWidth } from "./tile.ts";
import type { TileEdge, TileId } from "./tile.ts";

/** The kernel writes dirty pages back within 35 s; a younger file may have been lost with the power. */
const settledMs = 60_000;
const tileBytes: number = tileWidth * hashBytes;

/** The tile's 8,192 bytes, or undefined when the file is missing or of another size. */
export function readTile(ledgerFolder: string, tile: TileId): Buffer | undefined {
  try {
    const bytes = readFileSync(tileFile(ledgerFolder, tile));
    return bytes.length === tileBytes ? bytes : undefined;
  } catch {
    // Tiles can be made again from the segments; whoever needs this one says that it is missing.
    return undefined;
  }
}

/** Not synced: tiles are derived from the segments, and `unsettledFrom` finds those that a power loss may have taken. */
export function writeTile(ledgerFolder: string, tile: TileId, bytes: Buffer): void {
  const path = tileFile(ledgerFolder, tile);
  try {
    writeFileSync(path, bytes, { mode: 0o644 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes, { mode: 0o644 });
  }
}

/** Writes the tile if the file is missing or different; returns whether it was. */
export function repairTile(ledgerFolder: string, tile: TileId, bytes: Buffer): boolean {
  if (readTile(ledgerFolder, tile)?.equals(bytes) === true) return false;
  writeTile(ledgerFolder, tile, bytes);
  return true;
}

export function tileFile(ledgerFolder: string, tile: TileId): string {
  return join(ledgerFolder, "tile", tilePath(tile));
}

/** The first leaf, a multiple of 256, from which tiles must be made again: those written shortly before `lastWriteMs` or missing. */
export function unsettledFrom(ledgerFolder: string, size: number, lastWriteMs: number): number {
  let index = Math.floor(size / tileWidth);
  while (index > 0 && !isSettled(tileFile(ledgerFolder, { level: 0, index: index - 1 }), lastWriteMs))
    index -= 1;
  return index * tileWidth;
}

/** The unfinished tiles of the tree of `size` leaves, a multiple of 256, from the full ones; undefined when one of those is missing. */
export function loadEdge(ledgerFolder: string, size: number, hasher: Hasher): TileEdge | undefined {
  const edge: Hash[][] = [[]];
  for (let level = 1; tileWidth ** level <= size; level += 1) {
    const count = Math.floor(size / tileWidth ** level) % tileWidth;
    const first = Math.floor(size / tileWidth ** (level + 1)) * tileWidth;
    const hashes: Hash[] = [];
    for (let index = first; index < first + count; index += 1) {
      const tile = readTile(ledgerFolder, { level: level - 1, index });
      if (tile === undefined) return undefined;
      hashes.push(rootInTile(hasher, tile, { start: 0, count: tileWidth }));
    }
    edge.push(hashes);
  }
  return edge;
}

function isSettled(path: string, lastWriteMs: number): boolean {
  try {
    const { mtimeMs, size } = statSync(path);
    return size === tileBytes && mtimeMs < lastWriteMs - settledMs;
  } catch {
    return false;
  }
}
