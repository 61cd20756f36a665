/** What a supervisor does about a child that broke down: which children begin anew after which pause, or escalate. Pure. */
import type { Strategy } from "./part.ts";

export interface RestartLimits {
  /** So many breakdowns are answered with a restart within `windowMs`; one more escalates. */
  readonly maxRestarts: number;
  readonly windowMs: number;
  /** Pause before the first restart; doubled for each further one within the window, up to `maxDelayMs`. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/** Five within a minute: a passing fault is over after the 6 s that their pauses add up to; a lasting one is not hidden for long. */
export const defaultRestartLimits: RestartLimits = {
  maxRestarts: 5,
  windowMs: 60_000,
  firstDelayMs: 200,
  maxDelayMs: 10_000,
};

export interface Breakdown {
  readonly strategy: Strategy;
  /** How many children the supervisor has. */
  readonly children: number;
  /** Index of the one that broke down, in the order of start. */
  readonly failed: number;
  /** False for a child that cannot be made anew. */
  readonly isRenewable: boolean;
  /** Times of the restarts so far, any order, any age. */
  readonly restartsAtMs: readonly number[];
  readonly nowMs: number;
  /** 0 to 1. */
  readonly random: number;
}

export type RestartPlan =
  | {
      readonly kind: "restart";
      /** Indexes in the order of start; they are stopped in reverse. */
      readonly affected: readonly number[];
      readonly delayMs: number;
      /** To be remembered: the restarts within the window, this one included. */
      readonly restartsAtMs: readonly number[];
    }
  | { readonly kind: "escalate"; readonly why: "not-renewable" | "too-often" };

export function planRestart(breakdown: Breakdown, limits: RestartLimits): RestartPlan {
  if (!breakdown.isRenewable) return { kind: "escalate", why: "not-renewable" };
  const { nowMs, random } = breakdown;
  // A clock that was set back must not turn old restarts into future ones that never age.
  const recent = breakdown.restartsAtMs.filter((atMs) => Math.abs(nowMs - atMs) < limits.windowMs);
  if (recent.length >= limits.maxRestarts) return { kind: "escalate", why: "too-often" };
  return {
    kind: "restart",
    affected: affectedBy(breakdown),
    delayMs: restartDelay(recent.length, random, limits),
    restartsAtMs: [...recent, nowMs],
  };
}

function affectedBy({ strategy, children, failed }: Breakdown): readonly number[] {
  const all = Array.from({ length: children }, (_, index) => index);
  switch (strategy) {
    case "one-for-one":
      return [failed];
    case "all-for-one":
      return all;
    case "rest-for-one":
      return all.slice(failed);
  }
}

/** Between half of the exponential delay and all of it: processes that fail together should not come back together. */
function restartDelay(earlier: number, random: number, limits: RestartLimits): number {
  const wholeMs = Math.min(limits.maxDelayMs, limits.firstDelayMs * 2 ** earlier);
  return Math.round(wholeMs * (0.5 + random / 2));
}
