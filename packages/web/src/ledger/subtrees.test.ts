import fc from "fast-check";
import { expect, test } from "vitest";
import { subtreesOf } from "./subtrees.ts";

test("splits a size as RFC 6962 does", () => {
  expect(subtreesOf(7).map((tree) => tree.leaves)).toEqual([4, 2, 1]);
  expect(subtreesOf(1024)).toEqual([{ leaves: 1024, height: 10, from: 0 }]);
  expect(subtreesOf(0)).toEqual([]);
});

test("covers every leaf once, with ever smaller powers of two", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (size) => {
      const trees = subtreesOf(size);
      expect(trees.reduce((sum, tree) => sum + tree.leaves, 0)).toBe(size);
      trees.forEach((tree, index) => {
        expect(tree.leaves).toBe(2 ** tree.height);
        expect(tree.leaves).toBeLessThan(trees[index - 1]?.leaves ?? Number.POSITIVE_INFINITY);
      });
    }),
  );
});
