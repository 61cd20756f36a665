/** The stretches of time by which dead letters are filtered. Pure. */

export const diedWithin = ["hour", "day", "week"] as const;
export type DiedWithin = (typeof diedWithin)[number];

export const withinLabels: Readonly<Record<DiedWithin, string>> = {
  hour: "Last hour",
  day: "Last 24 hours",
  week: "Last 7 days",
};

const hourMs = 3_600_000;
const spansMs: Readonly<Record<DiedWithin, number>> = { hour: hourMs, day: 24 * hourMs, week: 168 * hourMs };

/** ISO 8601; undefined for any time. */
export function sinceOf(within: DiedWithin | undefined, nowMs: number): string | undefined {
  return within === undefined ? undefined : new Date(nowMs - spansMs[within]).toISOString();
}
