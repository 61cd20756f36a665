import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../base/clock.ts";
import type { ManualClock } from "../../base/clock.ts";
import { openConnection } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { createLeaseKeeper } from "../lease-keeper.ts";
import { createLeaseRenewal } from "./lease-renewal.ts";
import type { LeaseRenewal } from "./lease-renewal.ts";
import { createLeaseSlot, extendSlot, remainingInSlot } from "../lease-slot.ts";
import { leaseMigration, reserveLease } from "../lease.ts";
import { migrateSqlite, sqliteDialect } from "./migrate-sqlite.ts";
import { renderMigrations } from "../migrate.ts";
import type { WireLease } from "../wire.ts";

let clock: ManualClock;
beforeEach(() => {
  clock = createManualClock(1_000_000);
});

describe("the slot of a lease", () => {
  test("has what is left by the clock that says less", () => {
    const slot = createLeaseSlot();
    extendSlot(slot, clock.monotonic(), clock.now(), 300);
    expect(remainingInSlot(slot, clock)).toBe(300);
    // The machine slept: the wall clock went on, the monotonic one did not.
    expect(remainingInSlot(slot, { ...clock, now: () => 1_000_200 })).toBe(100);
    // Somebody set the wall clock back.
    expect(remainingInSlot(slot, { ...clock, now: () => 500_000, monotonic: () => 250 })).toBe(50);
    clock.advance(301);
    expect(remainingInSlot(slot, clock)).toBe(0);
  });
});

describe("renewal", () => {
  let folder: string;
  let connection: Connection;
  let lost: string[];
  let renewal: LeaseRenewal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeostat-lease-"));
    connection = openConnection({ path: join(folder, "state.db"), readOnly: false });
    migrateSqlite(connection, renderMigrations([leaseMigration], sqliteDialect), 0);
    lost = [];
    renewal = createLeaseRenewal(connection, clock, (name) => lost.push(name));
  });
  afterEach(() => {
    connection.close();
    rmSync(folder, { recursive: true });
  });

  function hold(name: string, ttlMs = 300): WireLease {
    connection.database
      .prepare("INSERT INTO leases VALUES (?, 'me', 1, ?)")
      .run(name, BigInt(clock.now() + ttlMs));
    const lease: WireLease = { name, owner: "me", epoch: 1, ttlMs, slot: createLeaseSlot() };
    extendSlot(lease.slot, clock.monotonic(), clock.now(), ttlMs);
    renewal.hold(lease);
    return lease;
  }

  test("is due a third into the time to live, not before", () => {
    expect(renewal.renewDue()).toBeUndefined();
    const lease = hold("a");
    expect(renewal.renewDue()).toBe(100);
    clock.advance(99);
    expect(renewal.renewDue()).toBe(1);
    expect(remainingInSlot(lease.slot, clock)).toBe(201);
    clock.advance(1);
    expect(renewal.renewDue()).toBe(100);
    expect(remainingInSlot(lease.slot, clock)).toBe(300);
    const row = connection.database.prepare("SELECT until_ms FROM leases").get();
    expect(row?.["until_ms"]).toBe(clock.now() + 300);
  });

  test("of one that another took ends it and tells, and the rest goes on", () => {
    const [taken, kept] = [hold("taken"), hold("kept")];
    connection.database.exec("UPDATE leases SET owner = 'other', epoch = 2 WHERE name = 'taken'");
    clock.advance(100);
    renewal.renewDue();
    expect(lost).toEqual(["taken"]);
    expect([remainingInSlot(taken.slot, clock), remainingInSlot(kept.slot, clock)]).toEqual([0, 300]);
    clock.advance(100);
    renewal.renewDue();
    expect(lost).toEqual(["taken"]);
  });

  test("never shortens the time that the holder has reserved for a long act", () => {
    hold("a");
    const untilMs = clock.now() + 60_000;
    const { sql, params } = reserveLease({ name: "a", owner: "me", epoch: 1 }, untilMs);
    connection.database.prepare(sql).run(...(params as number[]));
    clock.advance(100);
    expect(renewal.renewDue()).toBe(100);
    expect(connection.database.prepare("SELECT until_ms FROM leases").get()?.["until_ms"]).toBe(untilMs);
  });

  test("while another process holds the lock is tried again soon", () => {
    hold("a");
    const other = openConnection({ path: join(folder, "state.db"), readOnly: false });
    other.database.exec("BEGIN IMMEDIATE");
    connection.database.exec("PRAGMA busy_timeout = 1");
    clock.advance(100);
    expect(renewal.renewDue()).toBe(30);
    other.close();
    clock.advance(30);
    expect(renewal.renewDue()).toBe(100);
  });

  test("of a dropped one does not happen", () => {
    const lease = hold("a");
    renewal.drop("a", 1);
    clock.advance(100);
    expect(renewal.renewDue()).toBeUndefined();
    expect(remainingInSlot(lease.slot, clock)).toBe(200);
  });

  test("that fails is tried again soon, and what was said before stays true", () => {
    const lease = hold("a");
    connection.database.exec("ALTER TABLE leases RENAME TO elsewhere");
    clock.advance(100);
    expect(renewal.renewDue()).toBe(30);
    expect(remainingInSlot(lease.slot, clock)).toBe(200);
    connection.database.exec("ALTER TABLE elsewhere RENAME TO leases");
    clock.advance(30);
    expect(renewal.renewDue()).toBe(100);
    expect(remainingInSlot(lease.slot, clock)).toBe(300);
    expect(lost).toEqual([]);
  });
});

describe("the keeper", () => {
  const lease = { name: "a", owner: "me", epoch: 3, ttlMs: 300 };
  const started: WireLease[] = [];
  const ended: string[] = [];
  const create = (): ReturnType<typeof createLeaseKeeper> =>
    createLeaseKeeper({
      clock,
      startRenewal: (started_) => started.push(started_),
      endRenewal: (name, epoch) => ended.push(`${name} ${epoch}`),
    });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  beforeEach(() => {
    started.length = 0;
    ended.length = 0;
  });

  test("ends a lease that was not renewed in time, and tells the renewing thread to stop", async () => {
    const held = create().holdLease({ ...lease, untilMs: clock.now() + 200 });
    expect(held.remainingMs()).toBe(200);
    await settle();
    clock.advance(199);
    await settle();
    expect(held.signal.aborted).toBe(false);
    clock.advance(1);
    await settle();
    expect(held.signal.reason).toMatchObject({ code: "LEASE_LOST" });
    expect(ended).toEqual(["a 3"]);
  });

  test("goes on as long as the renewing thread extends the slot", async () => {
    const held = create().holdLease({ ...lease, untilMs: clock.now() + 300 });
    await settle();
    for (let renewals = 0; renewals < 5; renewals += 1) {
      clock.advance(150);
      extendSlot(started[0]!.slot, clock.monotonic(), clock.now(), 300);
      await settle();
    }
    expect(held.remainingMs()).toBe(300);
    expect(held.signal.aborted).toBe(false);
  });

  test("ends a lease once, also when two ends meet", async () => {
    const keeper = create();
    const held = keeper.holdLease({ ...lease, untilMs: clock.now() + 200 });
    await settle();
    clock.advance(200);
    keeper.lost("a", 3);
    await settle();
    expect(ended).toEqual(["a 3"]);
    expect(String(held.signal.reason)).toContain("taken over");
  });

  test("bothers no thread with a lease that is dropped in the turn in which it was taken", async () => {
    const keeper = create();
    const held = keeper.holdLease({ ...lease, untilMs: clock.now() + 300 });
    keeper.holdLease({ ...lease, name: "b", untilMs: clock.now() + 300 });
    expect(started).toEqual([]);
    keeper.dropLease(held);
    expect(held.signal.aborted).toBe(true);
    expect(held.remainingMs()).toBe(0);
    await settle();
    expect(started.map(({ name }) => name)).toEqual(["b"]);
    expect(ended).toEqual([]);
  });

  test("a lease that ended within its first turn is told to have ended", async () => {
    const held = create().holdLease({ ...lease, untilMs: clock.now() + 200 });
    clock.advance(200);
    await settle();
    expect(held.signal.reason).toMatchObject({ code: "LEASE_LOST" });
  });

  test("an end is final, even if a renewal was under way", async () => {
    const keeper = create();
    const held = keeper.holdLease({ ...lease, untilMs: clock.now() + 300 });
    await settle();
    keeper.lost("a", 2);
    expect(held.signal.aborted).toBe(false);
    keeper.lost("a", 3);
    extendSlot(started[0]!.slot, clock.monotonic(), clock.now(), 300);
    expect(held.signal.aborted).toBe(true);
    expect(held.remainingMs()).toBe(0);
    keeper.stop();
    expect(ended).toEqual(["a 3"]);
  });
});
