/** Character classes by code unit, as comparisons: they inline, and need no table at import time. */

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

export function isAlphanumeric(code: number): boolean {
  return isDigit(code) || isLetter(code);
}

/** Letters, digits and `_`. */
export function isWord(code: number): boolean {
  return isAlphanumeric(code) || code === 95;
}

/** The alphabet of base64url: word characters and `-`. */
export function isBase64Url(code: number): boolean {
  return isWord(code) || code === 45;
}

export function isHex(code: number): boolean {
  const lower = code | 32;
  return isDigit(code) || (lower >= 97 && lower <= 102);
}

/** ASCII white space and controls, and the no-break space. */
export function isSpace(code: number): boolean {
  return code <= 32 || code === 127 || code === 160;
}

/** `"`, `'` or a back-tick. */
export function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 96;
}

/** First index from `start` on where `accepts` says no, at most `limit`. */
export function runEnd(
  text: string,
  start: number,
  limit: number,
  accepts: (code: number) => boolean,
): number {
  const stop = Math.min(limit, text.length);
  let index = start;
  while (index < stop && accepts(text.charCodeAt(index))) index += 1;
  return index;
}
