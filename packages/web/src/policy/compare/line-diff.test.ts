import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countChanges, diffLines, foldDiff } from "./line-diff.ts";

const text = fc.array(fc.constantFrom("a", "b", "c", "", "d")).map((lines) => lines.join("\n"));

describe("the difference of two texts", () => {
  test("lines that are the same stay, others are removed or added", () => {
    expect(diffLines("a\nb\nc", "a\nx\nc").map(({ kind, text: line }) => `${kind} ${line}`)).toEqual([
      "same a",
      "removed b",
      "added x",
      "same c",
    ]);
    expect(diffLines("a", "a\nb").at(-1)).toEqual({ kind: "added", text: "b", before: null, after: 2 });
  });

  test("both texts can be read back from it, in order and with their numbers", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const old = lines.filter(({ kind }) => kind !== "added");
        const fresh = lines.filter(({ kind }) => kind !== "removed");
        expect(old.map((line) => line.text).join("\n")).toBe(before);
        expect(fresh.map((line) => line.text).join("\n")).toBe(after);
        expect(old.map((line) => line.before)).toEqual(old.map((_, at) => at + 1));
        expect(fresh.map((line) => line.after)).toEqual(fresh.map((_, at) => at + 1));
      }),
    );
  });

  test("it is as short as it can be", () => {
    const changes = (before: string, after: string): number => {
      const { added, removed } = countChanges(diffLines(before, after));
      return added + removed;
    };
    expect(changes("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc")).toBe(5);
  });

  test("far lines fold into a gap that says how many", () => {
    const before = Array.from({ length: 20 }, (_, at) => `line ${at}`);
    const after = before.with(10, "other");
    const rows = foldDiff(diffLines(before.join("\n"), after.join("\n")), 2);
    expect(rows.map((row) => (row.kind === "gap" ? row.count : row.kind))).toEqual([
      8,
      "same",
      "same",
      "removed",
      "added",
      "same",
      "same",
      7,
    ]);
  });

  test("two texts of thousands of other lines are replaced as a whole, quickly", () => {
    const lines = (word: string): string =>
      Array.from({ length: 5_000 }, (_, at) => `${word}${at}`).join("\n");
    expect(countChanges(diffLines(lines("a"), lines("b")))).toEqual({ added: 5_000, removed: 5_000 });
  }, 20_000);
});
