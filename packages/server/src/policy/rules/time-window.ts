/** When a rule speaks: days, hours of a time zone, and dates. Pure but for the zone's table, which the runtime brings. */

export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type Weekday = (typeof weekdays)[number];

export interface TimeWindow {
  /** As the explanation says it: "mon to fri, 09:00 to 17:00 Europe/Berlin". */
  readonly text: string;
  /** Null: every day. A window over midnight belongs to the day it begins on. */
  readonly days: ReadonlySet<Weekday> | null;
  /** Minutes since midnight, `to` excluded; `to` below `from` goes over midnight. Null: all day. */
  readonly hours: { readonly from: number; readonly to: number } | null;
  /** Milliseconds since 1970; null: no bound. */
  readonly notBeforeMs: number | null;
  /** Excluded. */
  readonly notAfterMs: number | null;
  readonly localTime: LocalTime;
}

/** What clocks and calendars of one zone show. */
export type LocalTime = (atMs: number) => { readonly day: number; readonly minute: number };

export function isInWindow(window: TimeWindow, atMs: number): boolean {
  const { days, hours, notBeforeMs, notAfterMs } = window;
  if (notBeforeMs !== null && atMs < notBeforeMs) return false;
  if (notAfterMs !== null && atMs >= notAfterMs) return false;
  if (days === null && hours === null) return true;
  const { day, minute } = window.localTime(atMs);
  const isDay = (which: number): boolean => days === null || days.has(weekdays[(which + 7) % 7]!);
  if (hours === null) return isDay(day);
  const { from, to } = hours;
  if (from < to) return minute >= from && minute < to && isDay(day);
  return (minute >= from && isDay(day)) || (minute < to && isDay(day - 1));
}

/** Undefined for a zone the runtime does not know. Remembers the last minute: a formatter takes 3 us, a decision 1 us. */
export function createLocalTime(zone: string): LocalTime | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
    });
  } catch {
    // The runtime's way to say that it does not know the zone.
    return undefined;
  }
  let last = { minuteOfAll: NaN, day: 0, minute: 0 };
  return (atMs) => {
    const minuteOfAll = Math.floor(atMs / 60_000);
    if (minuteOfAll !== last.minuteOfAll) {
      const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
      const day = weekdays.findIndex((name) => name === parts.get("weekday")?.toLowerCase());
      last = { minuteOfAll, day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
    }
    return last;
  };
}

/** ISO 8601 with a zone; undefined for everything else, also for dates that no calendar has. */
export function parseInstant(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}
