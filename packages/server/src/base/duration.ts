/** Durations as people write them in files: `500ms`, `30s`, `1h30m`, `7d`. */

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitsMs;
const longestFirst: readonly Unit[] = ["d", "h", "m", "s", "ms"];
const durationPattern = /^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d))+$/;
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** What a duration looks like, for messages. */
export const durationForm = "a duration such as 500ms, 30s, 5m, 1h30m or 7d";

/** A year: longer waits are mistakes, and timers beyond it would not be trusted anyway. */
export const longestDurationMs: number = 366 * 86_400_000;

/** Whole milliseconds, or undefined when `text` is no duration or longer than 366 days. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 40 || !durationPattern.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(partPattern)) {
    // Proof of the cast: the pattern names the same units.
    totalMs += Number(amount) * unitsMs[unit as Unit];
  }
  return totalMs <= longestDurationMs ? Math.round(totalMs) : undefined;
}

/** The shortest exact form: 5400000 gives `1h30m`, 0 gives `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const unit of longestFirst) {
    const size = unitsMs[unit];
    if (rest >= size) text += `${Math.floor(rest / size)}${unit}`;
    rest %= size;
  }
  return text === "" ? "0s" : text;
}
