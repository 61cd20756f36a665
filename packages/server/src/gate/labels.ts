/** Where the values of a run came from: spans of text with their origin, found again by token in bounded time and memory. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { OriginLabel } from "../policy/rules/decision.ts";
import { findInstructions } from "./data-flow-instructions.ts";
import type { ReadingContext } from "./data-flow-signals.ts";
import { fieldsOf } from "./labels-fields.ts";
import { compact, daysIn, groupedNumbersIn, hostIn, normalise, numberOf, tokensOf } from "./labels-text.ts";

/** Web, mail, files, tools and MCP servers say what others wrote; their content never speaks for the user. */
export function isTrustedLabel(label: OriginLabel): boolean {
  return label === "user" || label === "operator" || label === "agent";
}

export interface Source {
  readonly label: OriginLabel;
  /** The step's path, or `task`, `inputs`, `workflow`. */
  readonly step: string;
  /** The task names what was read: a file, an address, a sender. */
  readonly isDelegated: boolean;
  /** Arguments of the call that brought this in: what comes back of them is an echo, not an origin. */
  readonly echoes?: readonly string[];
}

export interface Span {
  readonly source: Source;
  /** Path inside the output. */
  readonly path: string;
  /** Normalised. */
  readonly text: string;
  /** Score of the passage this span is, 0 for other text. */
  readonly instructed: number;
  readonly reasons: readonly string[];
  /** Letters and digits alone. */
  readonly compact: string;
  readonly echoes: ReadonlySet<string>;
}

export interface LabelLimits {
  /** Characters kept in all. */
  readonly characters: number;
  /** Spans looked at for one value. */
  readonly candidates: number;
}

export const defaultLabelLimits: LabelLimits = { characters: 2_000_000, candidates: 64 };

export interface Labels {
  /** Adds an output or text; returns the highest score of an instruction-like passage in it. */
  add(value: JsonValue, source: Source, context: ReadingContext | null): number;
  /** Spans that hold the value whole: as it is, or in another dress (case, spaces, punctuation, form of address). */
  find(value: string): Found;
  /** Spans with this token, number or day. */
  withToken(token: string): readonly Span[];
  /** Instruction-like passages so far. */
  passages(): readonly Span[];
  /** Numbers of untrusted and trusted content, for sums. At most 512, newest last. */
  numbers(): ReadonlyMap<number, Span>;
  /** True when content did not fit any more: what is found nowhere may have been in it. */
  isFull(): boolean;
}

export interface Found {
  readonly spans: readonly Span[];
  readonly how: "exact" | "normalised" | "contained" | "none";
}

const maxPostings = 256;
const maxNumbers = 512;
const maxTokens = 400_000;

export function createLabels(limits: LabelLimits = defaultLabelLimits): Labels {
  const spans: Span[] = [];
  const postings = new Map<string, number[]>();
  const numbers = new Map<number, Span>();
  let characters = 0;
  let isFull = false;

  const post = (token: string, id: number): void => {
    const list = postings.get(token);
    if (list === undefined) {
      if (postings.size < maxTokens) postings.set(token, [id]);
      else isFull = true;
    } else if (list.at(-1) !== id && list.length < maxPostings) list.push(id);
  };
  const addSpan = (raw: string, span: Omit<Span, "text" | "compact">): void => {
    const text = normalise(raw);
    if (text === "") return;
    if (characters + text.length > limits.characters) {
      isFull = true;
      return;
    }
    characters += text.length;
    const id = spans.length;
    const entry: Span = { ...span, text, compact: compact(text) };
    spans.push(entry);
    for (const key of keysOf(text)) {
      post(key, id);
      const number = numberOf(key);
      if (number === undefined) continue;
      numbers.delete(number);
      numbers.set(number, entry);
      if (numbers.size > maxNumbers) numbers.delete(numbers.keys().next().value!);
    }
  };
  const spansOf = (token: string): readonly Span[] => (postings.get(token) ?? []).map((id) => spans[id]!);
  return {
    add(value, source, context) {
      let highest = 0;
      const echoes = new Set((source.echoes ?? []).map((text) => compact(normalise(text))));
      for (const { path, text } of fieldsOf(value)) {
        for (const piece of piecesOf(text, context)) {
          addSpan(piece.text, { source, path, instructed: piece.score, reasons: piece.reasons, echoes });
          highest = Math.max(highest, piece.score);
        }
      }
      return highest;
    },
    find: (value) => find(value, { spans, spansOf, limits }),
    withToken: spansOf,
    passages: () => spans.filter((span) => span.instructed > 0),
    numbers: () => numbers,
    isFull: () => isFull,
  };
}

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly reasons: readonly string[];
}

/** Passages on their own, the text between them in pieces of some paragraphs. */
function piecesOf(text: string, context: ReadingContext | null): readonly Piece[] {
  const passages = context === null ? [] : findInstructions(text, context);
  const pieces: Piece[] = [];
  let from = 0;
  const plain = (end: number): void => {
    for (const part of chunks(text.slice(from, end))) pieces.push({ text: part, score: 0, reasons: [] });
  };
  for (const { start, end, score, reasons } of passages) {
    plain(start);
    pieces.push({ text: text.slice(start, end), score, reasons });
    from = end;
  }
  plain(text.length);
  return pieces;
}

const chunkLength = 2_000;

function chunks(text: string): readonly string[] {
  if (text.length <= chunkLength) return [text];
  const parts: string[] = [];
  for (let from = 0; from < text.length;) {
    const limit = Math.min(text.length, from + chunkLength);
    const space =
      limit === text.length ? limit : Math.max(text.lastIndexOf("\n", limit), text.lastIndexOf(" ", limit));
    const end = space > from ? space : limit;
    parts.push(text.slice(from, end));
    from = end;
  }
  return parts;
}

/** Tokens, and other forms under which a value may be looked for: plain numbers, days, hosts. */
function keysOf(text: string): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const token of tokensOf(text)) {
    keys.add(token);
    const number = numberOf(token);
    if (number !== undefined) keys.add(String(number));
    const host = token.includes(".") ? hostIn(token) : undefined;
    if (host !== undefined) keys.add(host);
  }
  for (const number of groupedNumbersIn(text)) keys.add(String(number));
  for (const day of daysIn(text)) keys.add(day);
  return keys;
}

interface Search {
  readonly spans: readonly Span[];
  readonly spansOf: (token: string) => readonly Span[];
  readonly limits: LabelLimits;
}

function find(value: string, search: Search): Found {
  const text = normalise(value);
  if (text === "") return { spans: [], how: "none" };
  const packed = compact(text);
  const seen = (span: Span): boolean => !span.echoes.has(packed);
  const candidates = candidatesFor(text, search).filter(seen);
  const exact = candidates.filter((span) => holds(span.text, text));
  if (exact.some(isTrusted)) return { spans: exact, how: "exact" };
  // What the task says in another dress is still what the task says, however literally a stranger repeats it.
  const said = isPackable(packed)
    ? search.spans.filter((span) => isTrusted(span) && span.compact.includes(packed))
    : [];
  if (said.length > 0) return { spans: [...said, ...exact], how: "normalised" };
  if (exact.length > 0) return { spans: exact, how: "exact" };
  const form = [formOf(text)].flatMap((key) => (key === undefined ? [] : search.spansOf(key))).filter(seen);
  if (form.length > 0) return { spans: form, how: "normalised" };
  if (isPackable(packed)) {
    const spans = search.spans.filter((span) => seen(span) && span.compact.includes(packed));
    if (spans.length > 0) return { spans: spans.slice(0, search.limits.candidates), how: "normalised" };
  }
  const tokens = [...new Set(tokensOf(text))];
  const contained =
    tokens.length < 2 ? [] : candidates.filter((span) => tokens.every((token) => holds(span.text, token)));
  return contained.length > 0 ? { spans: contained, how: "contained" } : { spans: [], how: "none" };
}

function isTrusted({ source }: Span): boolean {
  return isTrustedLabel(source.label);
}

/** Too short a text without its signs is in everything: `a 1` would be found in `la 10`. */
function isPackable(packed: string): boolean {
  return packed.length >= 8 || (packed.length >= 6 && /\d/.test(packed));
}

/** Spans with the value's rarest token. */
function candidatesFor(text: string, { spansOf, limits }: Search): readonly Span[] {
  let rarest: readonly Span[] | undefined;
  for (const token of tokensOf(text).slice(0, 64)) {
    const list = spansOf(token);
    if (rarest === undefined || list.length < rarest.length) rarest = list;
  }
  const found = rarest ?? [];
  // Passages first: with many places a value stands at, the telling ones must not be cut off.
  return found.length <= limits.candidates
    ? found
    : [...found].sort((a, b) => b.instructed - a.instructed).slice(0, limits.candidates);
}

/** The value under which other forms of the same thing are indexed. */
function formOf(text: string): string | undefined {
  const number = numberOf(text);
  if (number !== undefined) return String(number);
  return daysIn(text)[0] ?? (text.includes("@") ? undefined : hostIn(text));
}

/** Whole words only: `7` is not in `17`, `bob` not in `bobby`. */
export function holds(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    if (!isWordSign(text, at - 1, value, 0) && !isWordSign(text, at + value.length, value, value.length - 1))
      return true;
  }
  return false;
}

const wordSign = /[\p{L}\p{N}]/u;

function isWordSign(text: string, at: number, value: string, edge: number): boolean {
  const outside = text[at];
  return outside !== undefined && wordSign.test(outside) && wordSign.test(value[edge]!);
}
