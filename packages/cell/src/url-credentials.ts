/** User and password inside a URL's authority (RFC 3986 section 3.2): `postgres://user:password@host`. */
import { isDigit } from "./characters.ts";
import { emailMark, markLengthAt, passwordMark, tokenMark } from "./marks.ts";
import type { Span } from "./marks.ts";
import { isPlaceholder } from "./placeholders.ts";

export interface UrlCredentials {
  readonly spans: readonly Span[];
  /** Index after the `@`: the host is no part of an e-mail address. */
  readonly end: number;
}

/** How far past the first `/` an unescaped password may reach. */
const looseLimit = 64;

/**
 * The credentials of the authority that starts at `start`, just after `://`. Undefined when it holds no `@`. The look
 * ends at the first `/`, which every later `://` has, so many of them in one text stay linear.
 */
export function matchUrlCredentials(text: string, start: number): UrlCredentials | undefined {
  let at = -1;
  let colon = -1;
  let index = start;
  for (; index < text.length && !isAuthorityEnd(text.charCodeAt(index)); index += 1) {
    const code = text.charCodeAt(index);
    if (code === 64) at = index;
    else if (code === 58 && colon === -1) colon = index;
  }
  if (at === -1) at = looseAt(text, index, colon);
  if (at === -1) return undefined;
  if (colon === -1 || colon > at) return { spans: nameOnly(text, start, at), end: at + 1 };
  const spans: Span[] = [];
  if (namesPerson(text, start, colon)) spans.push({ start, end: colon, mark: emailMark });
  else spans.push(...nameOnly(text, start, colon));
  if (colon + 1 < at && !isPlaceholder(text, colon + 1, at)) {
    spans.push({ start: colon + 1, end: at, mark: passwordMark });
  }
  return { spans, end: at + 1 };
}

function isAuthorityEnd(code: number): boolean {
  return code === 47 || code === 63 || code === 35 || endsUrl(code);
}

/** White space, quotes, angle brackets and the back-slash stand in no URL. */
function endsUrl(code: number): boolean {
  return code <= 32 || code === 34 || code === 39 || code === 96 || code === 60 || code === 62 || code === 92;
}

/** The `@` after a password that holds a bare `/`, `?` or `#`; what follows the colon must not be a port. */
function looseAt(text: string, index: number, colon: number): number {
  if (colon === -1 || endsUrl(text.charCodeAt(index))) return -1;
  let port = colon + 1;
  while (port < index && isDigit(text.charCodeAt(port))) port += 1;
  if (port === index) return -1;
  const stop = Math.min(text.length, index + looseLimit);
  for (let place = index; place < stop; place += 1) {
    const code = text.charCodeAt(place);
    if (endsUrl(code)) return -1;
    if (code === 64) return place;
  }
  return -1;
}

/** A lone user name is a token when it is long and has a digit: `https://TOKEN@host`. `git@` and `alice@` stay. */
function nameOnly(text: string, start: number, end: number): Span[] {
  if (namesPerson(text, start, end)) return [{ start, end, mark: emailMark }];
  if (end - start < 20 || markLengthAt(text, start) > 0) return [];
  for (let index = start; index < end; index += 1) {
    if (isDigit(text.charCodeAt(index))) return [{ start, end, mark: tokenMark }];
  }
  return [];
}

/** The user name is itself an address, plain or percent-encoded. */
function namesPerson(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 64 || (code === 37 && text.startsWith("40", index + 1))) return true;
  }
  return false;
}
