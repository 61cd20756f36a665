/**
 * How much of a lease is left, in memory shared by the thread that renews it and the thread that acts under it: a main
 * thread that was busy for longer than the lease still sees the renewals made meanwhile.
 */
import type { Clock } from "../base/clock.ts";

/**
 * Two numbers in whole milliseconds: the end on the monotonic clock and the end on the wall clock. The monotonic clock
 * stands still while the machine sleeps, the wall clock may be set back: the lease has ended when either says so.
 */
export function createLeaseSlot(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT));
}

/** `monotonicMs` and `wallMs` must have been read before the row was written. Both ends are rounded down. */
export function extendSlot(slot: BigInt64Array, monotonicMs: number, wallMs: number, ttlMs: number): void {
  Atomics.store(slot, 0, BigInt(Math.floor(monotonicMs + ttlMs)));
  Atomics.store(slot, 1, BigInt(Math.floor(wallMs + ttlMs)));
}

export function endSlot(slot: BigInt64Array): void {
  Atomics.store(slot, 0, 0n);
  Atomics.store(slot, 1, 0n);
}

/** Milliseconds left, 0 when the lease has ended. */
export function remainingInSlot(slot: BigInt64Array, clock: Clock): number {
  const monotonicMs = Number(Atomics.load(slot, 0)) - clock.monotonic();
  const wallMs = Number(Atomics.load(slot, 1)) - clock.now();
  return Math.max(0, Math.min(monotonicMs, wallMs));
}
