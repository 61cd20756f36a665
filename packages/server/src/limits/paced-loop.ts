/** Work that is done again every so often, and soon after it is asked for, but never more often than it can bear. */
import type { Clock } from "../base/clock.ts";

export interface PacedLoopDeps {
  readonly clock: Clock;
  /** Asked for or not. */
  readonly everyMs: number;
  /** Between two times, however often it is asked for. */
  readonly leastMs: number;
  /** Must not reject. */
  readonly work: () => Promise<void>;
}

export interface PacedLoop {
  start(): void;
  /** Before the next turn it counts once, however often it is said; said while working, there is one more turn. */
  wake(): void;
  /** Resolves when no work is under way any more. May be called twice. */
  stop(): Promise<void>;
}

export function createPacedLoop({ clock, everyMs, leastMs, work }: PacedLoopDeps): PacedLoop {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let woken = new AbortController();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = new AbortController();
      await work();
      await pause(leastMs, stopping.signal);
      await pause(everyMs - leastMs, AbortSignal.any([stopping.signal, woken.signal]));
    }
  }

  /** Ends early when the signal does, which the loop sees. */
  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, signal).catch(() => undefined);
  }

  return {
    start() {
      running = run();
    },
    wake: () => woken.abort(),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
