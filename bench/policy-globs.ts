/** Globs beside picomatch: of patterns that mean the same to both, how many answers differ. */
import { compileGlob, matchesGlob } from "../packages/server/src/base/glob.ts";
import { load } from "./policy-peers.ts";
import type { Picomatch } from "./policy-peers.ts";
import { createRandom } from "./policy-rules.ts";

/** Everything our globs have but escapes, empty segments and `[!a]`, which picomatch means otherwise. */
const wild = ["a", "b", "ab", "*", "?", "a*", "*b", "a?", "[ab]", "{a,b}", "*.{x,y}", "**", "**", "x.y", ".h", "[a-c]*", "a[^b]"]; // prettier-ignore
const segments = ["a", "b", "ab", "ba", "c", ".h", "x.y", "a.x", "b.y", "aab"];

export interface GlobComparison {
  readonly pairs: number;
  readonly mismatches: number;
}

export async function compareGlobs(pairs: number): Promise<GlobComparison> {
  const { default: picomatch } = await load<{ readonly default: Picomatch }>("picomatch");
  const random = createRandom(4_096);
  const pick = (items: readonly string[]): string => items[Math.floor(random() * items.length)]!;
  const path = (items: readonly string[], most: number): string =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(items)).join("/");
  let mismatches = 0;
  for (let pair = 0; pair < pairs;) {
    const [pattern, text] = [path(wild, 4), path(segments, 5)];
    // `a/**` matches `a` to both, `a*/**` matches `a` to us alone.
    if (/\*(?:\/\*\*)+$/.test(pattern)) continue;
    pair++;
    const own = compileGlob(pattern);
    if (!own.ok) throw new Error(`${pattern}: ${own.problem}`);
    if (matchesGlob(own.glob, text) !== picomatch(pattern, { dot: true })(text)) mismatches++;
  }
  return { pairs, mismatches };
}
