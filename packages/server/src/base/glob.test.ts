import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob, matchesGlob } from "./glob.ts";
import type { Glob } from "./glob.ts";

function glob(source: string): Glob {
  const result = compileGlob(source);
  if (!result.ok) throw new Error(`${source}: ${result.problem}`);
  return result.glob;
}

function matches(pattern: string, text: string): boolean {
  return matchesGlob(glob(pattern), text);
}

const yes: readonly (readonly [pattern: string, text: string])[] = [
  ["a/b", "a/b"],
  ["*", ""],
  ["*", "a.b"],
  ["a*c", "ac"],
  ["a*c", "abbc"],
  ["*.png", ".png"],
  ["?", "x"],
  ["?", "é"],
  ["**", ""],
  ["**", "a/b/c"],
  ["a/**", "a"],
  ["a/**", "a/"],
  ["a/**", "a/b/c"],
  ["**/a", "a"],
  ["**/a", "x/y/a"],
  ["a/**/b", "a/b"],
  ["a/**/b", "a/x/y/b"],
  ["a/**/**/b", "a/b"],
  ["**/a/**", "a"],
  ["**/a/**", "x/a/y"],
  ["**/*.ext", "x/y/z.ext"],
  ["/**", "/x"],
  ["/**", ""],
  ["a/**/", "a/"],
  ["a**b", "axxb"],
  ["[abc]x", "bx"],
  ["[a-c]x", "bx"],
  ["[!a-c]x", "dx"],
  ["[^a]", "b"],
  ["[a-]", "-"],
  ["[\\]]", "]"],
  ["{a,b}/c", "b/c"],
  ["x{,y}", "x"],
  ["{a,{b,c}d}", "cd"],
  ["[{,}]", ","],
  ["\\*", "*"],
  ["\\{a,b}".replace("}", "\\}"), "{a,b}"],
  ["https://*.example.org:443/**", "https://api.example.org:443/v1/x"],
  ["workspace/*", "workspace/.env"],
  ["日本/*語", "日本/新語"],
  ["[α-ω]*", "λx"],
  ["[α-\uffff]", "\uffff"],
  ["{[a\\]b],x}/c", "]/c"],
]; // prettier-ignore

const no: readonly (readonly [pattern: string, text: string])[] = [
  ["a/b", "a/B"],
  ["*", "a/b"],
  ["?", "/"],
  ["?", ""],
  ["?", "ab"],
  ["a/**", "ab"],
  ["a/**", "b/a"],
  ["**/a", "xa"],
  ["a/**/b", "a/xb"],
  ["a/**/b", "ab"],
  ["a/**/", "a"],
  ["a**b", "a/b"],
  ["[!a]", "/"],
  ["[!a]", "a"],
  ["[a-c]", "d"],
  ["[α-ω]", "x"],
  ["*.png", "a.pngx"],
  ["a*b*c", "acb"],
  ["workspace", "workspace/x"],
  ["https://*.example.org:443/**", "https://example.org:443/x"],
];

const wrong: readonly (readonly [pattern: string, problem: RegExp])[] = [
  ["", /empty/],
  ["[a", /`\[` is not closed/],
  ["[]", /a set is empty/],
  ["[a/b]", /cannot hold `\/`/],
  ["[a-/]", /cannot hold `\/`/],
  ["[z-a]", /backwards/],
  ["a\\", /stands at the end/],
  ["a\\/b", /stands before `\/`/],
  ["{a,b", /`{` is not closed/],
  ["a}", /`}` has no `{`/],
  ["{a}", /one alternative only/],
  ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", /more than 32 alternatives/],
  [`{${Array.from({ length: 40 }, (_, index) => index).join(",")}}`, /more than 32/],
  ["x".repeat(513), /513 characters, more than 512/],
  [
    `{${Array.from({ length: 32 }, (_, index) => `${index}${"a".repeat(11)}`).join(",")}}${"c".repeat(30)}`,
    /together/,
  ],
];

describe("globs", () => {
  test.each(yes)("%s matches %j", (pattern, text) => expect(matches(pattern, text)).toBe(true));
  test.each(no)("%s does not match %j", (pattern, text) => expect(matches(pattern, text)).toBe(false));
  test.each(wrong)("%j is refused", (pattern, problem) => {
    const result = compileGlob(pattern);
    expect(result.ok ? "ok" : result.problem).toMatch(problem);
  });
});

/** The definition, as directly as it can be written; memoised, for patterns without braces, sets and escapes. */
function reference(pattern: string, text: string): boolean {
  const parts = pattern.split("/");
  const segments = text.split("/");
  const memo = new Map<string, boolean>();
  function remember(key: string, compute: () => boolean): boolean {
    const known = memo.get(key);
    if (known !== undefined) return known;
    const value = compute();
    memo.set(key, value);
    return value;
  }
  function path(i: number, j: number): boolean {
    return remember(`${i}/${j}`, () => {
      if (i === parts.length) return j === segments.length;
      if (parts[i] === "**") return path(i + 1, j) || (j < segments.length && path(i, j + 1));
      return j < segments.length && segment(i, j, 0, 0) && path(i + 1, j + 1);
    });
  }
  function segment(i: number, j: number, p: number, t: number): boolean {
    return remember(`${i},${j},${p},${t}`, () => {
      const sign = parts[i]![p];
      const unit = segments[j]![t];
      if (sign === undefined) return unit === undefined;
      if (sign === "*") return segment(i, j, p + 1, t) || (unit !== undefined && segment(i, j, p, t + 1));
      return unit !== undefined && (sign === "?" || sign === unit) && segment(i, j, p + 1, t + 1);
    });
  }
  return path(0, 0);
}

describe("against the definition", () => {
  const piece = fc.constantFrom("a", "b", "*", "?", "/", "**", "/**/", "**/", "/**", "ab", "λ");
  const patterns = fc.array(piece, { minLength: 1, maxLength: 24 }).map((pieces) => pieces.join(""));
  const texts = fc
    .array(fc.constantFrom("a", "b", "/", "ab", "λ", "a/b"), { maxLength: 24 })
    .map((pieces) => pieces.join(""));

  test("every pattern of *, ?, ** and letters answers as the definition does", () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(matches(pattern, text)).toBe(reference(pattern, text));
      }),
      { numRuns: 20_000 },
    );
  });

  test("long patterns, which need several words, do too", () => {
    const long = fc.array(piece, { minLength: 30, maxLength: 90 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(long, fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }), (pattern, coins) => {
        // A text made from the pattern, so that matches are common.
        let coin = 0;
        const text = pattern
          .replaceAll("**", () => (coins[coin++ % 200] ? "a/b/a" : "b"))
          .replaceAll("*", () => (coins[coin++ % 200] ? "ab" : ""))
          .replaceAll("?", () => (coins[coin++ % 200] ? "a" : "λ"));
        for (const candidate of [text, text.slice(1), `${text}b`, text.replace("a", "b")]) {
          expect(matches(pattern, candidate)).toBe(reference(pattern, candidate));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("braces mean any of their alternatives, sets any of their characters", () => {
    const word = fc
      .array(fc.constantFrom("a", "b", "*", "/"), { minLength: 1, maxLength: 4 })
      .map((list) => list.join(""));
    fc.assert(
      fc.property(
        word,
        fc.array(word, { minLength: 2, maxLength: 4 }),
        word,
        texts,
        (before, words, after, text) => {
          const expected = words.some((middle) => reference(before + middle + after, text));
          expect(matches(`${before}{${words.join(",")}}${after}`, text)).toBe(expected);
          const set = reference(`${before}a${after}`, text) || reference(`${before}b${after}`, text);
          expect(matches(`${before}[ab]${after}`, text)).toBe(set);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("escaped text matches itself and nothing else; nothing ever throws", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40, unit: "binary" }), texts, (text, other) => {
        const escaped = text.replace(/[*?[\]{},\\!]/g, "\\$&");
        if (!/\\\//.test(escaped)) expect(matches(escaped, text)).toBe(true);
        const result = compileGlob(text);
        if (result.ok) matchesGlob(result.glob, other);
      }),
    );
  });
});

test("no pattern takes longer than a millisecond on 4 KB", () => {
  const letters = "a".repeat(4_096);
  const path = "a/".repeat(2_048);
  const cases: readonly (readonly [string, string])[] = [
    ["*a*a*a*a*a*a*a*a*b", letters],
    [`${"*a".repeat(250)}*b`, letters],
    [`*${"a".repeat(480)}b*`, letters],
    [`*${"?".repeat(480)}b*`, letters],
    [`*${"[ab]".repeat(120)}c*`, letters],
    [`${"**/a/".repeat(100)}b`, path],
    [`**/${"a/".repeat(200)}b/**`, path],
    [`${"**/*a*/".repeat(70)}b`, path],
    [`**/{${Array.from({ length: 31 }, (_, index) => `*a*a*a*a*${index}z`).join(",")},c}`, letters],
    [`{${Array.from({ length: 31 }, (_, index) => `**/a/**/${index}b`).join(",")},c}`, path],
    [`${"*λ".repeat(250)}*b`, "λ".repeat(4_096)],
  ];
  for (const [pattern, text] of cases) {
    const compiled = glob(pattern);
    const times = Array.from({ length: 9 }, () => {
      const began = performance.now();
      expect(matchesGlob(compiled, text)).toBe(false);
      return performance.now() - began;
    }).sort((a, b) => a - b);
    // The median: other work on the machine may hit single runs.
    expect(times[4], pattern.slice(0, 40)).toBeLessThan(1);
  }
});
