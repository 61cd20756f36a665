/**
 * A byte scanner that recognises ordinary entries about five times as fast as JSON.parse plus writing them again.
 *
 * It says yes only to bytes that are certainly a valid entry in canonical form: ASCII without escapes, whole numbers, times
 * up to the 28th of a month. Everything else gets a no and takes the exact road through `parseEntry`.
 */

/** True when `bytes[start, end)` is certainly a valid, canonical entry. A false says nothing. */
export function isPlainEntry(bytes: Uint8Array, start: number, end: number): boolean {
  let at = passLiteral(bytes, start, actorId);
  at = passText(bytes, at);
  at = passLiteral(bytes, at, actorKind);
  at = passKind(bytes, at);
  at = passLiteral(bytes, at, timeStart);
  at = passTime(bytes, at);
  if (at < 0 || at >= end) return false;
  if (startsWith(bytes, at, blobStart)) at = passBlob(bytes, at);
  at = passLiteral(bytes, at, dataStart);
  at = passObject(bytes, at, 0);
  at = passLiteral(bytes, at, keyStart);
  at = passText(bytes, at);
  at = passLiteral(bytes, at, labelsStart);
  at = passTexts(bytes, at);
  if (at < 0 || at >= end) return false;
  if (startsWith(bytes, at, runStart)) at = passRun(bytes, at);
  at = passLiteral(bytes, at, saltStart);
  at = passHex(bytes, at, 32);
  if (at < 0 || at >= end) return false;
  if (startsWith(bytes, at, supervisorStart)) at = passText(bytes, at + supervisorStart.length);
  at = passLiteral(bytes, at, tenantStart);
  at = passText(bytes, at);
  at = passLiteral(bytes, at, typeStart);
  at = passType(bytes, at);
  // The last literal ends at `end` or the entry is not the whole range; reading past `end` before that does no harm.
  return passLiteral(bytes, at, versionEnd) === end;
}

const actorId = ascii('{"actor":{"id":');
const actorKind = ascii(',"kind":"');
const kinds: readonly Uint8Array[] = [ascii("agent"), ascii("system"), ascii("user")];
const timeStart = ascii('"},"at":"');
const blobStart = ascii(',"blob":{"sha256":"');
const blobSize = ascii('","sizeBytes":');
const blobSubject = ascii(',"subject":');
const dataStart = ascii(',"data":');
const keyStart = ascii(',"key":');
const labelsStart = ascii(',"labels":');
const runStart = ascii(',"run":{"digest":"');
const runId = ascii('","id":');
const runSeq = ascii(',"seq":');
const saltStart = ascii(',"salt":"');
const supervisorStart = ascii(',"supervisor":');
const tenantStart = ascii(',"tenant":');
const typeStart = ascii(',"type":"');
const versionEnd = ascii(',"v":1}');
const wordTrue = ascii("true");
const wordFalse = ascii("false");
const wordNull = ascii("null");
const closingQuote = ascii('"');

const maxTextLength = 1024;
const maxTypeLength = 128;
/** Deeper data is legal and takes the exact road. */
const maxPlainDepth = 16;
/** 15 digits are exact in a double, so the canonical form of the number is its digits. */
const maxPlainDigits = 15;

const quoteByte = 0x22;
const commaByte = 0x2c;
const colonByte = 0x3a;
const backslashByte = 0x5c;

function ascii(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function startsWith(bytes: Uint8Array, at: number, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i += 1) if (bytes[at + i] !== literal[i]) return false;
  return true;
}

/** The `pass` functions return the position after what they recognise, or -1; a position of -1 is handed through. */
function passLiteral(bytes: Uint8Array, at: number, literal: Uint8Array): number {
  return at >= 0 && startsWith(bytes, at, literal) ? at + literal.length : -1;
}

/** A quoted text of 1 to 1024 plain characters. */
function passText(bytes: Uint8Array, at: number): number {
  const end = passQuoted(bytes, at);
  return end - at - 2 >= 1 && end - at - 2 <= maxTextLength ? end : -1;
}

function passQuoted(bytes: Uint8Array, at: number): number {
  if (at < 0 || bytes[at] !== quoteByte) return -1;
  let i = at + 1;
  for (;;) {
    // Past the buffer's end this is undefined, which no comparison accepts.
    const byte = bytes[i] as number;
    if (byte === quoteByte) return i + 1;
    if (!(byte >= 0x20 && byte < 0x7f) || byte === backslashByte) return -1;
    i += 1;
  }
}

function passKind(bytes: Uint8Array, at: number): number {
  for (const kind of kinds) {
    const end = passLiteral(bytes, at, kind);
    if (end >= 0) return end;
  }
  return -1;
}

/** `2026-01-31T23:59:59.999Z"` with day at most 28, so that no calendar is needed. */
function passTime(bytes: Uint8Array, at: number): number {
  if (at < 0 || at + 25 > bytes.length) return -1;
  if (two(bytes, at) < 0 || two(bytes, at + 2) < 0 || bytes[at + 4] !== 0x2d) return -1;
  const month = two(bytes, at + 5);
  const day = two(bytes, at + 8);
  if (month < 1 || month > 12 || bytes[at + 7] !== 0x2d || day < 1 || day > 28 || bytes[at + 10] !== 0x54)
    return -1;
  if (!isBelow(two(bytes, at + 11), 24) || bytes[at + 13] !== colonByte) return -1;
  if (!isBelow(two(bytes, at + 14), 60) || bytes[at + 16] !== colonByte) return -1;
  if (!isBelow(two(bytes, at + 17), 60) || bytes[at + 19] !== 0x2e) return -1;
  if (two(bytes, at + 20) < 0 || !isDigit(bytes[at + 22] as number)) return -1;
  return bytes[at + 23] === 0x5a && bytes[at + 24] === quoteByte ? at + 25 : -1;
}

function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] as number;
  const ones = bytes[at + 1] as number;
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : -1;
}

function isBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function passHex(bytes: Uint8Array, at: number, digits: number): number {
  if (at < 0) return -1;
  for (let i = at; i < at + digits; i += 1) {
    const byte = bytes[i] as number;
    if (!isDigit(byte) && !(byte >= 0x61 && byte <= 0x66)) return -1;
  }
  return passLiteral(bytes, at + digits, closingQuote);
}

function passBlob(bytes: Uint8Array, at: number): number {
  const sha256 = passHex(bytes, at + blobStart.length, 64);
  // passHex consumed the closing quote that the next literal begins with.
  const size = passCount(bytes, passLiteral(bytes, sha256 < 0 ? -1 : sha256 - 1, blobSize));
  return closeObject(bytes, passText(bytes, passLiteral(bytes, size, blobSubject)));
}

function passRun(bytes: Uint8Array, at: number): number {
  const digest = passHex(bytes, at + runStart.length, 64);
  const id = passText(bytes, passLiteral(bytes, digest < 0 ? -1 : digest - 1, runId));
  return closeObject(bytes, passCount(bytes, passLiteral(bytes, id, runSeq)));
}

function closeObject(bytes: Uint8Array, at: number): number {
  return at >= 0 && bytes[at] === 0x7d ? at + 1 : -1;
}

/** A whole number of at most 15 digits without sign or leading zero. */
function passCount(bytes: Uint8Array, at: number): number {
  if (at < 0 || !isDigit(bytes[at] as number)) return -1;
  if (bytes[at] === 0x30) return isDigit(bytes[at + 1] as number) ? -1 : at + 1;
  let i = at + 1;
  while (isDigit(bytes[i] as number)) i += 1;
  return i - at <= maxPlainDigits ? i : -1;
}

function passTexts(bytes: Uint8Array, at: number): number {
  if (at < 0 || bytes[at] !== 0x5b) return -1;
  if (bytes[at + 1] === 0x5d) return at + 2;
  let i = at;
  do {
    i = passText(bytes, i + 1);
    if (i < 0) return -1;
  } while (bytes[i] === commaByte);
  return bytes[i] === 0x5d ? i + 1 : -1;
}

function passType(bytes: Uint8Array, at: number): number {
  if (at < 0) return -1;
  const first = bytes[at] as number;
  if (!(first >= 0x61 && first <= 0x7a)) return -1;
  let i = at + 1;
  while (isTypeByte(bytes[i] as number)) i += 1;
  return i - at <= maxTypeLength ? passLiteral(bytes, i, closingQuote) : -1;
}

function isTypeByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || isDigit(byte) || byte === 0x5f || byte === 0x2e || byte === 0x2d;
}

function passObject(bytes: Uint8Array, at: number, depth: number): number {
  if (at < 0 || bytes[at] !== 0x7b || depth > maxPlainDepth) return -1;
  if (bytes[at + 1] === 0x7d) return at + 2;
  let i = at;
  let before = -1;
  let beforeEnd = -1;
  do {
    const name = i + 1;
    const nameEnd = passQuoted(bytes, name);
    if (nameEnd < 0 || bytes[nameEnd] !== colonByte) return -1;
    if (before >= 0 && !isAscending(bytes, { before, beforeEnd, name, nameEnd })) return -1;
    before = name;
    beforeEnd = nameEnd;
    i = passValue(bytes, nameEnd + 1, depth + 1);
    if (i < 0) return -1;
  } while (bytes[i] === commaByte);
  return closeObject(bytes, i);
}

interface Names {
  readonly before: number;
  readonly beforeEnd: number;
  readonly name: number;
  readonly nameEnd: number;
}

/** Quoted names in strictly ascending order; both are ASCII, so bytes sort as UTF-16 code units do. */
function isAscending(bytes: Uint8Array, { before, beforeEnd, name, nameEnd }: Names): boolean {
  const shared = Math.min(beforeEnd - before, nameEnd - name) - 1;
  for (let i = 1; i < shared; i += 1) {
    const a = bytes[before + i] as number;
    const b = bytes[name + i] as number;
    if (a !== b) return a < b;
  }
  return beforeEnd - before < nameEnd - name;
}

function passValue(bytes: Uint8Array, at: number, depth: number): number {
  const byte = bytes[at] as number;
  if (byte === quoteByte) return passQuoted(bytes, at);
  if (byte === 0x7b) return passObject(bytes, at, depth);
  if (byte === 0x5b) return passArray(bytes, at, depth);
  if (byte === 0x74) return passLiteral(bytes, at, wordTrue);
  if (byte === 0x66) return passLiteral(bytes, at, wordFalse);
  if (byte === 0x6e) return passLiteral(bytes, at, wordNull);
  if (byte === 0x2d) return bytes[at + 1] === 0x30 ? -1 : passWhole(bytes, at + 1);
  return passWhole(bytes, at);
}

/** A count that is the whole number: a fraction or an exponent after it takes the exact road. */
function passWhole(bytes: Uint8Array, at: number): number {
  const end = passCount(bytes, at);
  const after = bytes[end < 0 ? at : end];
  return after === 0x2e || after === 0x65 || after === 0x45 ? -1 : end;
}

function passArray(bytes: Uint8Array, at: number, depth: number): number {
  if (depth > maxPlainDepth) return -1;
  if (bytes[at + 1] === 0x5d) return at + 2;
  let i = at;
  do {
    i = passValue(bytes, i + 1, depth + 1);
    if (i < 0) return -1;
  } while (bytes[i] === commaByte);
  return bytes[i] === 0x5d ? i + 1 : -1;
}
