/** Finds values of secrets that were rewritten: encoded, reversed, taken apart by other signs, or split over two texts. Pure. */
import { createNeedleSearch, shortestNeedle } from "./needle-search.ts";

/** Letters and digits a value, or an encoding of it, must have to be looked for between other signs. */
export const shortestDisguised = 12;

/** Letters and digits a value must have to be put together from two parts, which have at least `shortestPart`. */
const shortestSplit = 16;
const shortestPart = 4;

/** For each of `values` whether one of its disguises stands in `texts`. Linear in the texts, whatever the number of values. */
export function createDisguiseSearch(
  values: readonly string[],
): (texts: readonly string[]) => ReadonlySet<string> {
  const whole = collect(values, disguisesOf);
  const parts = collect(values, endsOf);
  const search = createNeedleSearch([...new Set([...whole.keys(), ...parts.keys()])]);
  return (texts) => {
    const decoded = texts.filter((text) => escapes.test(text)).map(decodeEscapes);
    const { needles, stripped } = search([...texts, ...decoded]);
    const found = new Set<string>();
    const suspects = new Set<string>();
    for (const needle of needles) {
      for (const value of whole.get(needle) ?? []) found.add(value);
      for (const value of parts.get(needle) ?? []) suspects.add(value);
    }
    // Only now, for beginnings and ends of values are rare.
    for (const value of suspects)
      if (!found.has(value) && isSplit(strip(value), stripped())) found.add(value);
    return found;
  };
}

/**
 * Each disguise as it looks without the signs between letters and digits, so that `4a:4b`, `\x4a\x4b`, `4A 4B` and lines of 76
 * signs are no others. Those with fewer letters and digits than `shortestDisguised` are left out.
 */
export function disguisesOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const wide = Buffer.from(value, "utf16le");
  const codes = [...bytes];
  const hex = codes.map((code) => code.toString(16).padStart(2, "0"));
  const units = Array.from({ length: value.length }, (_, at) =>
    value.charCodeAt(at).toString(16).padStart(4, "0"),
  );
  const forms = [
    value,
    [...value].toReversed().join(""),
    ...[hex.join(""), hex.map((each) => `x${each}`).join(""), hex.map((each) => `0x${each}`).join("")],
    ...[
      wide.toString("hex"),
      units.map((each) => `u${each}`).join(""),
      units.map((each) => `u${each.replace(/^0+/, "")}`).join(""),
    ],
    // `&#74;`, `[74, 75]`, `\112`.
    codes.join(""),
    codes.map((code) => code.toString(8).padStart(3, "0")).join(""),
    ...[0, 1, 2].map((offset) => alignedBase64(bytes, offset)),
    ...[0, 1, 2].map((offset) => alignedBase64(wide, offset)),
    ...[0, 1, 2, 3, 4].map((offset) => alignedBase32(bytes, offset)),
  ].map(strip);
  const cases = forms.flatMap((form) => (/^[0-9a-fux]+$/.test(form) ? [form, upper(form)] : [form]));
  const base32 = forms.slice(-5).map((form) => form.toLowerCase());
  return [...new Set([...cases, ...base32])].filter((form) => form.length >= shortestDisguised);
}

/** Digits of numbers in capitals, their prefixes as they were: `\x4A`, `\u004A`. */
function upper(hex: string): string {
  return hex.replace(/[a-f]/g, (sign) => sign.toUpperCase());
}

/** Either the first or the second part of a value that was split has its first or last eight signs. */
function endsOf(value: string): readonly string[] {
  const stripped = strip(value);
  if (stripped.length < shortestSplit) return [];
  return [stripped.slice(0, shortestNeedle), stripped.slice(-shortestNeedle)];
}

/** Whether the value is a beginning and an end that stand in `text`, in any order and anywhere. */
function isSplit(value: string, text: string): boolean {
  const longest = (part: (length: number) => string): number => {
    let found = 0;
    let missing = value.length + 1;
    while (missing - found > 1) {
      const middle = (found + missing) >> 1;
      if (text.includes(part(middle))) found = middle;
      else missing = middle;
    }
    return found;
  };
  const beginning = Math.min(
    longest((length) => value.slice(0, length)),
    value.length - shortestPart,
  );
  if (beginning < shortestPart) return false;
  return longest((length) => value.slice(value.length - length)) >= value.length - beginning;
}

/** Letters and digits of ASCII. */
export function strip(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "");
}

function collect(
  values: readonly string[],
  formsOf: (value: string) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const valuesOf = new Map<string, string[]>();
  for (const value of values)
    for (const form of formsOf(value)) valuesOf.set(form, [...(valuesOf.get(form) ?? []), value]);
  return valuesOf;
}

/** What base64 of the bytes looks like in the middle of something longer: RFC 4648 codes 3 bytes in 4 characters. */
export function alignedBase64(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const first = Math.ceil((offset * 8) / 6);
  // The last character depends on what follows unless the bytes fill it.
  const last = Math.floor((padded.length * 8) / 6);
  return padded.toString("base64").slice(first, last);
}

/** The same for base32: 5 bytes in 8 characters. */
export function alignedBase32(bytes: Buffer, offset: number): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const byte of [...new Uint8Array(offset), ...bytes]) {
    bits = ((bits << 8) | byte) & 0xfff;
    for (count += 8; count >= 5; count -= 5) text += base32Signs[(bits >> (count - 5)) & 31];
  }
  return text.slice(Math.ceil((offset * 8) / 5));
}
const base32Signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Where single signs were escaped, in addresses, HTML, JSON and source code. */
const escapes =
  /%[0-9A-Fa-f]{2}|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);|\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2})/;

/** Decoded once; bytes beyond ASCII do not count among letters and digits. */
function decodeEscapes(text: string): string {
  return text.replace(new RegExp(escapes, "g"), (escape) => {
    // Names of HTML stand for signs that are no letters.
    if (/^&[a-z]/.test(escape)) return "";
    const isDecimal = /^&#[0-9]/.test(escape);
    const isOctal = /^\\[0-7]/.test(escape);
    // Every other escape ends with its digits.
    const digits = /([0-9A-Fa-f]+)[;}]?$/.exec(escape)![1]!;
    const code = parseInt(digits, isDecimal ? 10 : isOctal ? 8 : 16);
    return code < 128 ? String.fromCharCode(code) : "";
  });
}
