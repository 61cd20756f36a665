/**
 * The automaton behind a glob: one bit for each place in the pattern, all places stepped at once for each character
 * (Shift-And; Baeza-Yates and Gonnet 1992, with self-loops after Navarro and Raffinot 2001). No backtracking.
 */
import type { GlobSegment, GlobToken } from "./glob.ts";

/** Bits used in a word: 31, so that words stay small integers in V8. */
const wordBits = 31;
const wordMask = 0x7fffffff;
const slash = 47;

/** How a pattern is decided: the two shapes most rules have need no automaton. */
export type GlobMatcher =
  | { readonly kind: "exact"; readonly text: string }
  /** `text/**`: the text itself and everything below it. */
  | { readonly kind: "below"; readonly text: string }
  | GlobStates;

export interface GlobStates {
  readonly kind: "states";
  /** Texts that do not begin and end so cannot match: a cheap first test. */
  readonly prefix: string;
  readonly suffix: string;
  readonly words: number;
  /** Bit i set: place i is reached before any character was read. */
  readonly start: Int32Array;
  readonly accept: Int32Array;
  /** Places that stay reached on any character, and on any but `/`. */
  readonly loopAny: Int32Array;
  readonly loopSegment: Int32Array;
  /** Places of `**` followed by more: behind each `/` the next place is reached too. */
  readonly deep: Int32Array;
  /** Row of `enter` for a UTF-16 unit: below 128 by table, above by search in `bounds`. */
  readonly asciiRow: Uint16Array;
  /** Sorted starts of the intervals of units that behave alike; their position is the row. */
  readonly bounds: Int32Array;
  /** For each row `words` words: places that are entered from the place before on this character. */
  readonly enter: Int32Array;
}

export function compileMatcher(segments: readonly GlobSegment[]): GlobMatcher {
  const literals = segments.flatMap((segment) => (segment.kind === "literal" ? [segment.text] : []));
  const text = literals.join("/");
  if (literals.length === segments.length) return { kind: "exact", text };
  const isBelow =
    literals.length > 0 && literals.length === segments.length - 1 && segments.at(-1)?.kind === "deep";
  return isBelow ? { kind: "below", text } : compileStates(segments);
}

/** Does the whole text match? */
export function runMatcher(matcher: GlobMatcher, text: string): boolean {
  switch (matcher.kind) {
    case "exact":
      return text === matcher.text;
    case "below":
      return (
        text.startsWith(matcher.text) &&
        (text.length === matcher.text.length || text.charCodeAt(matcher.text.length) === slash)
      );
    case "states":
      if (!text.startsWith(matcher.prefix) || !text.endsWith(matcher.suffix)) return false;
      return matcher.words === 1 ? runOneWord(matcher, text) : runManyWords(matcher, text);
  }
}

type Place = GlobToken | { readonly kind: "slash" } | { readonly kind: "none" };

interface Layout {
  /** `places[i]` is what leads from place i - 1 to place i; the first has no token. */
  readonly places: Place[];
  readonly loopAny: Set<number>;
  readonly loopSegment: Set<number>;
  readonly deep: Set<number>;
  readonly accept: Set<number>;
}

function compileStates(segments: readonly GlobSegment[]): GlobStates {
  const layout = layOut(segments);
  const { places } = layout;
  const words = Math.ceil(places.length / wordBits);
  const bounds = Int32Array.from(findBounds(places));
  const asciiRow = new Uint16Array(128);
  for (let unit = 0, row = 0; unit < 128; unit++) {
    while (row + 1 < bounds.length && bounds[row + 1]! <= unit) row++;
    asciiRow[unit] = row;
  }
  return {
    kind: "states",
    prefix: literalStart(segments),
    suffix: literalEnd(segments),
    words,
    start: toBits(layout.deep.has(0) ? [0, 1] : [0], words),
    accept: toBits(layout.accept, words),
    loopAny: toBits(layout.loopAny, words),
    loopSegment: toBits(layout.loopSegment, words),
    deep: toBits(layout.deep, words),
    asciiRow,
    bounds,
    enter: enterRows(places, bounds, words),
  };
}

function runOneWord(states: GlobStates, text: string): boolean {
  const { enter, asciiRow } = states;
  const loopAny = states.loopAny[0]!;
  const loopInside = loopAny | states.loopSegment[0]!;
  const deep = states.deep[0]!;
  let reached = states.start[0]!;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const row = unit < 128 ? asciiRow[unit]! : findRow(states, unit);
    const moved = (reached << 1) & wordMask & enter[row]!;
    if (unit === slash) {
      reached = moved | (reached & loopAny);
      reached |= (reached & deep) << 1;
    } else {
      reached = moved | (reached & loopInside);
    }
    if (reached === 0) return false;
  }
  return (reached & states.accept[0]!) !== 0;
}

function runManyWords(states: GlobStates, text: string): boolean {
  const { words, enter, loopAny, loopSegment, deep, accept } = states;
  const reached = Int32Array.from(states.start);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const row = (unit < 128 ? states.asciiRow[unit]! : findRow(states, unit)) * words;
    const isSlash = unit === slash;
    let carry = 0;
    let deepCarry = 0;
    let any = 0;
    for (let word = 0; word < words; word++) {
      const before = reached[word]!;
      const loops = isSlash ? loopAny[word]! : loopAny[word]! | loopSegment[word]!;
      let after = (((before << 1) & wordMask) | carry) & enter[row + word]!;
      after |= before & loops;
      carry = (before >>> (wordBits - 1)) & 1;
      if (isSlash) {
        after |= deepCarry;
        const jumps = after & deep[word]!;
        after |= (jumps << 1) & wordMask;
        deepCarry = (jumps >>> (wordBits - 1)) & 1;
      }
      reached[word] = after;
      any |= after;
    }
    if (any === 0) return false;
  }
  for (let word = 0; word < words; word++) if ((reached[word]! & accept[word]!) !== 0) return true;
  return false;
}

/** Binary search for the interval that holds the unit. */
function findRow({ bounds }: { readonly bounds: Int32Array }, unit: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bounds[middle]! <= unit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * `x/**` + `/y` becomes: `x`, `/`, a place that loops on everything (deep), a place reached with it and behind every later
 * `/`, then `y`. A last `/**` accepts before its `/` as well, for it may stand for no segment.
 */
function layOut(segments: readonly GlobSegment[]): Layout {
  const layout: Layout = {
    places: [{ kind: "none" }],
    loopAny: new Set(),
    loopSegment: new Set(),
    deep: new Set(),
    accept: new Set(),
  };
  const { places, loopAny, loopSegment, deep, accept } = layout;
  const last = (): number => places.length - 1;
  segments.forEach((segment, position) => {
    const isFirst = position === 0;
    const isLast = position === segments.length - 1;
    if (segment.kind === "deep") {
      if (isLast && !isFirst) accept.add(last());
      if (!isFirst) places.push({ kind: "slash" });
      loopAny.add(last());
      if (isLast) return;
      deep.add(last());
      places.push({ kind: "none" });
      return;
    }
    if (!isFirst && segments[position - 1]?.kind !== "deep") places.push({ kind: "slash" });
    for (const token of tokensOf(segment)) {
      if (token.kind === "run") loopSegment.add(last());
      else places.push(token);
    }
  });
  accept.add(last());
  return layout;
}

function tokensOf(segment: GlobSegment & { kind: "literal" | "wild" }): readonly GlobToken[] {
  if (segment.kind === "wild") return segment.tokens;
  return Array.from({ length: segment.text.length }, (_, index) => ({
    kind: "unit",
    unit: segment.text.charCodeAt(index),
  }));
}

/** Units at which the behaviour may change, ascending from 0. */
function findBounds(places: readonly Place[]): readonly number[] {
  const bounds = new Set([0, slash, slash + 1]);
  const addRange = (first: number, last: number): void => {
    bounds.add(first);
    if (last < 0xffff) bounds.add(last + 1);
  };
  for (const place of places) {
    if (place.kind === "unit") addRange(place.unit, place.unit);
    if (place.kind === "set") for (const [first, end] of place.ranges) addRange(first, end);
  }
  return [...bounds].sort((a, b) => a - b);
}

/** Characters that stand for themselves touch one row each, the others are tried against every interval. */
function enterRows(places: readonly Place[], bounds: Int32Array, words: number): Int32Array {
  const enter = new Int32Array(bounds.length * words);
  places.forEach((place, index) => {
    const word = Math.floor(index / wordBits);
    const bit = 1 << (index % wordBits);
    const setRow = (row: number): void => {
      enter[row * words + word]! |= bit;
    };
    if (place.kind === "unit") setRow(findRow({ bounds }, place.unit));
    else bounds.forEach((unit, row) => takes(place, unit) && setRow(row));
  });
  return enter;
}

function takes(place: Place, unit: number): boolean {
  switch (place.kind) {
    case "unit":
      return place.unit === unit;
    case "one":
      return unit !== slash;
    case "slash":
      return unit === slash;
    case "set":
      return (
        unit !== slash &&
        place.ranges.some(([first, last]) => unit >= first && unit <= last) !== place.isNegated
      );
    case "run":
    case "none":
      return false;
  }
}

function toBits(places: Iterable<number>, words: number): Int32Array {
  const bits = new Int32Array(words);
  for (const place of places) bits[Math.floor(place / wordBits)]! |= 1 << (place % wordBits);
  return bits;
}

/** What every match begins with, up to the first wildcard. */
function literalStart(segments: readonly GlobSegment[]): string {
  let prefix = "";
  for (const [index, segment] of segments.entries()) {
    // `a/**` matches `a` too: the slash before a deep segment is not certain.
    const isFirst = index === 0;
    if (segment.kind === "deep") return prefix;
    prefix += isFirst || segments[index - 1]?.kind === "deep" ? "" : "/";
    if (segment.kind === "wild") return prefix + leadingUnits(segment.tokens);
    prefix += segment.text;
  }
  return prefix;
}

/** What every match ends with, within the last segment. */
function literalEnd(segments: readonly GlobSegment[]): string {
  const last = segments.at(-1);
  if (last?.kind === "literal") return last.text;
  if (last?.kind !== "wild") return "";
  return leadingUnits([...last.tokens].reverse())
    .split("")
    .reverse()
    .join("");
}

function leadingUnits(tokens: readonly GlobToken[]): string {
  let text = "";
  for (const token of tokens) {
    if (token.kind !== "unit") break;
    text += String.fromCharCode(token.unit);
  }
  return text;
}
