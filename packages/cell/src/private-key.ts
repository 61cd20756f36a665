/** PEM private keys (RFC 7468, OpenSSH, PGP), whole or cut off. */
import { isAlphanumeric, isSpace } from "./characters.ts";
import { privateKeyMark } from "./marks.ts";
import type { Span } from "./marks.ts";

/** No private key in use is longer: a 16384-bit RSA key is 13 KB of PEM. */
const longest = 32_768;
/** `-----BEGIN ENCRYPTED PRIVATE KEY-----` and its kin; the label is never longer. */
const labelLimit = 64;

/** The private key whose first hyphen is at `start`; also one without its end, as in a clamped log line. */
export function matchPrivateKey(text: string, start: number): Span | undefined {
  if (!text.startsWith("-----BEGIN ", start)) return undefined;
  const label = text.slice(start + 11, start + 11 + labelLimit);
  const dashes = label.indexOf("-----");
  const name = dashes === -1 ? label : label.slice(0, dashes);
  if (!name.includes("PRIVATE KEY")) return undefined;
  const body = dashes === -1 ? start + 11 + name.indexOf("PRIVATE KEY") + 11 : start + 11 + dashes + 5;
  return { start, end: keyEnd(text, body), mark: privateKeyMark };
}

/** Everything looked at is either consumed by the span or a constant, so many openings in one text stay linear. */
function keyEnd(text: string, body: number): number {
  const stop = Math.min(text.length, body + longest);
  let index = body;
  while (index < stop && isBody(text.charCodeAt(index))) {
    if (text.startsWith("-----END ", index)) return footerEnd(text, index + 9);
    index += 1;
  }
  // Back-slashes before the quote that cut the key off belong to the quote.
  while (text.charCodeAt(index - 1) === 92) index -= 1;
  return index;
}

/** Base64, the header lines of old formats, white space, and the back-slash of escaped line ends. */
function isBody(code: number): boolean {
  if (isAlphanumeric(code) || isSpace(code)) return true;
  return [43, 47, 61, 45, 92, 58, 44, 46, 40, 41, 64, 95].includes(code);
}

function footerEnd(text: string, index: number): number {
  const dashes = text.slice(index, index + labelLimit).indexOf("-----");
  return dashes === -1 ? Math.min(text.length, index + labelLimit) : index + dashes + 5;
}
