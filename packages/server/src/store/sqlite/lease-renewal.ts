/** Renews held leases on the writer thread: due ones together in one transaction, long before they end. */
import type { Clock } from "../../base/clock.ts";
import { runStatement } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { endSlot, extendSlot } from "../lease-slot.ts";
import type { WireLease } from "../wire.ts";

export interface LeaseRenewal {
  hold(lease: WireLease): void;
  drop(name: string, epoch: number): void;
  /**
   * Renews what is due and returns the milliseconds until the next is, undefined when none is held. Never throws: what
   * could not be renewed is tried again soon, and ends by itself if that goes on.
   */
  renewDue(): number | undefined;
}

interface Held {
  readonly lease: WireLease;
  dueMs: number;
}

/** `onLost` is told of a lease that another took; it is no longer renewed. Must not throw. */
export function createLeaseRenewal(
  connection: Connection,
  clock: Clock,
  onLost: (name: string, epoch: number) => void,
): LeaseRenewal {
  const held = new Map<string, Held>();
  return {
    hold(lease) {
      held.set(key(lease.name, lease.epoch), { lease, dueMs: clock.monotonic() + lease.ttlMs / 3 });
    },
    drop: (name, epoch) => held.delete(key(name, epoch)),
    renewDue() {
      const startMs = clock.monotonic();
      const due = [...held.values()].filter(({ dueMs }) => dueMs <= startMs);
      if (due.length > 0) renew(due);
      if (held.size === 0) return undefined;
      const nextMs = [...held.values()].reduce((least, { dueMs }) => Math.min(least, dueMs), Infinity);
      return Math.max(0, nextMs - clock.monotonic());
    },
  };

  function renew(due: readonly Held[]): void {
    const { database } = connection;
    const monotonicMs = clock.monotonic();
    const wallMs = clock.now();
    const lost: Held[] = [];
    try {
      database.exec("BEGIN IMMEDIATE");
      // Never shorter than it is: the holder may have reserved time for a long act.
      const update = connection.prepare(
        "UPDATE leases SET until_ms = max(until_ms, ?) WHERE name = ? AND owner = ? AND epoch = ?",
      );
      for (const entry of due) {
        const { name, owner, epoch, ttlMs } = entry.lease;
        const changes = runStatement(update, [Math.floor(wallMs + ttlMs), name, owner, epoch]);
        if (changes === 0) lost.push(entry);
      }
      database.exec("COMMIT");
    } catch {
      // The holder sees it by the time that remains; the cause reaches the log with the next failing write.
      if (database.isTransaction) database.exec("ROLLBACK");
      for (const entry of due) entry.dueMs = clock.monotonic() + entry.lease.ttlMs / 10;
      return;
    }
    for (const entry of due) {
      entry.dueMs = monotonicMs + entry.lease.ttlMs / 3;
      if (!lost.includes(entry)) extendSlot(entry.lease.slot, monotonicMs, wallMs, entry.lease.ttlMs);
    }
    for (const { lease } of lost) {
      held.delete(key(lease.name, lease.epoch));
      endSlot(lease.slot);
      onLost(lease.name, lease.epoch);
    }
  }
}

function key(name: string, epoch: number): string {
  return `${epoch} ${name}`;
}
