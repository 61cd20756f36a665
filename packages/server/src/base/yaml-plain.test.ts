import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFindingCollector } from "./finding.ts";
import { readPlainYaml } from "./yaml-plain.ts";
import { readWithLibrary } from "./yaml-source.ts";

/** What the plain reader takes, the library reads to the very same nodes. Answers whether it took it. */
function compare(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  expect({ text, result: readWithLibrary(text, createFindingCollector()) }).toEqual({
    text,
    result: { ok: true, root: plain },
  });
  return true;
}

const policy = readFileSync(join(import.meta.dirname, "../policy/force/default-policy.yaml"), "utf8");
const scalars = [
  "a", "allow", "workspace/**", '"**/.env"', "'x: y'", "24h", "1.0", "1", "-7", "0", "007", "1e3", "0x1f", "+5", ".5", "~",
  "null", "true", "False", "yes", '""', "''", "''''", '"a\\n"', '"#"', "a#b", "a #b", "a: b", "a:", "a:b", ":a", "- a", "-a", "-",
  "?", "?a", "? a", "*", "*a", "&a b", "!a", "!!str a", "|", ">", "%a", "@a", "`a", "[a, b]", "[ a , \"b, c\" , 'd' ]", "[]", "[a,]", "[,]",
  "{ a: b }", "{}", "{a: 1, b: [x, 2]}", "{ a: b, a: c }", "{ a }", "{a:1}", "[a: b]", "{ a: }", "{ a: https://x.y:443/** }", "[a b, c:d]",
  "https://x.y:443/**", "x, y", "a ]", "a }", "a [b]", "12:30", "2026-01-01", "é", "a\u2028b", "a\u00a0b", "\ud83d\ude00", ".inf", "--- a", "...",
  "a  b", "a   # c", '"a" # c', '"a" b', "[a] # c", "[a]b", "user:ada", "a-", "a?", "<<", "=", "...a", "'it''s'", '"', "'", "[", "{", "]", "}",
]; // prettier-ignore
const scalar = fc.oneof(fc.constantFrom(...scalars), fc.string({ maxLength: 12 }));
const oddKey = fc.constantFrom("true", "null", "1", "~", "a b", "__proto__", '"q"', "e\u0301");
const key = fc.oneof(
  { arbitrary: fc.constantFrom("a", "b", "rules", "name", "x-y", "where"), weight: 12 },
  oddKey,
);
const line = fc
  .tuple(
    fc.constantFrom(0, 0, 1, 2, 2, 3, 4, 6),
    fc.constantFrom("", "", "- ", "- - ", "-", "-  "),
    fc.option(key),
    scalar,
  )
  .map(
    ([indent, dash, name, value]) =>
      `${" ".repeat(indent)}${dash}${name === null ? value : `${name}: ${value}`}`,
  );
const junk = fc.constantFrom(
  "",
  "  ",
  "# note",
  "   # note",
  "\t",
  "a:\t1",
  "\r",
  "---",
  "...",
  "%YAML 1.2",
  "a:",
  "  b:",
  "- a:",
  "  - ",
);

const indent = (lines: readonly string[], by: string): string[] => lines.map((each) => `${by}${each}`);

/** Lines of a map, a list or a value, nested as people nest them; most of it plain. */
const tree: fc.Arbitrary<string[]> = fc.letrec<{ value: string[]; map: string[]; list: string[] }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.oneof({ arbitrary: fc.constantFrom(...scalars.slice(0, 12)), weight: 12 }, scalar).map((each) => [each]), tie("map"), tie("list")),
  map: fc.uniqueArray(fc.tuple(key, tie("value"), fc.constantFrom("  ", "  ", " ", "")), { selector: ([name]) => name, minLength: 1, maxLength: 3 }).map(
    (entries) => entries.flatMap(([name, lines, by]) => (lines.length === 1 && !/^[\w-]+:|^-/.test(lines[0]!) ? [`${name}: ${lines[0]}`] : [`${name}:`, ...indent(lines, by)])),
  ),
  list: fc.array(fc.tuple(tie("value"), fc.constantFrom("- ", "- ", "-   ")), { minLength: 1, maxLength: 3 }).map((items) =>
    items.flatMap(([lines, dash]) => [`${dash}${lines[0]}`, ...indent(lines.slice(1), " ".repeat(dash.length))]),
  ),
})).value; // prettier-ignore
const runs = 4_000;

describe("the plain YAML reader", () => {
  test("takes the shipped policy, but for nothing", () => {
    expect(compare(policy)).toBe(true);
  });

  test("agrees with the library on every value it takes", () => {
    const taken = scalars.filter((value) =>
      [`a: ${value}`, `- ${value}`, `a:\n  - ${value}\n  - b\n`, `a:\n- b: ${value}\n  c: d`, `a: [${value}, x]`, `{a: ${value}}`]
        .map(compare)
        .some(Boolean),
    ); // prettier-ignore
    expect(taken.length).toBeGreaterThan(scalars.length / 3);
  });

  test("agrees with the library on files put together at random", () => {
    let taken = 0;
    const noise = fc.option(fc.tuple(fc.nat(), fc.oneof(line, junk)), { freq: 1 });
    fc.assert(
      fc.property(tree, noise, (lines, extra) => {
        const all = extra === null ? lines : lines.toSpliced(extra[0] % (lines.length + 1), 0, extra[1]);
        if (compare(all.join("\n"))) taken++;
      }),
      { numRuns: runs },
    );
    expect(taken).toBeGreaterThan(runs / 10);
  });

  test("agrees with the library on a policy with signs changed", () => {
    const lines = policy.split("\n").filter((each) => each.trim() !== "" && !each.trim().startsWith("#"));
    const sign = fc.constantFrom(..." :-#[]{},\"'*&|>!?a1\n\t".split(""));
    fc.assert(
      fc.property(fc.nat(lines.length - 6), fc.nat(200), sign, fc.nat(1), (from, at, put, cut) => {
        const text = lines.slice(from, from + 6).map((each) => each.slice(2)).join("\n"); // prettier-ignore
        const place = at % (text.length + 1);
        compare(text.slice(0, place) + put + text.slice(place + cut));
      }),
      { numRuns: runs },
    );
  });

  test("leaves to the library what is nested deeper than it counts", () => {
    const levels = Array.from({ length: 35 }, (_, level) => " ".repeat(level));
    const maps = levels.map((blanks) => `${blanks}a:`).join("\n");
    const lists = levels.map((blanks) => `${blanks}${blanks}- a:`).join("\n");
    for (const text of [`${maps} 1`, `${lists} 1`, `a: ${"[".repeat(35)}${"]".repeat(35)}`]) {
      expect(readPlainYaml(text)).toBeUndefined();
      expect(readWithLibrary(text, createFindingCollector()).ok).toBe(true);
    }
  });

  test("leaves a key to the library that is indented further than those before it", () => {
    expect(readPlainYaml("a: 1\n  b: 2\n")).toBeUndefined();
    expect(readPlainYaml("a:\n  b: 1\n    c: 2\n")).toBeUndefined();
  });

  test("is linear: 256 KB of brackets, dashes or quotes end at once", () => {
    for (const piece of ["[", "{a: ", "- ", '"', "a: b\n", "'' ", "a:\n "]) {
      const text = piece.repeat(Math.floor(262_144 / piece.length));
      const began = performance.now();
      readPlainYaml(text);
      expect(performance.now() - began).toBeLessThan(500);
    }
  });
});
