import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import { parseJson } from "./parse-json.ts";

test("ordinary JSON comes out as JSON.parse gives it, and can always be recorded", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), (text) => {
      const value = parseJson(text);
      expect(() => canonicalJson(value)).not.toThrow();
      if (text.isWellFormed() && !text.includes("\\u")) expect(value).toEqual(JSON.parse(text));
    }),
  );
});

test("half characters in strings and keys become replacement characters", () => {
  expect(parseJson('{"a\\ud800":["\\uDC00x", "\\ud83d\\ude00", 1, null]}')).toEqual({
    "a\ufffd": ["\ufffdx", "😀", 1, null],
  });
});

test("nesting that would exhaust a stack is refused before it is parsed; brackets in strings do not count", () => {
  expect(() => parseJson("[".repeat(100_000))).toThrow("nested deeper than 200 levels");
  expect(parseJson(JSON.stringify({ text: '"[{'.repeat(1_000) }))).toEqual({ text: '"[{'.repeat(1_000) });
});
