/** The times a cron expression or an interval names, worked out here by the server's own library; the only file that knows it. */
import { Cron } from "croner";

export type NextTimes =
  | { readonly kind: "times"; readonly times: readonly number[] }
  | { readonly kind: "fault"; readonly text: string };

/** The next times after `fromMs` of a wall clock in `timezone` (IANA), in milliseconds since 1970. */
export function nextCronTimes(
  { expression, timezone }: { readonly expression: string; readonly timezone: string },
  fromMs: number,
  count: number,
): NextTimes {
  try {
    // Made as the server makes it: five fields or six, paused so that nothing is started here.
    const cron = new Cron(expression.trim(), { timezone, paused: true, mode: "5-or-6-parts" });
    const times = cron.nextRuns(count, new Date(fromMs)).map((date) => date.getTime());
    return times.length === 0
      ? { kind: "fault", text: "It names no time that exists." }
      : { kind: "times", times };
  } catch (error) {
    return { kind: "fault", text: readable(error) };
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h30m` in milliseconds; null when it is no duration or shorter than a second. */
export function parseInterval(text: string): number | null {
  if (!/^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d))+$/.test(text.trim())) return null;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  const totalMs = parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit ?? ""] ?? 0),
    0,
  );
  return totalMs < 1_000 ? null : Math.round(totalMs);
}

export function nextIntervalTimes(everyMs: number, fromMs: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => fromMs + (index + 1) * everyMs);
}

/** The library names its classes in front of what it says. */
function readable(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^(CronPattern|CronDate|Cron): ?/, "");
}
