/** One pass over a text that stops only where something to redact can begin, and looks a bounded way from there. */
import { matchAssignment, matchElement, matchOption } from "./assignments.ts";
import { matchCard } from "./cards.ts";
import { isAlphanumeric, isDigit, isHex, runEnd } from "./characters.ts";
import { matchEmail } from "./email.ts";
import { markLengthAt } from "./marks.ts";
import type { Span } from "./marks.ts";
import { matchPrivateKey } from "./private-key.ts";
import { createNameTable } from "./sensitive-names.ts";
import type { NameTable } from "./sensitive-names.ts";
import { tokenRules } from "./token-prefixes.ts";
import { createWordTable, matchTelegramToken, matchWord } from "./tokens.ts";
import type { Looks, WordTable } from "./tokens.ts";
import { matchUrlCredentials } from "./url-credentials.ts";

/** The tables of the scan, built once per redactor. */
export interface Scanner {
  readonly names: NameTable;
  readonly words: WordTable;
  /** What may begin at a code unit below 128: 0 nothing, 1 a word, 2 another anchor. */
  readonly anchors: Uint8Array;
}

/** One scan under way. */
interface Scan extends Scanner {
  readonly text: string;
  readonly spans: Span[];
  readonly looks: Looks;
}

export function createScanner(): Scanner {
  const anchors = new Uint8Array(128);
  for (let code = 0; code < 128; code += 1) if (isAlphanumeric(code)) anchors[code] = 1;
  for (const character of "@:=%>-[\\\u001b") anchors[character.charCodeAt(0)] = 2;
  return { names: createNameTable(), words: createWordTable(tokenRules()), anchors };
}

/**
 * What is to be redacted in `text`, in order of discovery; spans may overlap. Time is linear in the length: every look
 * around an anchor is bounded by a constant, consumed by its span, or ends at a character the next look begins after.
 */
export function findSpans(text: string, scanner: Scanner): Span[] {
  const { anchors, names, words } = scanner;
  const scan: Scan = { text, anchors, names, words, spans: [], looks: { noJsonWebTokenUntil: 0 } };
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    const kind = code < 128 ? anchors[code]! : 0;
    if (kind === 0) index += 1;
    else if (kind === 1) index = readWord(scan, index);
    else index = readAnchor(scan, index);
  }
  return scan.spans;
}

/** At the first letter or digit of a run; returns where to go on. */
function readWord(scan: Scan, start: number): number {
  const { text, anchors } = scan;
  const isNumber = isDigit(text.charCodeAt(start));
  const span = isNumber ? matchCard(text, start) : matchWord(text, start, scan.words, scan.looks);
  if (span !== undefined) return take(scan, span);
  let end = start + 1;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code >= 128 || anchors[code] !== 1) break;
  }
  if (!isNumber || text.charCodeAt(end) !== 58) return end;
  const telegram = matchTelegramToken(text, start, end);
  return telegram === undefined ? end : take(scan, telegram);
}

function readAnchor(scan: Scan, index: number): number {
  const { text, names } = scan;
  let span: Span | undefined;
  switch (text.charCodeAt(index)) {
    case 64: // @
      span = matchEmail(text, index, 1);
      break;
    case 58: // :
      if (text.startsWith("//", index + 1)) return readUrl(scan, index + 3);
      span = matchAssignment(text, index, 1, names);
      break;
    case 61: // =
      span = matchAssignment(text, index, 1, names);
      break;
    case 62: // >
      span = matchElement(text, index, names);
      break;
    case 45: // -
      if (text.charCodeAt(index + 1) === 45)
        span = matchPrivateKey(text, index) ?? matchOption(text, index, names);
      break;
    case 37: // %
      return readPercent(scan, index);
    case 91: // [
      return index + Math.max(1, markLengthAt(text, index));
    case 92: // \
      return readEscape(scan, index);
    default:
      return skipControlSequence(text, index + 1);
  }
  return span === undefined ? index + 1 : take(scan, span);
}

function take(scan: Scan, span: Span): number {
  scan.spans.push(span);
  return span.end;
}

function readUrl(scan: Scan, start: number): number {
  const credentials = matchUrlCredentials(scan.text, start);
  if (credentials === undefined) return start;
  scan.spans.push(...credentials.spans);
  return credentials.end;
}

/** `%40` is an at sign, `%3D` and `%3A` assign, and the digits of other escapes belong to no word. */
function readPercent(scan: Scan, index: number): number {
  const { text, names } = scan;
  if (!isHex(text.charCodeAt(index + 1)) || !isHex(text.charCodeAt(index + 2))) return index + 1;
  const first = text.charCodeAt(index + 1);
  const second = text.charCodeAt(index + 2) | 32;
  let span: Span | undefined;
  if (first === 52 && second === 48) span = matchEmail(text, index, 3);
  else if (first === 51 && (second === 100 || second === 97)) span = matchAssignment(text, index, 3, names);
  return span === undefined ? index + 3 : take(scan, span);
}

/** `\nghp_...`: the letter of an escape is no part of the word behind it, unless it begins a token itself. */
function readEscape(scan: Scan, index: number): number {
  const { text } = scan;
  const letter = text.charCodeAt(index + 1);
  if (letter === 117 && runEnd(text, index + 2, index + 6, isHex) === index + 6) {
    return text.startsWith("001b", index + 2) ? skipControlSequence(text, index + 6) : index + 6;
  }
  if (letter !== 110 && letter !== 114 && letter !== 116 && letter !== 98 && letter !== 102) return index + 1;
  const span = matchWord(text, index + 1, scan.words, scan.looks);
  return span === undefined ? index + 2 : take(scan, span);
}

/** ECMA-48 colour codes end in a letter that is no part of the word behind it. `start` is after the escape character. */
function skipControlSequence(text: string, start: number): number {
  if (text.charCodeAt(start) !== 91) return start;
  const end = runEnd(text, start + 1, start + 32, (code) => isDigit(code) || code === 59);
  return end + 1;
}
