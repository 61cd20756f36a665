import fc from "fast-check";
import { expect, test } from "vitest";
import { proseParts } from "./prose-parts.ts";

test("what stands between backticks is code, and a lone backtick is not", () => {
  expect(proseParts("Read `homeostat show RUN`, or `x`")).toEqual([
    { text: "Read ", isCode: false },
    { text: "homeostat show RUN", isCode: true },
    { text: ", or ", isCode: false },
    { text: "x", isCode: true },
  ]);
  for (const text of ["one ` only", "nothing: ``"])
    expect(proseParts(text)).toEqual([{ text, isCode: false }]);
  expect(proseParts("")).toEqual([]);
});

test("no letter is lost", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("`", "a", " ", "\n") }), (text) => {
      const back = proseParts(text).map((part) => (part.isCode ? `\`${part.text}\`` : part.text));
      expect(back.join("")).toBe(text);
    }),
  );
});
