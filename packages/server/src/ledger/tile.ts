/** Tiles of the C2SP tlog-tiles layout: 256 hashes each, their paths, and the tree that fills them. Pure. */
import { createCompactTree, foldPeaks, rangeNodes } from "./merkle.ts";
import type { CompactTree, Hash, Hasher, NodeId } from "./merkle.ts";

/** Hashes in a full tile; one tile spans eight levels of the tree. */
export const tileWidth = 256;
const tileHeight = 8;
export const hashBytes = 32;

export interface TileId {
  /** Level 0 holds leaf hashes, level 1 roots of full tiles of level 0, and so on. */
  readonly level: number;
  readonly index: number;
}

/** What a client asked for below `tile/`: hashes of a level, or the entries themselves. */
export interface TileRequest {
  readonly kind: "hashes" | "entries";
  readonly level: number;
  readonly index: number;
  /** 1 to 256; below 256 a partial tile. */
  readonly width: number;
}

/** Path below `tile/`, for example `0/x001/234` or `0/x001/234.p/17` (C2SP tlog-tiles). */
export function tilePath({ level, index }: TileId, width: number = tileWidth): string {
  return `${level}/${indexPath(index)}${width === tileWidth ? "" : `.p/${width}`}`;
}

/** The request that a path below `tile/` stands for, or undefined when it is not exactly one. */
export function parseTilePath(path: string): TileRequest | undefined {
  const match = /^(entries|\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, kind, digits, width] = match as unknown as [string, string, string, string | undefined];
  const request: TileRequest = {
    kind: kind === "entries" ? "entries" : "hashes",
    level: kind === "entries" ? 0 : Number(kind),
    index: Number(digits.replaceAll(/[x/]/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  if (request.level > 63 || request.width < 1 || (width !== undefined && request.width >= tileWidth))
    return undefined;
  const written = tilePath({ level: request.level, index: request.index }, request.width);
  return path === (kind === "entries" ? written.replace("0/", "entries/") : written) ? request : undefined;
}

/** How many hashes the tile has in a tree of `size` leaves: 0 (absent) to 256. */
export function widthInTree({ level, index }: TileId, size: number): number {
  const hashes = Math.floor(size / tileWidth ** level) - index * tileWidth;
  return Math.max(0, Math.min(tileWidth, hashes));
}

export function hashAt(tile: Uint8Array, position: number): Hash {
  return Buffer.from(tile.buffer, tile.byteOffset + position * hashBytes, hashBytes).toString("latin1");
}

/** Where a full subtree's root is found: `count` hashes of one tile from `start` on, to be hashed together. */
export function nodeInTile({ height, index }: NodeId): {
  readonly tile: TileId;
  readonly start: number;
  readonly count: number;
} {
  const level = Math.floor(height / tileHeight);
  const count = 2 ** (height % tileHeight);
  const first = index * count;
  return { tile: { level, index: Math.floor(first / tileWidth) }, start: first % tileWidth, count };
}

/** Root over `count` hashes of a tile, a power of two. */
export function rootInTile(
  hasher: Hasher,
  tile: Uint8Array,
  { start, count }: { start: number; count: number },
): Hash {
  let row: Hash[] = [];
  for (let i = 0; i < count; i += 1) row.push(hashAt(tile, start + i));
  while (row.length > 1) {
    const above: Hash[] = [];
    for (let i = 0; i < row.length; i += 2) above.push(hasher.node(row[i] as Hash, row[i + 1] as Hash));
    row = above;
  }
  return row[0] as Hash;
}

/** The unfinished tiles of a tree: for each level its hashes so far, 0 to 255 of them. */
export type TileEdge = readonly (readonly Hash[])[];

export interface TileTree extends CompactTree {
  /** The hashes of the unfinished tile of a level. */
  edge(level: number): Buffer;
}

export interface TileTreeOptions {
  readonly hasher: Hasher;
  readonly size: number;
  readonly edge: TileEdge;
  /** Gets every tile when it is full; `bytes` is valid during the call only. May throw, which fails the append. */
  readonly onTile: (tile: TileId, bytes: Buffer) => void;
}

/** A compact tree that also fills tiles. `size` and `edge` resume an earlier one. */
export function createTileTree({ hasher, size, edge, onTile }: TileTreeOptions): TileTree {
  const levels = edge.map((hashes) => startLevel(hashes));
  const tree = createCompactTree({ hasher, size, peaks: edgePeaks(hasher, edge), onNode: addNode });

  function addNode(height: number, value: Hash): void {
    if (height % tileHeight === 0) add(height / tileHeight, value);
  }

  function add(level: number, value: Hash): void {
    while (levels.length <= level) levels.push(startLevel([]));
    const current = levels[level] as Level;
    current.bytes.write(value, current.count * hashBytes, "latin1");
    current.count += 1;
    if (current.count < tileWidth) return;
    // The tree counts the leaf after its nodes, so the tile being filled ends at size + 1.
    onTile({ level, index: Math.floor(tree.size / tileWidth ** (level + 1)) }, current.bytes);
    current.count = 0;
  }

  return {
    get size() {
      return tree.size;
    },
    append(leaf) {
      add(0, leaf);
      tree.append(leaf);
    },
    root: () => tree.root(),
    edge(level) {
      const current = levels[level];
      return current === undefined
        ? Buffer.alloc(0)
        : Buffer.from(current.bytes.subarray(0, current.count * hashBytes));
    },
  };
}

interface Level {
  readonly bytes: Buffer;
  count: number;
}

function startLevel(hashes: readonly Hash[]): Level {
  const bytes = Buffer.alloc(tileWidth * hashBytes);
  for (const [position, value] of hashes.entries()) bytes.write(value, position * hashBytes, "latin1");
  return { bytes, count: hashes.length };
}

/** The full subtrees of a tree, largest first, from its unfinished tiles: the highest level holds the largest. */
function edgePeaks(hasher: Hasher, edge: TileEdge): readonly Hash[] {
  const peaks: Hash[] = [];
  for (const hashes of edge.toReversed()) {
    for (const { height, index } of rangeNodes({ from: 0, to: hashes.length })) {
      const start = index * 2 ** height;
      peaks.push(perfectRoot(hasher, hashes.slice(start, start + 2 ** height)));
    }
  }
  return peaks;
}

function perfectRoot(hasher: Hasher, hashes: readonly Hash[]): Hash {
  if (hashes.length === 1) return hashes[0] as Hash;
  const middle = hashes.length / 2;
  return foldPeaks(hasher, [
    perfectRoot(hasher, hashes.slice(0, middle)),
    perfectRoot(hasher, hashes.slice(middle)),
  ]);
}

function indexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) as readonly string[];
  return groups.map((group, position) => (position < groups.length - 1 ? `x${group}` : group)).join("/");
}
