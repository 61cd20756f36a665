/** E-mail addresses, found from their `@` (or `%40`) by looking a bounded way to both sides. */
import { isAlphanumeric, isDigit, isHex, isLetter } from "./characters.ts";
import { emailMark } from "./marks.ts";
import type { Span } from "./marks.ts";

/** RFC 5321 section 4.5.3.1: 64 octets before the `@`, 255 after it. */
const localLimit = 64;
const domainLimit = 255;

/** Last labels that look like a domain's but name files and systemd units: `logo@2x.png`, `getty@tty1.service`. None is a TLD. */
const notDomains =
  " png jpg jpeg gif webp svg css js mjs cjs jsx tsx json yaml yml toml html htm txt log csv xml lock map " +
  "service socket target timer slice scope mount automount swap device path ";

/** The address around the `@` at `at`, which is `atLength` characters long (3 for `%40`). */
export function matchEmail(text: string, at: number, atLength: number): Span | undefined {
  const end = domainEnd(text, at + atLength);
  if (end === -1) return undefined;
  const start = localStart(text, at);
  if (start === at) return undefined;
  // scp-like `git@host:path` names a repository, and nobody's mailbox.
  if (text.charCodeAt(end) === 58 && text.slice(start, at) === "git") return undefined;
  return { start, end, mark: emailMark };
}

function localStart(text: string, at: number): number {
  const stop = Math.max(0, at - localLimit);
  if (text.charCodeAt(at - 1) === 34) return quotedStart(text, at, stop);
  let start = at;
  while (start > stop && isLocal(text, start - 1)) start -= 1;
  if (start > 0) start = Math.min(at, start + escapeTail(text, start));
  while (start < at && text.charCodeAt(start) === 46) start += 1;
  return start;
}

/** RFC 5322's quoted local part, `"john doe"@example.org`, without the punctuation that would make it JSON around an `"@`. */
function quotedStart(text: string, at: number, stop: number): number {
  for (let index = at - 2; index >= stop; index -= 1) {
    if (text.charCodeAt(index) === 34 && text.charCodeAt(index - 1) !== 92)
      return index === at - 2 ? at : index;
    if (text.charCodeAt(index) !== 32 && !isLocal(text, index)) return at;
  }
  return at;
}

function isLocal(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (isAlphanumeric(code) || code === 46 || code === 95 || code === 45 || code === 43 || code === 37)
    return true;
  if (code === 39) return isLetter(text.charCodeAt(index - 1)) && isLetter(text.charCodeAt(index + 1));
  return isInternational(code);
}

/**
 * After a back-slash the first characters belong to an escape (`\n`, `\u00e9`), not to the address. The longest local part may
 * begin in the middle of one.
 */
function escapeTail(text: string, start: number): number {
  for (let back = 1; back <= 5; back += 1) {
    if (text.charCodeAt(start - back) !== 92) continue;
    const isUnicode =
      (text.charCodeAt(start - back + 1) | 32) === 117 && isHex(text.charCodeAt(start - back + 2));
    return isUnicode ? 6 - back : back === 1 ? 1 : 0;
  }
  return 0;
}

/** Letters beyond ASCII (RFC 6531); without punctuation blocks, surrogates (a pair must not be cut) and full-width forms. */
function isInternational(code: number): boolean {
  if (code < 0xc0) return false;
  return !(code >= 0x2000 && code <= 0x206f) && !(code >= 0x3000 && code <= 0x303f) && code < 0xd800;
}

/** Index after the longest domain that starts at `start`, or -1. A domain has two labels and ends in letters. */
function domainEnd(text: string, start: number): number {
  const stop = Math.min(text.length, start + domainLimit);
  let good = -1;
  let numericLabels = 0;
  for (let index = start, labels = 1; ; labels += 1) {
    const label = index;
    while (index < stop && isDomain(text.charCodeAt(index))) index += 1;
    if (index === label || text.charCodeAt(label) === 45) break;
    if (labels <= 2 && isAll(text, label, index, isDigit)) numericLabels += 1;
    if (labels > 1) good = Math.max(good, topLevelEnd(text, label, index));
    if (text.charCodeAt(index) !== 46) break;
    index += 1;
  }
  // `name@1.2.3-beta.dev` is a version, `logo@2x.png` a file for dense screens.
  if (good === -1 || numericLabels === 2 || isFileName(text, good)) return -1;
  return good;
}

function isDomain(code: number): boolean {
  return isAlphanumeric(code) || code === 45 || isInternational(code);
}

/** Index after the top-level domain at the start of the label, or -1: two letters at least, or punycode, no digit behind. */
function topLevelEnd(text: string, start: number, end: number): number {
  if (text.startsWith("xn--", start)) return end - start > 4 ? end : -1;
  let last = start;
  while (last < end && isTopLevelLetter(text.charCodeAt(last))) last += 1;
  const length = last - start;
  return length >= 2 && length <= 24 && !isDigit(text.charCodeAt(last)) ? last : -1;
}

function isTopLevelLetter(code: number): boolean {
  return isLetter(code) || isInternational(code);
}

function isFileName(text: string, end: number): boolean {
  const extension = text.slice(text.lastIndexOf(".", end - 1) + 1, end).toLowerCase();
  return notDomains.includes(` ${extension} `);
}

function isAll(text: string, start: number, end: number, accepts: (code: number) => boolean): boolean {
  for (let index = start; index < end; index += 1) if (!accepts(text.charCodeAt(index))) return false;
  return true;
}
