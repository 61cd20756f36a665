import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../base/canonical-json.ts";
import { diffLines } from "./diff-lines.ts";
import type { LineChange } from "./diff-lines.ts";
import { diffValues } from "./diff-values.ts";

/** Takes the removed lines out of `a` and puts the added ones in. */
function apply(a: string, changes: readonly LineChange[]): string {
  const removed = new Set(changes.filter(({ kind }) => kind === "removed").map(({ line }) => line));
  const added = new Map(changes.filter(({ kind }) => kind === "added").map(({ line, text }) => [line, text]));
  const kept = a.split("\n").filter((_, index) => !removed.has(index + 1));
  const result: string[] = [];
  while (kept.length > 0 || added.has(result.length + 1)) {
    const inserted = added.get(result.length + 1);
    result.push(inserted ?? kept.shift()!);
  }
  return result.join("\n");
}

describe("the difference of two texts", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 12 })
    .map((lines) => lines.join("\n"));

  test("turns the one into the other", () => {
    fc.assert(fc.property(text, text, (a, b) => apply(a, diffLines(a, b)) === b));
  });

  test("is no longer than it must be where one line changed", () => {
    expect(diffLines("a\nb\nc", "a\nx\nc")).toEqual([
      { kind: "removed", line: 2, text: "b" },
      { kind: "added", line: 2, text: "x" },
    ]);
    expect(diffLines("a", "a")).toEqual([]);
  });

  test("of two long texts without a common line is told as a whole, in time", () => {
    const long = (word: string): string =>
      Array.from({ length: 3_000 }, (_, index) => `${word}${index}`).join("\n");
    expect(diffLines(long("a"), long("b"))).toHaveLength(6_000);
  });
});

describe("the difference of two values", () => {
  test("is nothing exactly when they are equal", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(diffValues(a as JsonValue, structuredClone(a) as JsonValue)).toEqual([]);
        const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        expect(diffValues(a as JsonValue, b as JsonValue).length === 0).toBe(isSame);
      }),
    );
  });

  test("names the deepest places, also where one side has nothing", () => {
    const a = { list: [1, 2], same: true, gone: null };
    const b = { list: [1, 3, 4], same: true, constructor: "new" };
    expect(diffValues(a, b)).toEqual([
      { path: "list[1]", a: 2, b: 3 },
      { path: "list[2]", a: undefined, b: 4 },
      { path: "gone", a: null, b: undefined },
      { path: "constructor", a: undefined, b: "new" },
    ]);
    expect(diffValues(1, "1")).toEqual([{ path: "", a: 1, b: "1" }]);
    expect(diffValues([1, 2, 3], [4, 5, 6], 2)).toHaveLength(2);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  // Not a bare list: an empty object is another value than an empty list.
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
  return { members };
}
