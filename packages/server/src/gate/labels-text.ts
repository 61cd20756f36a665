/** Brings texts into comparable forms: case, spaces, punctuation and invisible signs do not make two values different. */

/** Signs that are not seen: zero-width spaces and joiners, direction marks, soft hyphens, variation selectors, tags. */
export const invisible: RegExp = /\p{Default_Ignorable_Code_Point}/gu;

/** Compatibility form, lower case, without invisible signs, white space as one space. Linear. */
export function normalise(text: string): string {
  return text.normalize("NFKC").replace(invisible, "").toLowerCase().replace(/\s+/g, " ").trim();
}

/** Letters and digits alone, of a normalised text: `GB29 NWBK-6016` and `gb29nwbk6016` are the same. */
export function compact(normalised: string): string {
  return normalised.replace(/[^\p{L}\p{N}]+/gu, "");
}

/** Letters, digits and the signs that hold addresses and names together; at most 256 characters each. */
const tokenPattern = /[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+~%-]{0,255}/gu;
const tail = /[._@+~%-]+$/;

/** The words, numbers and addresses of a normalised text, in order. */
export function tokensOf(normalised: string): string[] {
  return tokenPlaces(normalised).map(({ token }) => token);
}

/** The same with the place each begins at. */
export function tokenPlaces(normalised: string): { readonly token: string; readonly at: number }[] {
  const tokens: { token: string; at: number }[] = [];
  for (const { 0: found, index: at } of normalised.matchAll(tokenPattern)) {
    // A token begins with a letter or digit, so it is never all tail.
    tokens.push({ token: found.replace(tail, ""), at });
  }
  return tokens;
}

/** Numbers of a normalised text that have separators of thousands: `1,200.50` is one number, not two. */
export function groupedNumbersIn(normalised: string): readonly number[] {
  return [...normalised.matchAll(/\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b/g)].flatMap(
    ([found]) => numberOf(found) ?? [],
  );
}

/** A number in one form whatever its dress, so that `1,200.50`, `1200.5` and `$1200.50` are the same; undefined when it is none. */
export function numberOf(token: string): number | undefined {
  if (token.length > 24 || !/^\d/.test(token)) return undefined;
  const plain = token.replace(/(?<=\d),(?=\d{3}(?:\D|$))/g, "");
  if (!/^\d+(?:\.\d+)?$/.test(plain)) return undefined;
  return Number(plain);
}

/** The host of a web address or mail address, without `www.`; undefined when the text is neither. */
export function hostIn(normalised: string): string | undefined {
  const url = /^(?:[a-z][a-z0-9+.-]{1,15}:)?\/\/(?:[^/\s@]{0,200}@)?([^/\s:?#]{1,253})/.exec(normalised)?.[1];
  const bare = /^((?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24})(?:[/:?#]|$)/u.exec(normalised)?.[1];
  return (url ?? bare)?.replace(/^www\./, "");
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Days in a normalised text as `YYYY-MM-DD`; both readings of `03/04/2024`. */
export function daysIn(normalised: string): string[] {
  const days: string[] = [];
  const add = (year: string, month: number, day: number): void => {
    if (month >= 1 && month <= 12 && day >= 1 && day <= 31) days.push(`${year}-${two(month)}-${two(day)}`);
  };
  for (const [, a, b, c] of normalised.matchAll(/\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b/g)) {
    add(a!, Number(b), Number(c));
  }
  for (const [, a, b, year] of normalised.matchAll(/\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b/g)) {
    add(year!, Number(a), Number(b));
    add(year!, Number(b), Number(a));
  }
  for (const [, day, name, year] of normalised.matchAll(
    /\b(\d{1,2})(?:st|nd|rd|th)?\.? ([a-z]{3})[a-z]{0,6}\.?,? (\d{4})\b/g,
  )) {
    add(year!, months.indexOf(name!) + 1, Number(day));
  }
  for (const [, name, day, year] of normalised.matchAll(
    /\b([a-z]{3})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b/g,
  )) {
    add(year!, months.indexOf(name!) + 1, Number(day));
  }
  return days;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
