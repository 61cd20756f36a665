/** Waits for an act that was told to stop no longer than it may take to end: one that heeds no signal holds nobody up. */
import type { Clock } from "../../base/clock.ts";

/**
 * How long an act may take to end after it was told to. Well within the margin of the lease, so that what became of it is still ours
 * to record.
 */
export const stopGraceMs = 2_000;

export type Stopped<T> =
  | { readonly kind: "ended"; readonly value: T }
  /** It may still be acting; whatever it gives later is nobody's. */
  | { readonly kind: "left-behind" };

/**
 * Rejects as the act does, and at once with the reason of `lost`: without the lease nothing can be recorded. The act itself goes on
 * then, and who takes the run next is told so.
 */
export async function untilStopped<T>(
  acting: Promise<T>,
  {
    signal,
    lost,
    clock,
  }: { readonly signal: AbortSignal; readonly lost: AbortSignal; readonly clock: Clock },
): Promise<Stopped<T>> {
  const gone = Promise.withResolvers<never>();
  const late = Promise.withResolvers<Stopped<T>>();
  const over = new AbortController();
  const leave = (): void => gone.reject(lost.reason as Error);
  const waitOn = (): void => {
    clock.sleep(stopGraceMs, over.signal).then(
      () => late.resolve({ kind: "left-behind" }),
      () => undefined,
    );
  };
  lost.addEventListener("abort", leave, { once: true });
  signal.addEventListener("abort", waitOn, { once: true });
  // A signal that came before raises no event.
  if (lost.aborted) leave();
  else if (signal.aborted) waitOn();
  try {
    const ended = acting.then((value): Stopped<T> => ({ kind: "ended", value }));
    return await Promise.race([ended, gone.promise, late.promise]);
  } finally {
    over.abort();
    lost.removeEventListener("abort", leave);
    signal.removeEventListener("abort", waitOn);
  }
}
