import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tintYaml } from "./tint.ts";

const kinds = (line: string): string[] => tintYaml(line).map((part) => `${part.kind}:${part.text}`);

describe("tintYaml", () => {
  test("finds keys, expressions and comments", () => {
    expect(kinds("  - id: list # first")).toEqual([
      "plain:  - ",
      "key:id",
      "plain:: list ",
      "comment:# first",
    ]);
    expect(kinds('    path: "${{ inputs.folder }}"')).toEqual([
      "plain:    ",
      "key:path",
      'plain:: "',
      "expression:${{ inputs.folder }}",
      'plain:"',
    ]);
  });

  test("does not take a # in quotes or inside a word for a comment", () => {
    expect(kinds('color: "#fff" a#b')).toEqual(["key:color", 'plain:: "#fff" a#b']);
    expect(kinds("note: it's # here")).toEqual(["key:note", "plain:: it's ", "comment:# here"]);
  });

  test("loses no character", () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        expect(
          tintYaml(line)
            .map((part) => part.text)
            .join(""),
        ).toBe(line);
      }),
    );
  });
});
