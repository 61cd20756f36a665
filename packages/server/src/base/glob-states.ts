/**
 * The automaton behind a glob: one bit for each place in the pattern, all places stepped at once for each character
 * (Shift-And; Baeza-Yates and Gonnet 1992, with self-loops after Navarro and Raffinot 2001). No backtracking.
 */
import type { GlobSegment, GlobToken } from "./glob-pattern.ts";

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
  readonly asciiRow: Uint8Array;
  /** Sorted starts, from 128 on, of the intervals of units that behave alike, and the row of each. */
  readonly bounds: Int32Array;
  readonly boundRow: Uint16Array;
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

/** What leads from one place to the next; a run (`*`) is a loop on a place instead. */
type Place =
  Exclude<GlobToken, { readonly kind: "run" }> | { readonly kind: "slash" } | { readonly kind: "none" };

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
  const rows = planRows(places);
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
    asciiRow: rows.asciiRow,
    bounds: rows.bounds,
    boundRow: rows.boundRow,
    enter: enterRows(places, rows, words),
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

/** Binary search for the interval that holds a unit from 128 on. */
function findRow({ bounds, boundRow }: Pick<GlobStates, "bounds" | "boundRow">, unit: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bounds[middle]! <= unit) low = middle;
    else high = middle - 1;
  }
  return boundRow[low]!;
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

interface Rows extends Pick<GlobStates, "asciiRow" | "bounds" | "boundRow"> {
  /** For each row a unit that stands for all of it; -1 for a unit the pattern does not name. */
  readonly units: readonly number[];
}

/** Which units may share a row: those the pattern does not name, and each of the others has its own. */
function planRows(places: readonly Place[]): Rows {
  const hasSet = places.some((place) => place.kind === "set");
  const asciiRow = new Uint8Array(128);
  const units = hasSet ? Array.from({ length: 128 }, (_, unit) => unit) : [-1, slash];
  if (hasSet) asciiRow.set(units);
  else asciiRow[slash] = 1;
  const starts = new Set<number>();
  const addRange = (first: number, last: number): void => {
    if (last < 128) return;
    starts.add(Math.max(128, first));
    if (last < 0xffff) starts.add(last + 1);
  };
  for (const place of places) {
    if (place.kind === "set") for (const [first, last] of place.ranges) addRange(first, last);
    if (place.kind !== "unit") continue;
    addRange(place.unit, place.unit);
    if (place.unit < 128 && asciiRow[place.unit] === 0 && !hasSet)
      asciiRow[place.unit] = units.push(place.unit) - 1;
  }
  if (starts.size === 0 && !hasSet) {
    return { units, asciiRow, bounds: Int32Array.of(128), boundRow: Uint16Array.of(0) };
  }
  const bounds = Int32Array.from(starts.add(128)).sort();
  const boundRow = Uint16Array.from(bounds, (start) => units.push(start) - 1);
  return { units, asciiRow, bounds, boundRow };
}

/** Characters that stand for themselves touch one row each, the others are tried against every row. */
function enterRows(places: readonly Place[], rows: Rows, words: number): Int32Array {
  const enter = new Int32Array(rows.units.length * words);
  for (const [index, place] of places.entries()) {
    const word = Math.floor(index / wordBits);
    const bit = 1 << (index % wordBits);
    if (place.kind === "unit") {
      const row = place.unit < 128 ? rows.asciiRow[place.unit]! : findRow(rows, place.unit);
      enter[row * words + word]! |= bit;
    } else if (place.kind !== "none") {
      for (const [row, unit] of rows.units.entries())
        if (takes(place, unit)) enter[row * words + word]! |= bit;
    }
  }
  return enter;
}

/** Only for places that more than one unit leads to. */
function takes(place: Exclude<Place, { readonly kind: "unit" | "none" }>, unit: number): boolean {
  switch (place.kind) {
    case "one":
      return unit !== slash;
    case "slash":
      return unit === slash;
    case "set":
      return (
        unit !== slash &&
        place.ranges.some(([first, last]) => unit >= first && unit <= last) !== place.isNegated
      );
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
