import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHasher, rangeNodes, foldPeaks } from "./merkle.ts";
import type { Hash } from "./merkle.ts";
import {
  createTileTree,
  hashAt,
  nodeInTile,
  parseTilePath,
  rootInTile,
  tilePath,
  widthInTree,
} from "./tile.ts";

import { readTile, tileFile, writeTile } from "./tile-files.ts";

const hasher = createHasher();
const leaf = (index: number): Hash => {
  const bytes = Buffer.from(String(index));
  return hasher.leaf(bytes, 0, bytes.length);
};

function build(size: number): { tiles: Map<string, Buffer>; tree: ReturnType<typeof createTileTree> } {
  const tiles = new Map<string, Buffer>();
  const tree = createTileTree({
    hasher,
    size: 0,
    edge: [],
    onTile: (tile, bytes) => tiles.set(tilePath(tile), Buffer.from(bytes)),
  });
  for (let i = 0; i < size; i += 1) tree.append(leaf(i));
  return { tiles, tree };
}

test("paths follow tlog-tiles", () => {
  expect(tilePath({ level: 0, index: 0 })).toBe("0/000");
  expect(tilePath({ level: 0, index: 1234 })).toBe("0/x001/234");
  expect(tilePath({ level: 2, index: 1_234_067 }, 17)).toBe("2/x001/x234/067.p/17");
});

test("a path is read only in the one form it is written", () => {
  expect(parseTilePath("0/x001/234")).toEqual({ kind: "hashes", level: 0, index: 1234, width: 256 });
  expect(parseTilePath("63/000.p/255")).toEqual({ kind: "hashes", level: 63, index: 0, width: 255 });
  expect(parseTilePath("entries/x001/000.p/1")).toEqual({ kind: "entries", level: 0, index: 1000, width: 1 });
  for (const bad of [
    "",
    "0",
    "0/1",
    "0/x000/001",
    "00/001",
    "64/000",
    "0/000.p/0",
    "0/000.p/256",
    "0/000.p/01",
    "0/../000",
    "0/001/234",
    "entries/0/000",
  ]) {
    expect(parseTilePath(bad), bad).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.nat(63), fc.nat(10 ** 12), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      expect(parseTilePath(tilePath({ level, index }, width))).toEqual({
        kind: "hashes",
        level,
        index,
        width,
      });
    }),
  );
});

test("a tree of 70,000 leaves has the tiles that tlog-tiles counts", () => {
  const { tiles, tree } = build(70_000);
  expect([...tiles.keys()].filter((path) => path.startsWith("0/")).length).toBe(273);
  expect([...tiles.keys()].filter((path) => path.startsWith("1/"))).toEqual(["1/000"]);
  expect([0, 1, 2, 3].map((level) => tree.edge(level).length / 32)).toEqual([112, 17, 1, 0]);
  expect(widthInTree({ level: 0, index: 273 }, 70_000)).toBe(112);
  expect(widthInTree({ level: 0, index: 272 }, 70_000)).toBe(256);
  expect(widthInTree({ level: 1, index: 1 }, 70_000)).toBe(17);
  expect(widthInTree({ level: 2, index: 0 }, 70_000)).toBe(1);
  expect(widthInTree({ level: 2, index: 1 }, 70_000)).toBe(0);

  // The root from tiles alone is the tree's.
  const peaks = rangeNodes({ from: 0, to: 70_000 }).map((node) => {
    const place = nodeInTile(node);
    const width = widthInTree(place.tile, 70_000);
    const tile = width === 256 ? tiles.get(tilePath(place.tile))! : tree.edge(place.tile.level);
    return rootInTile(hasher, tile, place);
  });
  expect(foldPeaks(hasher, peaks)).toBe(tree.root());
  expect(hashAt(tiles.get("0/000")!, 3)).toBe(leaf(3));
});

test("a tree resumed from its unfinished tiles goes on as if it had never stopped", () => {
  for (const [size, more] of [
    [0, 3],
    [1, 300],
    [255, 2],
    [256, 256],
    [65_535, 2],
    [65_536, 300],
    [66_000, 70],
  ] as const) {
    const { tree } = build(size);
    const edge = [0, 1, 2].map((level) => {
      const bytes = tree.edge(level);
      return Array.from({ length: bytes.length / 32 }, (_, i) => hashAt(bytes, i));
    });
    const tiles = new Map<string, Buffer>();
    const resumed = createTileTree({
      hasher,
      size,
      edge,
      onTile: (tile, bytes) => tiles.set(tilePath(tile), Buffer.from(bytes)),
    });
    expect(resumed.root()).toBe(tree.root());
    for (let i = size; i < size + more; i += 1) resumed.append(leaf(i));
    const whole = build(size + more);
    expect(resumed.root()).toBe(whole.tree.root());
    for (const [path, bytes] of tiles) expect(whole.tiles.get(path)?.equals(bytes), path).toBe(true);
    for (const level of [0, 1, 2]) expect(resumed.edge(level).equals(whole.tree.edge(level))).toBe(true);
  }
});

test("a tile file of another size counts as missing, and an obstacle in its place is an error", () => {
  const folder = mkdtempSync(join(tmpdir(), "tiles-"));
  try {
    writeTile(folder, { level: 0, index: 1 }, Buffer.alloc(8192));
    expect(readTile(folder, { level: 0, index: 1 })?.length).toBe(8192);
    writeFileSync(tileFile(folder, { level: 0, index: 1 }), "short");
    expect(readTile(folder, { level: 0, index: 1 })).toBeUndefined();
    mkdirSync(tileFile(folder, { level: 0, index: 2 }));
    expect(() => writeTile(folder, { level: 0, index: 2 }, Buffer.alloc(8192))).toThrow(/EISDIR/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
