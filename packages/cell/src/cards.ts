/** Payment card numbers: a digit run that has an issuer's prefix, that issuer's length and the Luhn check digit. */
import { isDigit, isHex, isLetter } from "./characters.ts";
import { cardMark } from "./marks.ts";
import type { Span } from "./marks.ts";

/** ISO/IEC 7812-1: a primary account number has at most 19 digits; the shortest still issued (Maestro) has 12. */
const longest = 19;
const shortest = 12;

/**
 * The card number that starts at `start`, which must be the first digit of a run. Groups may be parted by single spaces
 * or single hyphens, but then the first has four digits, as cards are printed. Looks at most 37 characters ahead.
 */
export function matchCard(text: string, start: number): Span | undefined {
  if (isFraction(text, start)) return undefined;
  const { digits, ends } = readDigits(text, start);
  for (let count = digits.length; count >= shortest; count -= 1) {
    const end = ends[count];
    if (end === undefined || !isIssued(digits, count) || !passesLuhn(digits, count)) continue;
    return isInsideUuid(text, start, end) ? undefined : { start, end, mark: cardMark };
  }
  return undefined;
}

/** The digits, and for each count of digits that ends a whole group the index after it. */
function readDigits(text: string, start: number): { digits: number[]; ends: (number | undefined)[] } {
  const digits: number[] = [];
  const ends: (number | undefined)[] = [];
  let separator = 0;
  let index = start;
  let groupStart = start;
  for (;;) {
    const code = text.charCodeAt(index);
    if (isDigit(code)) {
      if (digits.length === longest) return { digits, ends };
      digits.push(code - 48);
      index += 1;
      continue;
    }
    if (index === groupStart) return { digits, ends };
    const isFirstGroup = groupStart === start;
    const groupLength = index - groupStart;
    if (!isFirstGroup && groupLength < 3) return { digits, ends };
    if (isLetter(code) || (code === 46 && isDigit(text.charCodeAt(index + 1)))) return { digits, ends };
    ends[digits.length] = index;
    const maySeparate = code === 32 || code === 45;
    if (!maySeparate || (separator !== 0 && separator !== code)) return { digits, ends };
    if (isFirstGroup && groupLength !== 4) return { digits, ends };
    separator = code;
    index += 1;
    groupStart = index;
  }
}

/** Digits after a decimal point are a fraction, not a card. A mark before the point may have hidden a digit. */
function isFraction(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== 46) return false;
  const before = text.charCodeAt(start - 2);
  return isDigit(before) || before === 93;
}

/** Issuer ranges and lengths as the networks publish them (Visa, Mastercard, Amex, Discover, Diners, JCB, UnionPay, Maestro, Mir). */
function isIssued(digits: readonly number[], count: number): boolean {
  const one = digits[0]!;
  const two = one * 10 + digits[1]!;
  const three = two * 10 + digits[2]!;
  const four = three * 10 + digits[3]!;
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

/** ISO/IEC 7812-1 annex B. */
function passesLuhn(digits: readonly number[], count: number): boolean {
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    const digit = digits[count - 1 - index]!;
    sum += index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
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
