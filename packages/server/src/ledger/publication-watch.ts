/** Where another process publishes: tells when an outbox key has reached the ledger, which is when its row is gone. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Store } from "../store/store.ts";
import type { Health, Part } from "../supervision/part.ts";
import { createBell } from "./bell.ts";
import { unavailable } from "./ledger-error.ts";
import { findGone } from "./outbox-rows.ts";
import { createWaiters } from "./waiters.ts";

export interface PublicationWatch extends Part {
  /**
   * As the publisher's: call it after the batch that inserted the row has resolved. Waits as long as nobody publishes, because
   * an unsafe act without its proof is worse than a late one. Rejects with LEDGER_UNAVAILABLE (stopped) or the signal's reason.
   */
  published(key: string, signal?: AbortSignal): Promise<void>;
}

/** The publisher's commit wakes the watch; this often it looks all the same while somebody waits. */
const lookMs = 100;
/** A publisher that dies is followed by another within its lease; waiting longer than this deserves a word. */
const patienceMs = 10_000;

export function createPublicationWatch(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}): PublicationWatch {
  const { store, clock } = deps;
  const waiters = createWaiters();
  const bell = createBell(clock);
  let isStopped = false;
  let removeListener = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let waitingSinceMs: number | undefined;

  async function run(): Promise<void> {
    while (!isStopped) {
      const keys = waiters.keys();
      if (keys.length === 0) waitingSinceMs = undefined;
      else waitingSinceMs ??= clock.monotonic();
      try {
        const gone = await findGone(store, keys);
        if (gone.length > 0) waitingSinceMs = undefined;
        for (const key of gone) waiters.resolve(key);
      } catch (error) {
        // The database is away for a moment; whoever waits goes on waiting.
        deps.logger.debug({ error: errorMessage(error) }, "the outbox could not be looked at");
      }
      await bell.wait(waiters.keys().length > 0 ? lookMs : idleMs);
    }
  }

  return {
    name: "ledger",
    start() {
      // Publishing moves this row on in the commit that takes rows out of the outbox.
      removeListener = store.onCommit("ledger_position", () => waiters.keys().length > 0 && bell.ring());
      running = run();
      return Promise.resolve();
    },
    async stop() {
      isStopped = true;
      removeListener();
      bell.ring();
      await running;
      waiters.rejectAll(unavailable("it is stopped"));
    },
    health: (): Health => {
      const waitedMs = waitingSinceMs === undefined ? 0 : clock.monotonic() - waitingSinceMs;
      if (waitedMs < patienceMs) return { kind: "ok", detail: "a gateway publishes" };
      const detail = `no gateway has published for ${Math.round(waitedMs / 1000)} s; unsafe actions wait for it`;
      return { kind: "degraded", detail };
    },
    async published(key, signal) {
      if (isStopped) throw unavailable("it is stopped");
      const waiting = waiters.wait(key, signal);
      bell.ring();
      await waiting;
    },
  };
}

/** Nobody waits: the bell is rung by who begins to. */
const idleMs = 60_000;
