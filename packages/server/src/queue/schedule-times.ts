/** When a schedule is due: cron expressions with time zones, and intervals. Pure; the only file that knows the cron library. */
import { Cron } from "croner";
import { errorMessage, HomeostatError } from "../base/error.ts";

export type Timing =
  | {
      readonly kind: "cron";
      /** Five fields (minute hour day month weekday), six with seconds in front, or a name such as `@daily`. */
      readonly expression: string;
      /** IANA name. */
      readonly timezone: string;
    }
  /** Every so often, counted from `anchorMs`. */
  | { readonly kind: "interval"; readonly everyMs: number; readonly anchorMs: number };

/**
 * Around changes of the clock: a cron that names one time of day runs once on every day, after the gap when its time does not exist
 * and the first time when it comes twice. One that repeats within the hours (`*`, lists, steps) follows the real time: nothing
 * in a gap, and both hours when one comes twice.
 */
export interface ScheduleTimes {
  /** The first time after `ms`; null when there is none any more. */
  after(ms: number): number | null;
  /** The latest times up to and including `ms`, at most `limit`, oldest first. */
  upTo(ms: number, limit: number): readonly number[];
}

/** Shorter ones would be a loop, not a schedule. */
export const leastIntervalMs = 1_000;

/** Throws SCHEDULE_INVALID for an expression or time zone that cannot be read, and for a cron that names no time at all. */
export function createTimes(timing: Timing, nowMs: number): ScheduleTimes {
  if (timing.kind === "interval") return intervalTimes(timing);
  const times = cronTimes(timing);
  if (times.after(nowMs) === null && times.upTo(nowMs, 1).length === 0)
    throw invalid(timing, "it names no time that exists");
  return times;
}

function intervalTimes({ everyMs, anchorMs }: Extract<Timing, { kind: "interval" }>): ScheduleTimes {
  const nth = (ms: number): number => Math.floor((ms - anchorMs) / everyMs);
  return {
    after: (ms) => anchorMs + Math.max(1, nth(ms) + 1) * everyMs,
    upTo(ms, limit) {
      const last = nth(ms);
      const count = Math.max(0, Math.min(limit, last));
      return Array.from({ length: count }, (_, index) => anchorMs + (last - count + 1 + index) * everyMs);
    },
  };
}

function cronTimes(timing: Extract<Timing, { kind: "cron" }>): ScheduleTimes {
  const cron = parse(timing);
  return {
    after: (ms) => cron.nextRun(new Date(ms))?.getTime() ?? null,
    // The library's "previous" leaves the time itself out.
    upTo: (ms, limit) =>
      cron
        .previousRuns(limit, new Date(ms + 1_000))
        .map((date) => date.getTime())
        .filter((each) => each <= ms)
        .toReversed(),
  };
}

function parse(timing: Extract<Timing, { kind: "cron" }>): Cron {
  const { expression, timezone } = timing;
  try {
    const cron = new Cron(expression, { timezone, paused: true, mode: "5-or-6-parts" });
    // The time zone is looked at only when a time is worked out.
    cron.nextRun();
    return cron;
  } catch (error) {
    throw invalid(timing, errorMessage(error));
  }
}

function invalid({ expression, timezone }: Extract<Timing, { kind: "cron" }>, why: string): HomeostatError {
  return new HomeostatError(
    "SCHEDULE_INVALID",
    `The cron ${expression} in ${timezone} cannot be used: ${why}`,
    {
      expression,
      timezone,
    },
  );
}
