/** Starts parts in order and stops them in reverse, within one deadline. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Part } from "./part.ts";

export interface RunningParts {
  /** Stops in reverse order. The deadline is for all together; each gets what the ones before it left. Never rejects. */
  stop(deadlineMs: number): Promise<void>;
}

/** When one cannot start, those before it are stopped and its error is thrown on. */
export async function startParts(
  parts: readonly Part[],
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<RunningParts> {
  const started: Part[] = [];
  let stopped: Promise<void> | undefined;
  const running: RunningParts = {
    stop(deadlineMs) {
      stopped ??= stopAll(started, deadlineMs, deps);
      return stopped;
    },
  };
  for (const part of parts) {
    try {
      await part.start();
    } catch (error) {
      await running.stop(giveUpMs);
      throw error;
    }
    started.push(part);
  }
  return running;
}

const giveUpMs = 2_000;
/** Even the last part gets this long: it may be the one that syncs to disk. */
const leastMs = 200;

async function stopAll(
  started: readonly Part[],
  deadlineMs: number,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const endMs = clock.monotonic() + deadlineMs;
  for (const part of started.toReversed()) {
    try {
      await part.stop(Math.max(leastMs, endMs - clock.monotonic()));
    } catch (error) {
      // A part that breaks its promise must not keep the others from stopping.
      logger.error({ part: part.name, error: errorMessage(error) }, "a part did not stop cleanly");
    }
  }
}
