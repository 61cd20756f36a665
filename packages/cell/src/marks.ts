/** The typed marks that stand where something was removed, and the spans that become marks. */

export const emailMark = "[EMAIL_REDACTED]";
export const cardMark = "[CARD_REDACTED]";
export const keyMark = "[KEY_REDACTED]";
export const tokenMark = "[TOKEN_REDACTED]";
export const privateKeyMark = "[PRIVATE_KEY_REDACTED]";
export const passwordMark = "[PASSWORD_REDACTED]";

export type Mark =
  | typeof emailMark
  | typeof cardMark
  | typeof keyMark
  | typeof tokenMark
  | typeof privateKeyMark
  | typeof passwordMark;

/** Half-open range of UTF-16 code units to be replaced by `mark`. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly mark: Mark;
}

/** Length of the mark that stands at `index`, or 0. Marks are opaque: nothing inside one is looked at again. */
export function markLengthAt(text: string, index: number): number {
  // Second letters of the six marks; one look settles nearly every bracket.
  if (text.charCodeAt(index) !== 91 || !"MAEOR".includes(text.charAt(index + 2))) return 0;
  for (const mark of [emailMark, cardMark, keyMark, tokenMark, privateKeyMark, passwordMark]) {
    if (text.startsWith(mark, index)) return mark.length;
  }
  return 0;
}

/**
 * `text` with every span replaced. Overlapping spans become one that covers both and carries the longer one's mark, so
 * that no part of either survives. `spans` may come in any order.
 */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  const sorted = spans.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const pieces: string[] = [];
  let copied = 0;
  for (let index = 0; index < sorted.length;) {
    const first = sorted[index]!;
    let { end, mark } = first;
    let longest = end - first.start;
    for (index += 1; index < sorted.length && sorted[index]!.start < end; index += 1) {
      const next = sorted[index]!;
      if (next.end - next.start > longest) {
        longest = next.end - next.start;
        mark = next.mark;
      }
      end = Math.max(end, next.end);
    }
    pieces.push(text.slice(copied, first.start), mark);
    copied = end;
  }
  pieces.push(text.slice(copied));
  return pieces.join("");
}
