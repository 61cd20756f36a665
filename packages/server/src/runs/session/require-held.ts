/** The last look before a run's files are touched, which no fence protects. */
import { HomeostatError } from "../../base/error.ts";
import type { HeldLease } from "../../store/lease.ts";

/**
 * Throws LEASE_LOST when another worker may have the run by now. By the lease's own clock: a process that was stopped comes back to what
 * it waited for before its timers tell it that the lease is over, and would undo in the shared folder what the other has done.
 */
export function requireHeld(lease: Pick<HeldLease, "name" | "remainingMs">): void {
  if (lease.remainingMs() > 0) return;
  throw new HomeostatError("LEASE_LOST", `Nothing is left of the lease ${lease.name}`, { lease: lease.name });
}
