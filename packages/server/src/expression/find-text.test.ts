import fc from "fast-check";
import { expect, test } from "vitest";
import { findAll } from "./find-text.ts";

test("long and short patterns are found where a naive search finds them", () => {
  const letters = fc.array(fc.constantFrom("a", "b"), { maxLength: 200 }).map((list) => list.join(""));
  fc.assert(
    fc.property(letters, letters, fc.integer({ min: 1, max: 60 }), (text, tail, repeats) => {
      const pattern = (tail.slice(0, 3) || "a").repeat(repeats);
      const whole = text + pattern + tail + pattern;
      const expected: number[] = [];
      for (let at = 0; at + pattern.length <= whole.length;) {
        const isHere = whole.slice(at, at + pattern.length) === pattern;
        if (isHere) expected.push(at);
        at += isHere ? pattern.length : 1;
      }
      expect(findAll(whole, pattern)).toEqual(expected);
      expect(findAll(whole, pattern, 1)).toEqual(expected.slice(0, 1));
    }),
  );
});
