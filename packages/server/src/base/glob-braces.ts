/** Expands `{a,b}` in glob patterns at load, with a cap, so that matching never sees them. */

const mostAlternatives = 32;

export type BracesResult =
  | { readonly ok: true; readonly patterns: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** Escapes and sets are left as they are; signs inside them do not count. */
export function expandBraces(source: string): BracesResult {
  if (!/[{}]/.test(source)) return { ok: true, patterns: [source] };
  const cursor = { source, at: 0, problem: undefined as string | undefined };
  const patterns = readSequence(cursor, false);
  if (cursor.problem === undefined && cursor.at < source.length) cursor.problem = "`}` has no `{` before it";
  if (cursor.problem !== undefined) return { ok: false, problem: cursor.problem };
  return { ok: true, patterns: [...new Set(patterns)] };
}

interface Cursor {
  readonly source: string;
  at: number;
  problem: string | undefined;
}

/** All texts up to the end, or up to `,` or `}` when inside braces. */
function readSequence(cursor: Cursor, isInside: boolean): readonly string[] {
  let patterns: readonly string[] = [""];
  while (cursor.at < cursor.source.length && cursor.problem === undefined) {
    const sign = cursor.source[cursor.at];
    if (sign === "}" || (sign === "," && isInside)) break;
    const pieces = sign === "{" ? readBraces(cursor) : [readPlain(cursor)];
    if (patterns.length * pieces.length > mostAlternatives) {
      cursor.problem = `braces make more than ${mostAlternatives} alternatives`;
    } else {
      patterns = patterns.flatMap((pattern) => pieces.map((piece) => pattern + piece));
    }
  }
  return patterns;
}

function readBraces(cursor: Cursor): readonly string[] {
  const alternatives: string[] = [];
  let count = 0;
  do {
    cursor.at++;
    count++;
    alternatives.push(...readSequence(cursor, true));
    if (alternatives.length > mostAlternatives)
      cursor.problem ??= `braces make more than ${mostAlternatives} alternatives`;
  } while (cursor.problem === undefined && cursor.source[cursor.at] === ",");
  if (cursor.source[cursor.at] !== "}") cursor.problem ??= "`{` is not closed";
  else if (count < 2) cursor.problem ??= "braces hold one alternative only; write `\\{` for the sign itself";
  cursor.at++;
  return alternatives;
}

/** One character, escape or set. */
function readPlain(cursor: Cursor): string {
  const { source, at } = cursor;
  let end = at + 1;
  if (source[at] === "\\") end = at + 2;
  if (source[at] === "[") {
    while (end < source.length && source[end] !== "]") end += source[end] === "\\" ? 2 : 1;
    end++;
  }
  cursor.at = Math.min(end, source.length);
  return source.slice(at, cursor.at);
}
