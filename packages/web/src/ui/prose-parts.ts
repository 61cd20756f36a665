/** Splits a sentence at its pairs of backticks. Pure. */

export interface ProsePart {
  readonly text: string;
  readonly isCode: boolean;
}

/** A backtick without its other half, or with nothing between the two, stays as it is: it may come out of somebody's file. */
export function proseParts(text: string): readonly ProsePart[] {
  return text
    .split(/(`[^`\n]+`)/)
    .filter((part) => part !== "")
    .map((part) =>
      /^`[^`\n]+`$/.test(part) ? { text: part.slice(1, -1), isCode: true } : { text: part, isCode: false },
    );
}
