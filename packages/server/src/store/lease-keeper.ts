/** The main thread's side of held leases: what is left of each, and a signal that is aborted when nothing is. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createLeaseSlot, endSlot, extendSlot, remainingInSlot } from "./lease-slot.ts";
import type { HeldLease, Lease, LeaseKeeper } from "./lease.ts";
import type { WireLease } from "./wire.ts";

export interface SlotLeaseKeeper extends LeaseKeeper {
  /** The renewing thread found that another has taken the lease. */
  lost(name: string, epoch: number): void;
  /** Ends all: the renewing thread is gone. */
  stop(): void;
}

export interface LeaseKeeperDeps {
  readonly clock: Clock;
  /** Tell the renewing thread. Must not throw. */
  readonly startRenewal: (lease: WireLease) => void;
  readonly endRenewal: (name: string, epoch: number) => void;
}

/** Renewal starts at the end of the event loop's turn: what is held and dropped within one turn needs no thread and no timer. */
export function createLeaseKeeper({ clock, startRenewal, endRenewal }: LeaseKeeperDeps): SlotLeaseKeeper {
  const enders = new Map<string, (lost: HomeostatError) => void>();
  let starters: (() => void)[] = [];
  // Every lease that ends as it should is dropped: one error for all of them, because its stack costs more than the rest of the end.
  const dropped = new HomeostatError("LEASE_LOST", "The lease was dropped by its holder");
  return {
    holdLease,
    dropLease: ({ name, epoch }) => enders.get(key(name, epoch))?.(dropped),
    lost: (name, epoch) => enders.get(key(name, epoch))?.(lostLease({ name, epoch }, "was taken over")),
    stop: () => {
      const closed = new HomeostatError(
        "LEASE_LOST",
        "Leases are no longer renewed, because the store was closed",
      );
      for (const ender of [...enders.values()]) ender(closed);
    },
  };

  function holdLease(lease: Lease): HeldLease {
    const { name, owner, epoch, ttlMs, untilMs } = lease;
    const slot = createLeaseSlot();
    // Since acquisition some of it may have passed; the wall clock says how much.
    extendSlot(slot, clock.monotonic(), clock.now(), untilMs - clock.now());
    const aborter = new AbortController();
    let watching: AbortController | undefined;
    function ender(lost: HomeostatError): void {
      enders.delete(key(name, epoch));
      endSlot(slot);
      // With a reason of ours: the one made without is an exception with a stack, for every lease that ever ends.
      aborter.abort(lost);
      if (watching === undefined) return;
      endRenewal(name, epoch);
      watching.abort(lost);
    }
    enders.set(key(name, epoch), ender);
    atEndOfTurn(() => {
      if (aborter.signal.aborted) return;
      watching = new AbortController();
      startRenewal({ name, owner, epoch, ttlMs, slot });
      void watch(slot, watching.signal, () => ender(lostLease(lease, "ended before it could be renewed")));
    });
    const { signal } = aborter;
    // A renewal under way may still extend the slot after the end was told, and an end is final.
    return { ...lease, signal, remainingMs: () => (signal.aborted ? 0 : remainingInSlot(slot, clock)) };
  }

  function atEndOfTurn(start: () => void): void {
    if (starters.push(start) > 1) return;
    setImmediate(() => {
      const due = starters;
      starters = [];
      for (const each of due) each();
    });
  }

  /** Sleeps until the end, which renewals move on meanwhile. */
  async function watch(slot: BigInt64Array, signal: AbortSignal, onEnd: () => void): Promise<void> {
    try {
      for (let leftMs = remainingInSlot(slot, clock); leftMs > 0; leftMs = remainingInSlot(slot, clock)) {
        // Rounded up, lest a timer that fires a fraction early spins.
        await clock.sleep(Math.ceil(leftMs), signal);
      }
      if (!signal.aborted) onEnd();
    } catch {
      // The sleep was aborted: the lease ended in another way, which has told the holder.
    }
  }
}

function lostLease({ name, epoch }: Pick<Lease, "name" | "epoch">, why: string): HomeostatError {
  return new HomeostatError("LEASE_LOST", `The lease ${name} ${why}`, { name, epoch });
}

function key(name: string, epoch: number): string {
  return `${epoch} ${name}`;
}
