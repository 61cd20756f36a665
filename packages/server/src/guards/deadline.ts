/** A deadline on the monotonic clock: a signal for whoever works under it, and what is left of it. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";

export interface Deadline {
  /** Aborted when the time is over (with TIMEOUT as reason) or with the reason of the first of the other signals. */
  readonly signal: AbortSignal;
  /** Milliseconds, 0 when it is over. */
  leftMs(): number;
  /** True when the time ran out, false when one of the other signals came first. */
  hasPassed(): boolean;
  /**
   * Throws TIMEOUT when the time is over by the clock itself, also before the signal says so: a process that was stopped for a while
   * hears of what it waited for before it hears of its timers.
   */
  requireTime(): void;
  /** Lets the timer go; to be called when the work has ended. May be called twice. */
  end(): void;
}

/** `ms` below 0 count as 0. A wall clock that jumps changes nothing. */
export function createDeadline(deps: {
  readonly clock: Clock;
  readonly ms: number;
  readonly others?: readonly AbortSignal[];
}): Deadline {
  const { clock, others = [] } = deps;
  const ms = Math.max(0, Math.floor(deps.ms));
  const endMs = clock.monotonic() + ms;
  const timer = new AbortController();
  const timeout = new AbortController();
  const error = new HomeostatError("TIMEOUT", `The time of ${ms} ms is over`, { ms });
  void clock.sleep(ms, timer.signal).then(
    () => timeout.abort(error),
    () => undefined,
  );
  return {
    signal: AbortSignal.any([timeout.signal, ...others]),
    leftMs: () => Math.max(0, endMs - clock.monotonic()),
    hasPassed: () => timeout.signal.aborted,
    requireTime() {
      if (clock.monotonic() >= endMs) throw error;
    },
    end: () => timer.abort(),
  };
}
