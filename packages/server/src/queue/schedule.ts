/** What a schedule does when its time has come: which times run, which are passed over, and when to look again. Pure. */
import type { ScheduleTimes } from "./schedule-times.ts";

/** About times that passed while nothing could run them: `once` runs for all of them together. */
export const missedPolicies = ["skip", "once", "all"] as const;
export type MissedPolicy = (typeof missedPolicies)[number];

/** About a time that comes while the run before goes on: `queue` lets one of them wait for its end. */
export const overlapPolicies = ["allow", "skip", "queue"] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** A time that is handled later than this was missed. */
export const graceMs = 60_000;

export interface Due {
  /** Times to run, oldest first. */
  readonly fire: readonly number[];
  /** Times that are passed over; of very many only the latest. */
  readonly passed: readonly number[];
  /** The next time to come; null: never again. */
  readonly nextAtMs: number | null;
}

export interface DueRequest {
  readonly times: ScheduleTimes;
  /** The first time that was not handled yet. */
  readonly nextAtMs: number;
  readonly nowMs: number;
  readonly missed: MissedPolicy;
  /** With `all`: the most times that are made up for; older ones are passed over. */
  readonly cap: number;
}

export function dueTimes({ times, nextAtMs, nowMs, missed, cap }: DueRequest): Due {
  const due = times.upTo(nowMs, cap + 1).filter((atMs) => atMs >= nextAtMs);
  const late = due.filter((atMs) => nowMs - atMs > graceMs);
  const fire = chosen(due, late, { missed, cap });
  return {
    fire,
    passed: due.filter((atMs) => !fire.includes(atMs)),
    nextAtMs: times.after(nowMs),
  };
}

function chosen(
  due: readonly number[],
  late: readonly number[],
  { missed, cap }: Pick<DueRequest, "missed" | "cap">,
): readonly number[] {
  const onTime = due.filter((atMs) => !late.includes(atMs));
  switch (missed) {
    case "skip":
      return onTime;
    case "once":
      // A time that has just come makes up for those before it.
      return onTime.length > 0 ? onTime : late.slice(-1);
    case "all":
      return due.slice(-cap);
  }
}

export type OverlapVerdict = "run" | "wait" | "pass";

/** `isWaiting`: another time of this schedule waits for the end of the run before already. */
export function overlapVerdict(
  policy: OverlapPolicy,
  { isActive, isWaiting }: { readonly isActive: boolean; readonly isWaiting: boolean },
): OverlapVerdict {
  if (policy === "allow") return "run";
  if (policy === "skip") return isActive ? "pass" : "run";
  if (isWaiting) return "pass";
  return isActive ? "wait" : "run";
}
