/** Secrets that are announced by a name: `password=x`, `"apiKey": "x"`, `--token x`, `<secret>x</secret>`. */
import { isAlphanumeric, isDigit, isQuote, isSpace, isWord, runEnd } from "./characters.ts";
import { passwordMark } from "./marks.ts";
import type { Span } from "./marks.ts";
import { isPlaceholder } from "./placeholders.ts";
import { isAuthMethod, sensitiveNameBefore } from "./sensitive-names.ts";
import type { NameTable, SensitiveName } from "./sensitive-names.ts";

/** An assigned value in quotes may be this long before its closing quote is given up. */
const quotedLimit = 4096;
/** How much of an unquoted value is looked at to decide what it is. */
const nearLimit = 48;
const schemes = ["bearer ", "basic ", "token ", "digest ", "negotiate ", "apikey ", "aws4-hmac-sha256 "];

/** The value after the `=`, `:` or `%3D` at `separator`, which is `length` characters long. */
export function matchAssignment(
  text: string,
  separator: number,
  length: number,
  names: NameTable,
): Span | undefined {
  let end = separator;
  if (text.charCodeAt(end - 1) === 32) end -= 1;
  if (text.charCodeAt(end - 1) === 93) end -= 1;
  const nameQuote = isQuote(text.charCodeAt(end - 1)) ? text.charCodeAt(end - 1) : 0;
  if (nameQuote !== 0) end -= 1;
  let nameSlashes = 0;
  for (; nameSlashes < 8 && text.charCodeAt(end - 1) === 92; nameSlashes += 1) end -= 1;
  const name = sensitiveNameBefore(text, end, names);
  if (name === undefined) return undefined;
  let start = separator + length;
  // `:=`, `=>`, `==`
  if (text.charCodeAt(start) === 61 || text.charCodeAt(start) === 62) start += 1;
  const isClear = text.charCodeAt(separator) !== 58 && !isSpace(text.charCodeAt(start));
  return matchValue(text, start, { name, isClear, nameQuote, nameSlashes });
}

/** The value after a command line option, `--token x` or `"--token","x"`; `start` is the first hyphen. */
export function matchOption(text: string, start: number, names: NameTable): Span | undefined {
  const before = text.charCodeAt(start - 1);
  // A `]` may be the end of a mark that hides a word.
  if (isWord(before) || before === 45 || before === 93 || !isWord(text.charCodeAt(start + 2)))
    return undefined;
  const end = runEnd(text, start, start + 48, (code) => isWord(code) || code === 45);
  const name = sensitiveNameBefore(text, end, names);
  if (name === undefined || name.isWeak) return undefined;
  let value = end;
  const isQuotedName = isQuote(text.charCodeAt(value)) && text.charCodeAt(value + 1) === 44;
  const nameQuote = isQuotedName ? text.charCodeAt(value) : 0;
  if (isQuotedName) value += 2;
  else if (!isSpace(text.charCodeAt(value))) return undefined;
  return matchValue(text, value, { name, isClear: true, nameQuote, nameSlashes: 0 });
}

/**
 * The text of an XML element whose opening tag ends with the `>` at `close`: up to the closing tag of that name, else to
 * the first blank or quote. A surrogate ends it as well, so that the limit cuts no pair in two.
 */
export function matchElement(text: string, close: number, names: NameTable): Span | undefined {
  const name = sensitiveNameBefore(text, close, names);
  if (name === undefined) return undefined;
  const stop = Math.max(0, close - 40);
  let open = close - 1;
  while (open > stop && isNameCharacter(text.charCodeAt(open))) open -= 1;
  if (text.charCodeAt(open) !== 60) return undefined;
  const start = close + 1;
  const tag = runEnd(text, start, start + quotedLimit, (code) => code !== 60 && code < 0xd800);
  const isClosed = text.startsWith(`</${text.slice(open + 1, close)}>`, tag);
  const end = isClosed ? tag : unquotedEnd(text, start);
  return isHarmless(text, start, end, name) ? undefined : span(start, end, name);
}

interface Announced {
  readonly name: SensitiveName;
  /** `name=value` and options assign; `name: word` and `name = word` may be prose or code. */
  readonly isClear: boolean;
  /** Of `"name":`, so that a quote after it opens the value and does not close the text around both; 0: none. */
  readonly nameQuote: number;
  /** Back-slashes before the quote behind the name: the value's quote has as many. */
  readonly nameSlashes: number;
}

function matchValue(text: string, from: number, announced: Announced): Span | undefined {
  const { name } = announced;
  let start = runEnd(text, from, from + 4, (code) => code === 32 || code === 9);
  if (isLiteralPrefix(text, start)) start += 1;
  const slashes = runEnd(text, start, start + 8, (code) => code === 92) - start;
  if (isQuote(text.charCodeAt(start + slashes))) {
    const open = start + slashes;
    const next = text.charCodeAt(open + 1);
    const isQuotedName = announced.nameQuote !== 0;
    if (!isQuotedName && closesOuter(next)) return undefined;
    // `["password\\": "]`, `["password': "]`: the name's quote is of the text, this one of the JSON around it.
    if (isQuotedName && slashes < announced.nameSlashes) return undefined;
    const isOther = isQuotedName && text.charCodeAt(open) !== announced.nameQuote;
    if (isOther && !isSpace(next) && closesOuter(next)) return undefined;
    const close = closingQuote(text, open, slashes);
    start = skipScheme(text, open + 1);
    // An unclosed quote is a cut-off line: the value runs to the next blank.
    const end = close === -1 ? unquotedEnd(text, start) : close;
    return isHarmless(text, start, end, name) ? undefined : span(start, end, name);
  }
  if (text.startsWith("-----BEGIN ", start)) return undefined;
  const value = skipScheme(text, start);
  if (opensStructure(text.charCodeAt(value))) return undefined;
  if (name.isLine) return span(value, cookiesEnd(text, value), name);
  // Decided by what is near, so that a value which is refused costs no more than that.
  const near = unquotedEnd(text, value, value + nearLimit);
  if (isHarmless(text, value, near, name) || !isConvincing(text, value, near, announced)) return undefined;
  return span(value, near < value + nearLimit ? near : unquotedEnd(text, near), name);
}

function isHarmless(text: string, start: number, end: number, name: SensitiveName): boolean {
  return isPlaceholder(text, start, end) || isAuthMethod(name, text.slice(start, end));
}

function span(start: number, end: number, { mark }: SensitiveName): Span | undefined {
  return end > start ? { start, end, mark } : undefined;
}

/** Python's and Rust's `b"..."`, `u"..."`, `r"..."`. */
function isLiteralPrefix(text: string, start: number): boolean {
  const code = text.charCodeAt(start) | 32;
  return (code === 98 || code === 117 || code === 114) && isQuote(text.charCodeAt(start + 1));
}

/** `{"msg":"password="}`: a quote before a comma, colon, closing bracket or the end opens nothing. */
function closesOuter(next: number): boolean {
  return Number.isNaN(next) || isSpace(next) || next === 44 || next === 58 || next === 93 || next === 125;
}

/**
 * Where the value ends that `open` began: before the closing quote and its back-slashes. JSON inside JSON writes each
 * quote of level n with 2^n - 1 back-slashes and doubles those of the content, hence the remainders; a quote of a lower
 * level ends the text around the value. A look that finds none passes over what no later look passes over again.
 */
function closingQuote(text: string, open: number, slashes: number): number {
  const quote = text.charCodeAt(open);
  const stop = Math.min(text.length, open + quotedLimit);
  let run = 0;
  for (let index = open + 1; index < stop; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      if (run % (slashes + 1) !== slashes) return -1;
      if (run % (2 * slashes + 2) === slashes) return index - slashes;
    }
    if (code === 10 || (code === 34 && quote !== 34 && closesOuter(text.charCodeAt(index + 1)))) return -1;
    run = code === 92 ? run + 1 : 0;
  }
  return -1;
}

/** `Bearer`, `Basic` and other scheme names stay readable. */
export function skipScheme(text: string, start: number): number {
  const head = text.slice(start, start + 17).toLowerCase();
  const scheme = schemes.find((candidate) => head.startsWith(candidate));
  return scheme === undefined ? start : start + scheme.length;
}

/** A cookie header ends with its line or quote; without a `=` at once it is prose. */
function cookiesEnd(text: string, start: number): number {
  const name = runEnd(text, start, start + 64, isNameCharacter);
  if (text.charCodeAt(name) !== 61) return start;
  return runEnd(
    text,
    name,
    name + quotedLimit,
    (code) => code >= 32 && code < 127 && code !== 92 && !isQuote(code),
  );
}

/** Ends at white space, quotes, `&`, `;`, angle brackets, escapes; at `,` and closing brackets when the value ends there. */
function unquotedEnd(text: string, start: number, limit = text.length): number {
  const stop = Math.min(limit, text.length);
  let index = start;
  for (; index < stop; index += 1) {
    const code = text.charCodeAt(index);
    if (isSpace(code) || code === 38 || code === 59 || code === 60 || code === 62) return index;
    if (isQuote(code)) return trimSlashes(text, start, index);
    if (code === 92 && isEscape(text.charCodeAt(index + 1))) return trimSlashes(text, start, index);
    if ((code === 44 || code === 41 || code === 93 || code === 125) && endsAfter(text, index)) return index;
  }
  return index;
}

/** Back-slashes before a quote are the quote's: masking one of them would break the JSON around. */
function trimSlashes(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && text.charCodeAt(last - 1) === 92) last -= 1;
  return last;
}

function isEscape(code: number): boolean {
  return code === 110 || code === 114 || code === 116 || isQuote(code);
}

/** After the `,` or bracket comes nothing, a blank, a quote, another one, or the next `name=`. */
function endsAfter(text: string, index: number): boolean {
  const next = text.charCodeAt(index + 1);
  if (Number.isNaN(next) || isSpace(next) || isQuote(next) || next === 59 || next === 44) return true;
  if (next === 41 || next === 93 || next === 125 || next === 92) return true;
  if (text.charCodeAt(index) !== 44) return false;
  const name = runEnd(text, index + 1, index + 40, isNameCharacter);
  return text.charCodeAt(name) === 61 || text.charCodeAt(name) === 58;
}

function isNameCharacter(code: number): boolean {
  return isWord(code) || code === 45 || code === 46;
}

/** `token: {`, `token: [`, `token: (` */
function opensStructure(first: number): boolean {
  return first === 123 || first === 91 || first === 40;
}

/** Whether an unquoted value is a secret rather than prose, a number or code. */
function isConvincing(text: string, start: number, end: number, { name, isClear }: Announced): boolean {
  const length = end - start;
  if (name.isWeak && isPath(text, start)) return false;
  if (isClear) return name.mark === passwordMark && !name.isWeak ? true : length >= 6;
  if (name.isWeak || looksLikeCall(text, end)) return false;
  if (name.mark === passwordMark) return length >= 4;
  return length >= 8 && holdsDigitOrSign(text, start, end);
}

/** `PWD=/home/x` is the working directory. */
function isPath(text: string, start: number): boolean {
  const first = text.charCodeAt(start);
  return first === 47 || first === 126 || text.charCodeAt(start + 1) === 58;
}

/** `token = readToken()` is code. */
function looksLikeCall(text: string, end: number): boolean {
  return text.charCodeAt(end) === 41 && text.charCodeAt(end - 1) === 40;
}

function holdsDigitOrSign(text: string, start: number, end: number): boolean {
  let seen = false;
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 40) return false;
    seen ||= isDigit(code) || !(isAlphanumeric(code) || code === 46 || code === 95);
  }
  return seen;
}
