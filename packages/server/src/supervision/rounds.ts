/** A part that does the same work again and again: a failed round is told of and tried again, a fault of our own ends the part. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isProgrammingError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Health, Part } from "./part.ts";

export interface RoundsDeps {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Until the first round has ended. */
  readonly health: Health;
  /** Called again and again, never twice at once; ends soon after the signal is aborted. */
  readonly round: (signal: AbortSignal) => Promise<Round>;
  /** After a round that failed. */
  readonly retryMs: number;
  /** What a failed round means for people, for the log: "a backup failed; it is tried again". */
  readonly failure: string;
  /** Before the error's text in the part's health. */
  readonly prefix?: string;
}

export interface Round {
  /** How the part is after this round. Absent: as before it, unless that was bad. */
  readonly health?: Health;
  readonly nextInMs: number;
}

/** The first round begins at the start. Stopping waits for the round under way until the deadline. */
export function createRounds(deps: RoundsDeps): Part {
  const { name, clock, logger, prefix = "" } = deps;
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  let running: Promise<void> = Promise.resolve();
  let good = deps.health;
  let fault: Health | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let waitMs = deps.retryMs;
      try {
        const { health = good, nextInMs } = await deps.round(stopping.signal);
        good = health;
        fault = undefined;
        waitMs = nextInMs;
      } catch (error) {
        fault = { kind: "degraded", detail: prefix + errorMessage(error) };
        if (isProgrammingError(error)) return failed.resolve(error);
        logger.error({ part: name, error: errorMessage(error) }, deps.failure);
      }
      // Rejects when the part is stopped, which the loop's condition sees.
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
    }
  }

  return {
    name,
    failed: failed.promise,
    start() {
      running = run();
      return Promise.resolve();
    },
    async stop(deadlineMs) {
      stopping.abort();
      const timer = new AbortController();
      await Promise.race([running, clock.sleep(deadlineMs, timer.signal).catch(() => undefined)]);
      timer.abort();
    },
    health: () => fault ?? good,
  };
}
