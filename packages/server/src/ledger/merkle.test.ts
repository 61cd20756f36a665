import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  consistencyRanges,
  createCompactTree,
  createHasher,
  emptyRoot,
  foldPeaks,
  hashFromHex,
  hashToHex,
  inclusionRanges,
  isConsistent,
  isIncluded,
  rangeNodes,
} from "./merkle.ts";
import type { Hash, LeafRange } from "./merkle.ts";

const hasher = createHasher();

/** RFC 6962 section 2.1, written down as it stands there. */
function recursiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash("sha256").digest();
  if (leaves.length === 1)
    return createHash("sha256")
      .update(Buffer.from([0]))
      .update(leaves[0]!)
      .digest();
  const k = split(leaves.length);
  return createHash("sha256")
    .update(Buffer.from([1]))
    .update(recursiveRoot(leaves.slice(0, k)))
    .update(recursiveRoot(leaves.slice(k)))
    .digest();
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** RFC 6962 section 2.1.1. */
function recursivePath(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...recursivePath(m, leaves.slice(0, k)), recursiveRoot(leaves.slice(k))]
    : [...recursivePath(m - k, leaves.slice(k)), recursiveRoot(leaves.slice(0, k))];
}

/** RFC 6962 section 2.1.2. */
function recursiveSubproof(m: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [recursiveRoot(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...recursiveSubproof(m, leaves.slice(0, k), isWhole), recursiveRoot(leaves.slice(k))]
    : [...recursiveSubproof(m - k, leaves.slice(k), false), recursiveRoot(leaves.slice(0, k))];
}

const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.from(`leaf ${i}`));
const toHash = (buffer: Buffer): Hash => buffer.toString("latin1");

function rangeRoot(leaves: readonly Buffer[], range: LeafRange): Hash {
  const nodes = rangeNodes(range).map(({ height, index }) => {
    const from = index * 2 ** height;
    return toHash(recursiveRoot(leaves.slice(from, from + 2 ** height)));
  });
  return foldPeaks(hasher, nodes);
}

function grow(leaves: readonly Buffer[]): Hash {
  const tree = createCompactTree({ hasher, size: 0, peaks: [] });
  for (const leaf of leaves) tree.append(hasher.leaf(leaf, 0, leaf.length));
  expect(tree.size).toBe(leaves.length);
  return tree.root();
}

test("the roots of the well-known RFC 6962 test tree are reproduced", () => {
  const inputs = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ];
  const roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ];
  const leaves = inputs.map((hex) => Buffer.from(hex, "hex"));
  for (const [i, root] of roots.entries()) expect(hashToHex(grow(leaves.slice(0, i + 1)))).toBe(root);
  expect(hashToHex(emptyRoot)).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(grow([])).toBe(emptyRoot);
});

test("appending gives the root of the recursive definition, and a tree can be resumed from its peaks", () => {
  fc.assert(
    fc.property(fc.nat(70), fc.nat(70), (first, more) => {
      const leaves = leavesOf(first + more);
      expect(grow(leaves)).toBe(toHash(recursiveRoot(leaves)));
      const peaks = rangeNodes({ from: 0, to: first }).map(({ height, index }) =>
        toHash(recursiveRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height))),
      );
      const resumed = createCompactTree({ hasher, size: first, peaks });
      for (const leaf of leaves.slice(first)) resumed.append(hasher.leaf(leaf, 0, leaf.length));
      expect(resumed.root()).toBe(toHash(recursiveRoot(leaves)));
    }),
  );
});

test("every inclusion proof up to 40 leaves is the recursive one and verifies; any change to it does not", () => {
  for (let size = 1; size <= 40; size += 1) {
    const leaves = leavesOf(size);
    const root = toHash(recursiveRoot(leaves));
    for (let index = 0; index < size; index += 1) {
      const proof = inclusionRanges(index, size).map((range) => rangeRoot(leaves, range));
      expect(proof).toEqual(recursivePath(index, leaves).map(toHash));
      const leaf = hasher.leaf(leaves[index]!, 0, leaves[index]!.length);
      const claim = { index, size, leaf, root, proof };
      expect(isIncluded(hasher, claim)).toBe(true);
      expect(isIncluded(hasher, { ...claim, leaf: root === leaf ? emptyRoot : root })).toBe(false);
      // The fixed right-most path makes some other indexes walk alike in a tree of one leaf only.
      if (size > 1) expect(isIncluded(hasher, { ...claim, index: (index + 1) % size })).toBe(false);
      expect(isIncluded(hasher, { ...claim, proof: [...proof, root] })).toBe(false);
      expect(isIncluded(hasher, { ...claim, root: emptyRoot })).toBe(false);
      for (let i = 0; i < proof.length; i += 1) {
        expect(isIncluded(hasher, { ...claim, proof: proof.toSpliced(i, 1) })).toBe(false);
        expect(isIncluded(hasher, { ...claim, proof: proof.with(i, emptyRoot) })).toBe(false);
        expect(isIncluded(hasher, { ...claim, proof: proof.with(i, "short") })).toBe(false);
      }
    }
    for (const index of [-1, size, 0.5, NaN]) {
      expect(isIncluded(hasher, { index, size, leaf: root, root, proof: [] })).toBe(false);
    }
  }
  expect(isIncluded(hasher, { index: 0, size: 0, leaf: emptyRoot, root: emptyRoot, proof: [] })).toBe(false);
});

test("every consistency proof up to 40 leaves is the recursive one and verifies; any change to it does not", () => {
  for (let second = 1; second <= 40; second += 1) {
    const leaves = leavesOf(second);
    const secondRoot = toHash(recursiveRoot(leaves));
    for (let first = 1; first <= second; first += 1) {
      const firstRoot = toHash(recursiveRoot(leaves.slice(0, first)));
      const proof = consistencyRanges(first, second).map((range) => rangeRoot(leaves, range));
      expect(proof).toEqual(recursiveSubproof(first, leaves, true).map(toHash));
      const claim = { first, second, firstRoot, secondRoot, proof };
      expect(isConsistent(hasher, claim)).toBe(true);
      expect(isConsistent(hasher, { ...claim, firstRoot: emptyRoot })).toBe(false);
      expect(isConsistent(hasher, { ...claim, secondRoot: emptyRoot })).toBe(false);
      expect(isConsistent(hasher, { ...claim, proof: [...proof, secondRoot] })).toBe(false);
      for (let i = 0; i < proof.length; i += 1) {
        expect(isConsistent(hasher, { ...claim, proof: proof.toSpliced(i, 1) })).toBe(false);
        expect(isConsistent(hasher, { ...claim, proof: proof.with(i, emptyRoot) })).toBe(false);
        expect(isConsistent(hasher, { ...claim, proof: proof.with(i, "short") })).toBe(false);
      }
    }
    expect(isConsistent(hasher, { first: 0, second, firstRoot: emptyRoot, secondRoot, proof: [] })).toBe(
      false,
    );
    expect(
      isConsistent(hasher, { first: second + 1, second, firstRoot: secondRoot, secondRoot, proof: [] }),
    ).toBe(false);
  }
});

test("ranges stay exact in trees of up to 2^45 leaves", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 45 }), fc.nat(), (size, seed) => {
      const index = seed % size;
      for (const range of inclusionRanges(index, size)) {
        let at = range.from;
        for (const { height, index: node } of rangeNodes(range)) {
          expect(node * 2 ** height).toBe(at);
          expect(Number.isInteger(node)).toBe(true);
          at += 2 ** height;
        }
        expect(at).toBe(range.to);
      }
    }),
  );
});

test("a hash is read from exactly 64 lower-case hex digits", () => {
  expect(hashFromHex(hashToHex(emptyRoot))).toBe(emptyRoot);
  expect(hashFromHex("AB".repeat(32))).toBeUndefined();
  expect(hashFromHex("ab")).toBeUndefined();
});
