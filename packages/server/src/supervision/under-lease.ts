/** One piece of work that one process of a database does at a time: a lease for as long as it takes. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { acquireLease, leaseTtlMs, releaseLease } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";

export interface UnderLeaseDeps {
  /** The lease is called `singleton/<name>`. */
  readonly name: string;
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  /** Ends the work too. */
  readonly signal: AbortSignal;
}

/**
 * Undefined, and nothing done, while another process is at it. The signal that `work` gets is aborted when the lease ends too: then
 * it must end soon, for somebody else may begin. Rejects with what `work` rejects with, and with STORE_UNAVAILABLE.
 */
export async function underLease<T>(
  { name, store, clock, logger, owner, isOwnerDead, signal }: UnderLeaseDeps,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const request = { name: `singleton/${name}`, owner, ttlMs: leaseTtlMs, now: clock.now(), isOwnerDead };
  const lease = await acquireLease(store, request);
  if (lease === undefined) return undefined;
  const held = store.holdLease(lease);
  try {
    return await work(AbortSignal.any([held.signal, signal]));
  } finally {
    // How the work went is what must be known.
    await releaseLease(store, lease).catch((error: unknown) => {
      const fields = { lease: lease.name, error: errorMessage(error) };
      logger.warn(fields, "a lease could not be freed; it ends by itself");
    });
  }
}
