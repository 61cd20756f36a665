/** A task's state as the queue sees it: a projection of the run's fold, and the rules by which it moves. Pure. */

export const taskStates = [
  "PENDING",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "WAITING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "DEAD",
] as const;
export type TaskState = (typeof taskStates)[number];

export type WaitingFor = WaitingReason & {
  /** How many other things the run waits for at the same time. */
  readonly more?: number;
  /** When to look again, where that is earlier than `untilMs`: another branch's timer, a step's time limit. */
  readonly wakeAtMs?: number;
};

type WaitingReason =
  | { readonly kind: "approval" | "outcome"; readonly id: string; readonly untilMs: number | null }
  | { readonly kind: "signal"; readonly name: string; readonly untilMs: number | null }
  /** A child run, by id. */
  | { readonly kind: "child"; readonly id: string; readonly untilMs: null }
  | {
      readonly kind: "timer" | "retry";
      readonly untilMs: number;
      /** Why the run is held back, when a guard does so. */
      readonly reason?: string;
    }
  | { readonly kind: "pause" };

/** Lanes: high is always taken before normal, normal before low. */
export const priorities = { high: 0, normal: 1, low: 2 } as const;
export type Priority = keyof typeof priorities;

const firstDelayMs = 1_000;
const maxDelayMs = 5 * 60_000;

/** What becomes of a run whose attempt failed. `attempt` is 1 for the first. */
export type AfterFailure =
  | { readonly kind: "retry"; readonly retryAtMs: number }
  | { readonly kind: "failed" }
  | { readonly kind: "dead" };

/**
 * Only transient failures are tried again: exponential back-off from 1 s to 5 min with full jitter on its upper half
 * (`random` is 0 to 1), so that runs that failed together do not return together. Out of attempts, the run is a dead letter.
 */
export function afterFailure(failure: {
  readonly transient: boolean;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly nowMs: number;
  readonly random: number;
}): AfterFailure {
  if (!failure.transient) return { kind: "failed" };
  if (failure.attempt >= failure.maxAttempts) return { kind: "dead" };
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (failure.attempt - 1));
  return {
    kind: "retry",
    retryAtMs: failure.nowMs + Math.round(delayMs / 2 + (delayMs / 2) * failure.random),
  };
}

export function isEnded(state: TaskState): boolean {
  return state === "COMPLETED" || state === "FAILED" || state === "CANCELLED" || state === "DEAD";
}

/** No retry is ever set for later than this; see `isRetryDue`. */
export const longestRetryMs: number = maxDelayMs;

/**
 * A retry further ahead than any is ever set, or set at a time that has not come yet, was set by a clock that has gone back since;
 * nobody should wait for it.
 */
export function isRetryDue(
  { retryAtMs, setAtMs }: { readonly retryAtMs: number; readonly setAtMs: number },
  nowMs: number,
): boolean {
  return retryAtMs <= nowMs || nowMs < setAtMs || retryAtMs > nowMs + longestRetryMs;
}
