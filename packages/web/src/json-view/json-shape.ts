/** Decides how a JSON value is laid out: on one line, as a block, or folded. */
import { formatCount } from "../format/quantity.ts";

export type FoldedText =
  | { readonly kind: "line" }
  /** `rest` says how long the whole is; null when `start` is all of it. */
  | { readonly kind: "block"; readonly start: string; readonly rest: string | null };

const lineLength = 160;
const blockLines = 14;
const blockLength = 1_200;

/** Short single lines stay in place; the rest becomes a block that shows its first lines. */
export function foldText(text: string): FoldedText {
  if (!text.includes("\n") && text.length <= lineLength) return { kind: "line" };
  const lines = text.split("\n");
  const start = lines.slice(0, blockLines).join("\n").slice(0, blockLength);
  if (start.length === text.length) return { kind: "block", start, rest: null };
  const rest =
    lines.length > blockLines ? formatCount(lines.length, "line") : formatCount(text.length, "character");
  return { kind: "block", start: `${start}…`, rest };
}

/** A list that reads well on one line: few plain values, not much text. */
export function isShortList(items: readonly unknown[]): boolean {
  if (items.length > 8) return false;
  const isPlain = items.every(
    (item) => item === null || ["string", "number", "boolean"].includes(typeof item),
  );
  return isPlain && items.map(String).join("").length <= 72;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
