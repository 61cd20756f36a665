import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conflictMarks, mergeTexts } from "./merge-texts.ts";

const text = fc.array(fc.constantFrom("a", "b", "c", "d")).map((lines) => lines.join("\n"));

describe("two changes of one policy", () => {
  test("at different places both are kept", () => {
    expect(mergeTexts("a\nb\nc\nd\ne", "A\nb\nc\nd\ne", "a\nb\nc\nd\nE")).toEqual({
      text: "A\nb\nc\nd\nE",
      conflicts: 0,
    });
  });

  test("at the same place both stand between comments", () => {
    expect(mergeTexts("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc")).toEqual({
      text: ["a", conflictMarks.mine, "mine", conflictMarks.theirs, "theirs", conflictMarks.end, "c"].join(
        "\n",
      ),
      conflicts: 1,
    });
  });

  test("the same change on both sides is made once", () => {
    expect(mergeTexts("a\nb", "a\nB", "a\nB")).toEqual({ text: "a\nB", conflicts: 0 });
  });

  test("who changed nothing gets the other's text, whichever it is", () => {
    fc.assert(
      fc.property(text, text, (base, changed) => {
        expect(mergeTexts(base, base, changed)).toEqual({ text: changed, conflicts: 0 });
        expect(mergeTexts(base, changed, base)).toEqual({ text: changed, conflicts: 0 });
      }),
    );
  });

  test("there are as many marked places as conflicts", () => {
    fc.assert(
      fc.property(text, text, text, (base, mine, theirs) => {
        const merged = mergeTexts(base, mine, theirs);
        if (merged.conflicts === 0) return;
        expect(merged.text.split("\n").filter((line) => line === conflictMarks.mine)).toHaveLength(
          merged.conflicts,
        );
      }),
    );
  });
});
