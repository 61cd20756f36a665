/** A pause before the next try: a short one is slept in place, a longer one lets go of the worker. */
import type { Clock } from "../../base/clock.ts";
import type { RunSession } from "../session/session.ts";
import type { StepResult } from "../journal/step-result.ts";

/** Delays up to this long are slept in place. */
const sleepInPlaceMs = 2_000;

/** "try": the time has come. */
export async function waitForRetry(
  session: RunSession,
  retryAtMs: number,
  deps: { readonly clock: Clock },
): Promise<StepResult | "try"> {
  const leftMs = retryAtMs - deps.clock.now();
  if (leftMs <= 0) return "try";
  if (leftMs > sleepInPlaceMs) return { kind: "wait", waiting: { kind: "timer", untilMs: retryAtMs } };
  const signal = AbortSignal.any([session.interrupt, session.lease.signal]);
  try {
    await deps.clock.sleep(leftMs, signal);
    return "try";
  } catch {
    // Woken by a cancel, a pause or the lease's end; the interpreter looks at which.
    return { kind: "interrupted" };
  }
}
