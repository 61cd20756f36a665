/** Whether a store can be written now: seen in everybody's writes, and asked again by itself as long as it cannot. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isHomeostatError } from "../base/error.ts";
import type { LeaseStore } from "./lease.ts";
import type { Statement } from "./store.ts";

export interface WatchedStore extends LeaseStore {
  /** Why the last write could not be made (disk full, input or output error, no connection); undefined when it could. */
  writeProblem(): string | undefined;
}

export interface WriteWatchDeps {
  readonly clock: Clock;
  /** Changes a row of no meaning. One that touches no row would succeed on a full disk. */
  readonly probe: () => Statement;
  /** How often it is tried while nothing can be written; 500 by default. */
  readonly probeEveryMs?: number;
}

/** A balancer sends nobody where nothing can be written, so nobody else's writes would ever tell that it is over. */
export function watchWrites(
  store: LeaseStore,
  { clock, probe, probeEveryMs = 500 }: WriteWatchDeps,
): WatchedStore {
  const closing = new AbortController();
  let problem: string | undefined;
  let probing: Promise<void> | undefined;

  async function write(batch: readonly Statement[]): ReturnType<LeaseStore["write"]> {
    try {
      const results = await store.write(batch);
      if (batch.length > 0) problem = undefined;
      return results;
    } catch (error) {
      if (isHomeostatError(error, "STORE_UNAVAILABLE")) noteProblem(errorMessage(error));
      throw error;
    }
  }

  function noteProblem(why: string): void {
    if (closing.signal.aborted) return;
    problem = why;
    probing ??= probeUntilWell().finally(() => (probing = undefined));
  }

  async function probeUntilWell(): Promise<void> {
    while (problem !== undefined && !closing.signal.aborted) {
      // Rejects when the store is closed, which the loop's condition sees.
      await clock.sleep(probeEveryMs, closing.signal).catch(() => undefined);
      if (closing.signal.aborted) return;
      // What it fails with is noted by `write`.
      await write([probe()]).catch(() => undefined);
    }
  }

  return {
    ...store,
    write,
    writeProblem: () => problem,
    async close() {
      closing.abort();
      await probing;
      await store.close();
    },
  };
}
