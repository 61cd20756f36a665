/** What the verdict `transform` is made of: the texts a policy wants changed, and what was done to them. Plain data. */

/** `strip`: left out, with a note in its place. `quote`: kept, marked line by line as a stranger's words. */
export const transformHandlings = ["strip", "quote"] as const;
export type TransformHandling = (typeof transformHandlings)[number];

/** With several rules about one text the stronger stands. */
export function strongerTransform(a: TransformHandling, b: TransformHandling): TransformHandling {
  return a === "strip" ? a : b;
}

/** One text among the arguments, and from which score on its untrusted passages are changed. */
export interface PlannedTransform {
  /** As in `message.body`. */
  readonly path: string;
  readonly handling: TransformHandling;
  readonly from: number;
  readonly rule: string;
}

/** What was done to the arguments: where and why, never the text itself. Plain data, as the journal keeps it. */
export interface TransformRecord {
  /** Rules that wanted it. */
  readonly rules: readonly string[];
  readonly changes: readonly TransformedText[];
}

export interface TransformedText {
  readonly path: string;
  readonly handling: TransformHandling;
  /** SHA-256 of the text as it was. */
  readonly digest: string;
  readonly passages: readonly TransformedPassage[];
}

/** Characters `at` to `at + length` (exclusive) of the text as it was. */
export interface TransformedPassage {
  readonly at: number;
  readonly length: number;
  /** 0 to 100. */
  readonly score: number;
  readonly reasons: readonly string[];
}
