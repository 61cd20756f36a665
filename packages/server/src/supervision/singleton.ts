/** Work that one process of a database does at a time: under a lease, taken over by another when its holder is gone. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isProgrammingError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { acquireLease, releaseLease } from "../store/lease.ts";
import type { HeldLease, LeaseStore } from "../store/lease.ts";
import type { Health, Part } from "./part.ts";

export interface SingletonDeps {
  /** Of the part; the lease is called `singleton/<name>`. */
  readonly name: string;
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This process (`processIdentity`). */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  /**
   * Works until the signal is aborted, because the lease ended or the process stops; then it must end soon. What it rejects with is
   * logged, and somebody begins anew; after an error of our own code a new part does. Must not change what it guards without
   * looking at the signal.
   */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** How long the others wait for a holder of whom nothing is known. Default 10 s. */
  readonly ttlMs?: number;
}

/** How often one that is not the holder looks; a holder that died on the same machine is followed after this time. */
const lookMs = 1_000;

export function createSingleton(deps: SingletonDeps): Part {
  const { name, store, clock, owner, logger } = deps;
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  let running: Promise<void> = Promise.resolve();
  let isHolder = false;
  /** Our own last lease could not be freed; nobody here works under it, so it need not be waited out. */
  let isLeftBehind = false;
  let fault: string | undefined;

  function isGone(other: string): boolean {
    return (isLeftBehind && other === owner) || deps.isOwnerDead(other);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const request = { name: `singleton/${name}`, owner, ttlMs: deps.ttlMs ?? 10_000, now: clock.now() };
        const lease = await acquireLease(store, { ...request, isOwnerDead: isGone });
        if (lease !== undefined) await workUnder(store.holdLease(lease));
        fault = undefined;
      } catch (error) {
        fault = errorMessage(error);
        if (isProgrammingError(error)) return failed.resolve(error);
        if (!stopping.signal.aborted)
          logger.warn({ part: name, error: fault }, "a singleton was interrupted");
      }
      // Rejects when it is stopped, which the loop's condition sees.
      await clock.sleep(lookMs, stopping.signal).catch(() => {});
    }
  }

  async function workUnder(lease: HeldLease): Promise<void> {
    isHolder = true;
    try {
      await deps.work(AbortSignal.any([lease.signal, stopping.signal]));
    } finally {
      isHolder = false;
      isLeftBehind = false;
      await releaseLease(store, lease).catch((error: unknown) => {
        isLeftBehind = true;
        logger.debug({ part: name, error: errorMessage(error) }, "a lease was not freed and is taken again");
      });
    }
  }

  return {
    name,
    failed: failed.promise,
    start() {
      running = run();
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    health: (): Health => {
      if (fault !== undefined) return { kind: "degraded", detail: fault };
      return { kind: "ok", detail: isHolder ? "works here" : "another process does it" };
    },
  };
}
