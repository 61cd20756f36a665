/** Tokens that show by their own first characters what they are: issuer prefixes, JSON Web Tokens, `Bearer` and `Basic`. */
import { isAlphanumeric, isBase64Url, isDigit, isHex, isWord, runEnd } from "./characters.ts";
import { tokenMark } from "./marks.ts";
import type { Span } from "./marks.ts";
import type { TokenBody, TokenRule } from "./token-prefixes.ts";

/** What one scan has learned, so that it never looks at the same characters twice. */
export interface Looks {
  /** No JSON Web Token starts below this index. */
  noJsonWebTokenUntil: number;
}

/** What follows a fixed text at a word start: the span to mask, or nothing. */
export interface WordRule {
  readonly prefix: string;
  /** `start` is where the prefix stands. Cost is bounded by what it consumes plus a constant. */
  match(text: string, start: number, looks: Looks): Span | undefined;
}

/** Finds by two letters which rules can apply at all; most words are settled by one look into the table. */
export interface WordTable {
  readonly rules: readonly (readonly WordRule[])[];
  /** Index into `rules` by `first << 7 | second`; 0 for none. */
  readonly buckets: Uint8Array;
}

export function createWordTable(tokens: readonly TokenRule[]): WordTable {
  const all: WordRule[] = [
    ...tokens.map((rule) => ({
      prefix: rule.prefix,
      match: (text: string, start: number) => matchToken(text, start, rule),
    })),
    { prefix: "eyJ", match: matchJsonWebToken },
    ...["Bearer ", "bearer ", "BEARER "].map((prefix) => ({ prefix, match: matchBearer })),
    ...["Basic ", "basic "].map((prefix) => ({ prefix, match: matchBasic })),
  ];
  const rules: WordRule[][] = [[]];
  const buckets = new Uint8Array(128 * 128);
  for (const rule of all) {
    const bucket = (rule.prefix.charCodeAt(0) << 7) | rule.prefix.charCodeAt(1);
    if (buckets[bucket] === 0) buckets[bucket] = rules.push([]) - 1;
    rules[buckets[bucket]!]!.push(rule);
  }
  return { rules, buckets };
}

/** The token that starts at the word start `start`. */
export function matchWord(
  text: string,
  start: number,
  { rules, buckets }: WordTable,
  looks: Looks,
): Span | undefined {
  const second = text.charCodeAt(start + 1);
  const bucket = second < 128 ? buckets[(text.charCodeAt(start) << 7) | second]! : 0;
  if (bucket === 0) return undefined;
  for (const rule of rules[bucket]!) {
    const span = text.startsWith(rule.prefix, start) ? rule.match(text, start, looks) : undefined;
    if (span !== undefined) return span;
  }
  return undefined;
}

/** Telegram's bot tokens are the one kind that starts with a number: `123456789:AA` and 33 more. `colon` ends the digits. */
export function matchTelegramToken(text: string, start: number, colon: number): Span | undefined {
  if (colon - start < 8 || colon - start > 10 || !text.startsWith(":AA", colon)) return undefined;
  const end = runEnd(text, colon + 3, colon + 64, isBase64Url);
  return end - colon >= 35 ? { start, end, mark: tokenMark } : undefined;
}

function matchToken(text: string, start: number, rule: TokenRule): Span | undefined {
  const body = start + rule.prefix.length;
  const enough = body + rule.least;
  // Inside hyphenated words (`task-sk-...`) a shared prefix is no beginning.
  if (rule.isStrict && text.charCodeAt(start - 1) === 45) return undefined;
  if (runEnd(text, body, enough, bodyClasses[rule.body]) < enough) return undefined;
  if (rule.isExact)
    return isWord(text.charCodeAt(enough)) ? undefined : { start, end: enough, mark: rule.mark };
  if (rule.isStrict && !isStrictBody(text, body)) return undefined;
  return {
    start,
    end: trimDots(text, runEnd(text, enough, text.length, bodyClasses[rule.body])),
    mark: rule.mark,
  };
}

const bodyClasses: Readonly<Record<TokenBody, (code: number) => boolean>> = {
  upper: (code) => isDigit(code) || (code >= 65 && code <= 90),
  hex: isHex,
  alphanumeric: isAlphanumeric,
  word: isWord,
  base64url: isBase64Url,
  dotted: (code) => isBase64Url(code) || code === 46,
  path: (code) => isBase64Url(code) || code === 47,
  base64: (code) => isAlphanumeric(code) || code === 43 || code === 47 || code === 61 || code === 95,
};

/** A full stop after a token ends the sentence. */
function trimDots(text: string, end: number): number {
  let last = end;
  while (text.charCodeAt(last - 1) === 46) last -= 1;
  return last;
}

/** A digit, and 16 letters or digits in a row, within the first 48 characters. */
function isStrictBody(text: string, body: number): boolean {
  const stop = runEnd(text, body, body + 48, isBase64Url);
  let row = 0;
  let longestRow = 0;
  let hasDigit = false;
  for (let index = body; index < stop; index += 1) {
    const code = text.charCodeAt(index);
    row = isAlphanumeric(code) ? row + 1 : 0;
    longestRow = Math.max(longestRow, row);
    hasDigit ||= isDigit(code);
  }
  return hasDigit && longestRow >= 16;
}

/**
 * RFC 7519 and RFC 7516: base64url parts joined by dots, the first of which is JSON (`eyJ` is `{"`). Cut-off tokens count
 * from the first dot on.
 */
function matchJsonWebToken(text: string, start: number, looks: Looks): Span | undefined {
  if (start < looks.noJsonWebTokenUntil) return undefined;
  const dot = runEnd(text, start, text.length, isBase64Url);
  // Every later start in this run ends at the same place, so what fails here fails there.
  looks.noJsonWebTokenUntil = dot;
  if (text.charCodeAt(dot) !== 46 || dot - start < 12) return undefined;
  const second = runEnd(text, dot + 1, text.length, isBase64Url);
  if (second - dot < 9 && text.charCodeAt(second) !== 46) return undefined;
  const end = runEnd(text, second, text.length, (code) => isBase64Url(code) || code === 46);
  return { start, end: trimDots(text, end), mark: tokenMark };
}

/** RFC 6750: at least 16 characters with a digit among the first 64, so that prose about bearer tokens stays. */
function matchBearer(text: string, start: number): Span | undefined {
  const from = start + 7;
  const shown = runEnd(text, from, from + 64, isCredential);
  if (shown - from < 16 || !holdsDigit(text, from, shown)) return undefined;
  return { start: from, end: runEnd(text, shown, text.length, isCredential), mark: tokenMark };
}

/** RFC 7617: base64 of `user:password`. Words of prose have neither digit, nor `=`, nor a capital inside. */
function matchBasic(text: string, start: number): Span | undefined {
  const from = start + 6;
  const shown = runEnd(text, from, from + 64, isCredential);
  if (shown - from < 8 || !looksEncoded(text, from, shown)) return undefined;
  return { start: from, end: runEnd(text, shown, text.length, isCredential), mark: tokenMark };
}

/** The `token68` of RFC 9110 section 11.2. */
function isCredential(code: number): boolean {
  return isBase64Url(code) || code === 46 || code === 126 || code === 43 || code === 47 || code === 61;
}

function holdsDigit(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) if (isDigit(text.charCodeAt(index))) return true;
  return false;
}

function looksEncoded(text: string, start: number, end: number): boolean {
  for (let index = start + 1; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (isDigit(code) || code === 61 || (code >= 65 && code <= 90)) return true;
  }
  return false;
}
