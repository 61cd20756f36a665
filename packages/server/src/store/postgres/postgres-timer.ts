/** One-shot timers on the Clock, in the thread that writes to PostgreSQL. */
import type { Clock } from "../../base/clock.ts";

/** Calls `act` in `ms` milliseconds; the answer prevents it. `act` must not throw. */
export function startTimer(clock: Clock, ms: number, act: () => void): () => void {
  const stopping = new AbortController();
  // Rounded up, lest a timer that fires a fraction early spins.
  clock.sleep(Math.ceil(Math.max(0, ms)), stopping.signal).then(act, () => {
    // Stopped: nothing is to be done.
  });
  return () => stopping.abort();
}
