/** Tests of which names may come out of a sandbox. */
import { isAbsolute, join, normalize } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findPathProblem } from "./relative-path.ts";

describe("names of outputs", () => {
  test.each([
    ["", "the name is empty"],
    ["/etc/passwd", "the path is absolute"],
    ["../x", "the path has an empty, `.` or `..` component"],
    ["a/../b", "the path has an empty, `.` or `..` component"],
    ["a//b", "the path has an empty, `.` or `..` component"],
    ["a/.", "the path has an empty, `.` or `..` component"],
    ["a/", "the path has an empty, `.` or `..` component"],
    ["a\nb", "the name has control characters"],
    ["a\u0000b", "the name has control characters"],
    ["\u001b[2J", "the name has control characters"],
    ["a\uFFFDb", "the name is not UTF-8"],
    ["a/".repeat(64) + "b", "the path is deeper than 64 folders"],
    ["n".repeat(256), "a name is longer than 255 bytes"],
    [`${"n".repeat(200)}/`.repeat(11) + "b", "the path is longer than 2048 bytes"],
  ])("%j is refused: %s", (path, problem) => {
    expect(findPathProblem(path)).toBe(problem);
  });

  test.each(["a", "a/b.txt", "...", ".hidden", "ünï/çödé 𝄞", "a\\b", "-rf", "n".repeat(255)])(
    "%j is fine",
    (path) => {
      expect(findPathProblem(path)).toBeUndefined();
    },
  );

  test("an allowed name never leads out of the folder it is put below", () => {
    const part = fc.oneof(fc.constantFrom("..", ".", "", "a", "b", "\0"), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const path = parts.join("/");
        if (findPathProblem(path) !== undefined) return;
        expect(isAbsolute(path)).toBe(false);
        expect(normalize(path)).toBe(path);
        expect(join("/folder", path).startsWith("/folder/")).toBe(true);
      }),
    );
  });
});
