/** Cuts a glob without braces into its segments and signs. */

export type GlobSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "wild"; readonly tokens: readonly GlobToken[] }
  /** `**`: any number of segments. */
  | { readonly kind: "deep" };

export type GlobToken =
  | { readonly kind: "unit"; readonly unit: number }
  | { readonly kind: "one" }
  | { readonly kind: "run" }
  | {
      readonly kind: "set";
      readonly isNegated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/** The segments of a pattern without braces, or what is wrong, as half a sentence. */
export function parseSegments(pattern: string): readonly GlobSegment[] | string {
  const segments: GlobSegment[] = [];
  let tokens: GlobToken[] = [];
  let segmentStart = 0;
  const close = (end: number): void => {
    const isDeep = pattern.slice(segmentStart, end) === "**";
    const isRepeated = isDeep && segments.at(-1)?.kind === "deep";
    if (!isRepeated) segments.push(isDeep ? { kind: "deep" } : asSegment(tokens));
    tokens = [];
    segmentStart = end + 1;
  };
  for (let index = 0; index < pattern.length; index++) {
    const sign = pattern[index];
    if (sign === "/") {
      close(index);
    } else if (sign === "*") {
      if (tokens.at(-1)?.kind !== "run") tokens.push({ kind: "run" });
    } else if (sign === "?") {
      tokens.push({ kind: "one" });
    } else if (sign === "[") {
      const set = parseSet(pattern, index);
      if (typeof set === "string") return set;
      tokens.push(set.token);
      index = set.end;
    } else {
      if (sign === "\\") index++;
      if (index >= pattern.length) return "`\\` stands at the end";
      if (pattern[index] === "/") return "`\\` stands before `/`";
      tokens.push({ kind: "unit", unit: pattern.charCodeAt(index) });
    }
  }
  close(pattern.length);
  return segments;
}

function asSegment(tokens: readonly GlobToken[]): GlobSegment {
  const units: number[] = [];
  for (const token of tokens) {
    if (token.kind !== "unit") return { kind: "wild", tokens };
    units.push(token.unit);
  }
  return { kind: "literal", text: String.fromCharCode(...units) };
}

/** `index` is at `[`; `end` at its `]`. */
function parseSet(
  pattern: string,
  index: number,
): { readonly token: GlobToken; readonly end: number } | string {
  let at = index + 1;
  const isNegated = pattern[at] === "!" || pattern[at] === "^";
  if (isNegated) at++;
  const ranges: (readonly [number, number])[] = [];
  while (at < pattern.length && pattern[at] !== "]") {
    const first = readUnit(pattern, at);
    if (first === undefined) return "a set cannot hold `/`";
    at = first.end;
    let last = first.unit;
    if (pattern[at] === "-" && at + 1 < pattern.length && pattern[at + 1] !== "]") {
      const second = readUnit(pattern, at + 1);
      if (second === undefined) return "a set cannot hold `/`";
      last = second.unit;
      at = second.end;
    }
    if (last < first.unit) return "a range in a set runs backwards";
    ranges.push([first.unit, last]);
  }
  if (at >= pattern.length) return "`[` is not closed";
  if (ranges.length === 0) return "a set is empty";
  return { token: { kind: "set", isNegated, ranges }, end: at };
}

/** Undefined for `/` and for nothing left. */
function readUnit(pattern: string, at: number): { readonly unit: number; readonly end: number } | undefined {
  const from = pattern[at] === "\\" ? at + 1 : at;
  if (from >= pattern.length || pattern[from] === "/") return undefined;
  return { unit: pattern.charCodeAt(from), end: from + 1 };
}
