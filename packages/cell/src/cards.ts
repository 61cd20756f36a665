/** Payment card numbers: a digit run that has an issuer's prefix, that issuer's length and the Luhn check digit. */
import { isDigit, isHex, isLetter } from "./characters.ts";
import { cardMark } from "./marks.ts";
import type { Span } from "./marks.ts";

/** ISO/IEC 7812-1: a primary account number has at most 19 digits; the shortest still issued (Maestro) has 12. */
const longest = 19;
const shortest = 12;
/** What most digit runs come to, without a new list each. */
const none: readonly PossibleEnd[] = [];

/**
 * The card number that starts at `start`, which must be the first digit of a run. Groups may be parted by single spaces
 * or single hyphens, but then the first has four digits, as cards are printed. Looks at most 37 characters ahead.
 */
export function matchCard(text: string, start: number): Span | undefined {
  if (isFraction(text, start)) return undefined;
  for (const { count, end } of possibleEnds(text, start)) {
    if (!isIssued(text, start, count) || !passesLuhn(text, start, end)) continue;
    return isInsideUuid(text, start, end) ? undefined : { start, end, mark: cardMark };
  }
  return undefined;
}

interface PossibleEnd {
  /** Digits up to here. */
  readonly count: number;
  /** Index after the last of them. */
  readonly end: number;
}

/** Where a number of allowed length could end: after whole groups only. The longest first. */
function possibleEnds(text: string, start: number): readonly PossibleEnd[] {
  let ends = none;
  let separator = 0;
  let groupStart = start;
  for (let count = 0; ;) {
    let index = groupStart;
    while (isDigit(text.charCodeAt(index)) && count < longest) {
      index += 1;
      count += 1;
    }
    const code = text.charCodeAt(index);
    const isFirstGroup = groupStart === start;
    if (isDigit(code) || index - groupStart < (isFirstGroup ? 1 : 3)) return ends;
    if (isLetter(code) || (code === 46 && isDigit(text.charCodeAt(index + 1)))) return ends;
    if (count >= shortest) ends = [{ count, end: index }, ...ends];
    const maySeparate = code === 32 || code === 45;
    if (!maySeparate || (separator !== 0 && separator !== code)) return ends;
    if (isFirstGroup && index - groupStart !== 4) return ends;
    separator = code;
    groupStart = index + 1;
  }
}

/** Digits after a decimal point are a fraction, not a card. A mark before the point may have hidden a digit. */
function isFraction(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== 46) return false;
  const before = text.charCodeAt(start - 2);
  return isDigit(before) || before === 93;
}

/** Issuer ranges and lengths as the networks publish them (Visa, Mastercard, Amex, Discover, Diners, JCB, UnionPay, Maestro, Mir). */
function isIssued(text: string, start: number, count: number): boolean {
  // The first group has four digits at least.
  const one = text.charCodeAt(start) - 48;
  const two = one * 10 + text.charCodeAt(start + 1) - 48;
  const three = two * 10 + text.charCodeAt(start + 2) - 48;
  const four = three * 10 + text.charCodeAt(start + 3) - 48;
  if (one === 4) return count === 13 || count === 16 || count === 19;
  if (two === 34 || two === 37) return count === 15;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return count === 16;
  if (four >= 2200 && four <= 2204) return count === 16;
  if (four === 2131 || four === 1800) return count === 15;
  if (four >= 3528 && four <= 3589) return count >= 16;
  if (two === 36 || two === 38 || two === 39 || (three >= 300 && three <= 305)) return count >= 14;
  if (four === 6011 || (three >= 644 && three <= 649) || two === 65 || two === 62) return count >= 16;
  return isMaestro(four);
}

function isMaestro(four: number): boolean {
  return [5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763].includes(four);
}

/** ISO/IEC 7812-1 annex B. Separators are passed over. */
function passesLuhn(text: string, start: number, end: number): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let index = end - 1; index >= start; index -= 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0) continue;
    sum += isDoubled ? digit * 2 - (digit > 4 ? 9 : 0) : digit;
    isDoubled = !isDoubled;
  }
  return sum % 10 === 0;
}

/** Groups of a UUID (8-4-4-4-12) that happen to be all digits must not pass for a card. */
function isInsideUuid(text: string, start: number, end: number): boolean {
  return [0, 9, 14, 19, 24].some((offset) => {
    const from = start - offset;
    return from >= 0 && from + 36 >= end && isUuid(text, from);
  });
}

function isUuid(text: string, from: number): boolean {
  for (let index = 0; index < 36; index += 1) {
    const code = text.charCodeAt(from + index);
    const isHyphenPlace = index === 8 || index === 13 || index === 18 || index === 23;
    if (isHyphenPlace ? code !== 45 : !isHex(code)) return false;
  }
  return true;
}
