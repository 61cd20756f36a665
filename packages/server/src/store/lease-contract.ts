/** What leases must do on every store, as tests; part of the store's contract. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  acquireLease,
  fence,
  freeLease,
  releaseLease,
  reserveLease,
  shortenLease,
  takeLease,
} from "./lease.ts";
import type { Lease, LeaseStore } from "./lease.ts";

const nobodyIsDead = (): boolean => false;

async function acquire(store: LeaseStore, owner: string, ttlMs = 30_000): Promise<Lease | undefined> {
  return acquireLease(store, { name: "run/1", owner, ttlMs, now: Date.now(), isOwnerDead: nobodyIsDead });
}

async function mustAcquire(store: LeaseStore, owner: string, ttlMs?: number): Promise<Lease> {
  const lease = await acquire(store, owner, ttlMs);
  if (lease === undefined) throw new Error(`${owner} should have got the lease`);
  return lease;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function describeLeases(
  current: () => LeaseStore,
  again: () => Promise<LeaseStore>,
  hasOwnThread: boolean,
): void {
  describe("a lease", () => describeAcquisition(current, again));
  describe("the fence of a lease", () => describeFence(current));
  describe("a lease", () => describeRenewal(current, again, hasOwnThread));
}

function describeAcquisition(current: () => LeaseStore, again: () => Promise<LeaseStore>): void {
  test("is had by one at a time, and the epoch rises with every holder, also over releases", async () => {
    const first = await mustAcquire(current(), "a");
    expect(first).toMatchObject({ name: "run/1", owner: "a", epoch: 1 });
    expect(await acquire(current(), "b")).toBeUndefined();
    expect(await acquire(current(), "a")).toBeUndefined();
    await releaseLease(current(), first);
    expect(await mustAcquire(current(), "b")).toMatchObject({ owner: "b", epoch: 2 });
  });

  test("is taken over once it has ended, or when its owner is provably dead", async () => {
    const now = Date.now();
    const request = { name: "run/1", ttlMs: 1000, isOwnerDead: nobodyIsDead };
    await acquireLease(current(), { ...request, owner: "a", now });
    expect(await acquireLease(current(), { ...request, owner: "b", now: now + 999 })).toBeUndefined();
    const second = await acquireLease(current(), { ...request, owner: "b", now: now + 1000 });
    expect(second?.epoch).toBe(2);
    const third = await acquireLease(current(), {
      ...request,
      owner: "c",
      now: now + 1001,
      isOwnerDead: (owner) => owner === "b",
    });
    expect(third?.epoch).toBe(3);
  });

  test("goes to exactly one of many who ask at once, from two processes", async () => {
    const other = await again();
    for (let round = 1; round <= 5; round += 1) {
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          acquire(index % 2 === 0 ? current() : other, `owner ${index}`),
        ),
      );
      const winners = leases.filter((lease) => lease !== undefined);
      expect(winners).toHaveLength(1);
      expect(winners[0]?.epoch).toBe(round);
      await releaseLease(current(), winners[0]!);
    }
  });

  test("cannot be had while the store cannot be written", async () => {
    const full = new Error("the disk is full");
    const unwritable = { ...current(), write: () => Promise.reject(full) };
    await expect(acquire(unwritable, "a")).rejects.toBe(full);
    await current().close();
    await expect(acquire(current(), "a")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("is released only by its holder", async () => {
    const first = await mustAcquire(current(), "a");
    await current().write([freeLease({ ...first, epoch: 7 }), freeLease({ ...first, owner: "b" })]);
    expect(await acquire(current(), "b")).toBeUndefined();
  });
}

function describeFence(current: () => LeaseStore): void {
  test("lets its holder's batches through and undoes those of every earlier holder", async () => {
    const first = await mustAcquire(current(), "a");
    const note = { sql: "INSERT INTO event (name) VALUES (?)", params: ["x"] };
    await current().write([fence(first), note]);
    await current().write([
      takeLease({ name: first.name, owner: "b", epoch: 2, untilMs: Date.now() + 1000 }),
    ]);
    const conflict = { code: "STORE_CONFLICT", data: { guard: "lease" } };
    await expect(current().write([fence(first), note])).rejects.toMatchObject(conflict);
    await expect(current().write([note, fence(first)])).rejects.toMatchObject(conflict);
    await current().write([fence({ ...first, owner: "b", epoch: 2 }), note]);
    expect(await current().read("SELECT * FROM event")).toHaveLength(2);
  });

  test("a reservation makes it last longer and is given back, never the other way round, and only for its holder", async () => {
    const first = await mustAcquire(current(), "a", 1000);
    const untilMs = async (): Promise<unknown> =>
      (await current().read("SELECT until_ms FROM leases"))[0]?.["until_ms"];
    await current().write([reserveLease(first, first.untilMs + 5000)]);
    await current().write([reserveLease(first, first.untilMs + 1)]);
    expect(await untilMs()).toBe(first.untilMs + 5000);
    const stale = current().write([reserveLease({ ...first, epoch: 9 }, first.untilMs + 9000)]);
    await expect(stale).rejects.toMatchObject({ data: { guard: "lease" } });
    expect(await untilMs()).toBe(first.untilMs + 5000);
    await current().write([shortenLease({ ...first, epoch: 9 }, first.untilMs)]);
    await current().write([shortenLease(first, first.untilMs + 6000)]);
    expect(await untilMs()).toBe(first.untilMs + 5000);
    await current().write([shortenLease(first, first.untilMs + 10)]);
    expect(await untilMs()).toBe(first.untilMs + 10);
  });

  test("refuses a taker who has seen an old epoch, and one before there is a lease", async () => {
    const first = await mustAcquire(current(), "a");
    const conflict = { code: "STORE_CONFLICT", data: { guard: "lease" } };
    await expect(current().write([takeLease(first)])).rejects.toMatchObject(conflict);
    const none = fence({ name: "run/2", owner: "a", epoch: 1 });
    await expect(current().write([none])).rejects.toMatchObject(conflict);
  });
}

function describeRenewal(
  current: () => LeaseStore,
  again: () => Promise<LeaseStore>,
  hasOwnThread: boolean,
): void {
  // Far shorter than in use, to keep the tests short; long enough for a busy machine.
  const ttlMs = 450;
  let lease: Lease;
  beforeEach(async () => {
    lease = await mustAcquire(current(), "a", ttlMs);
  });

  test.runIf(hasOwnThread)(
    "that is held outlives its time to live, also while the main thread is busy",
    async () => {
      const held = current().holdLease(lease);
      expect(held.remainingMs()).toBeGreaterThan(0);
      expect(held.remainingMs()).toBeLessThanOrEqual(ttlMs);
      await pause(1.5 * ttlMs);
      const endMs = performance.now() + 2 * ttlMs;
      while (performance.now() < endMs);
      expect(held.remainingMs()).toBeGreaterThan(0);
      await pause(20);
      expect(held.signal.aborted).toBe(false);
      const other = await again();
      expect(await acquire(other, "b")).toBeUndefined();
      await releaseLease(current(), held);
      expect(held.signal.aborted).toBe(true);
      expect(await mustAcquire(other, "b")).toMatchObject({ epoch: 2 });
    },
  );

  test("that is not held ends by itself", async () => {
    await pause(ttlMs + 10);
    expect(await mustAcquire(current(), "b")).toMatchObject({ epoch: 2 });
  });

  test("that is dropped has nothing left, and its row ends by itself", async () => {
    const held = current().holdLease(lease);
    current().dropLease(held);
    current().dropLease(held);
    expect(held.remainingMs()).toBe(0);
    expect(held.signal.reason).toMatchObject({ code: "LEASE_LOST" });
    await pause(ttlMs + 10);
    expect(await mustAcquire(current(), "b")).toMatchObject({ epoch: 2 });
  });

  test("that another has taken is lost at the next renewal", async () => {
    const held = current().holdLease(lease);
    const kept = current().holdLease((await acquireOther())!);
    const aborted = new Promise((resolve) => held.signal.addEventListener("abort", resolve, { once: true }));
    await current().write([takeLease({ ...lease, owner: "b", epoch: 2 })]);
    await aborted;
    expect(held.remainingMs()).toBe(0);
    expect(held.signal.reason).toMatchObject({ code: "LEASE_LOST", data: { name: "run/1", epoch: 1 } });
    expect(kept.signal.aborted).toBe(false);
    expect(kept.remainingMs()).toBeGreaterThan(0);
  });

  test("that had ended before it was held is lost at once", async () => {
    await pause(ttlMs + 10);
    const held = current().holdLease(lease);
    await pause(1);
    expect(held.remainingMs()).toBe(0);
    expect(held.signal.aborted).toBe(true);
  });

  test("ends for its holder when the store is closed", async () => {
    const held = current().holdLease(lease);
    await current().close();
    expect(held.remainingMs()).toBe(0);
    expect(held.signal.aborted).toBe(true);
  });

  async function acquireOther(): Promise<Lease | undefined> {
    const request = { owner: "a", ttlMs, now: Date.now(), isOwnerDead: nobodyIsDead };
    return acquireLease(current(), { ...request, name: "run/other" });
  }
}
