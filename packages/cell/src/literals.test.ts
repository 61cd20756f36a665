import fc from "fast-check";
import { expect, test } from "vitest";
import { createLiteralSearch, usableLiterals } from "./literals.ts";

/** The same by a search for each one. */
function findOneByOne(text: string, literals: readonly string[]): readonly string[] {
  return literals.flatMap((literal) => {
    const places: string[] = [];
    for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length)) {
      places.push(`${at}-${at + literal.length}`);
    }
    return places;
  });
}

test("one pass finds each literal where a search for it alone does", () => {
  const sign = fc.constantFrom("a", "b", "\u0441", "é");
  const literal = fc.array(sign, { minLength: 6, maxLength: 9 }).map((all) => all.join(""));
  const text = fc.array(sign, { maxLength: 200 }).map((all) => all.join(""));
  fc.assert(
    fc.property(fc.uniqueArray(literal, { maxLength: 6 }), text, (literals, given) => {
      const found = createLiteralSearch(literals)(given).map(({ start, end }) => `${start}-${end}`);
      expect(found.sort()).toEqual([...findOneByOne(given, literals)].sort());
    }),
    { numRuns: 2_000 },
  );
});

test("four megabytes are looked through for two thousand literals in half a second of CPU", () => {
  const literals = usableLiterals(
    Array.from({ length: 2_000 }, (_, at) => `${(at * 7_919_777).toString(36)}-${at}-literal`),
  );
  const find = createLiteralSearch(literals);
  const text = "the quick brown fox jumps over 13 lazy dogs; ".repeat(95_000);
  const before = process.cpuUsage();
  expect(find(text)).toEqual([]);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(500);
});
