/** A value of one side of a comparison as text. */

/** Longer values are cut: the run's own page shows them whole. */
const longest = 2_000;

/** Null when the side has nothing there. */
export function valueText(value: unknown): string | null {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
