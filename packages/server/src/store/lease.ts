/** Leases: who may act on a run, or be the one publisher, for how long, with an epoch that fences off everybody earlier. */
import { isHomeostatError } from "../base/error.ts";
import type { Migration, Statement, Store } from "./store.ts";

/** Time to live of every lease outside of tests: a host that dies is taken over after at most this long. */
export const leaseTtlMs = 30_000;

/** What the holder knows of its lease. Epochs of one name only rise, also over releases. */
export interface Lease {
  /** For example `run/run_0192...` or `singleton/publisher`. */
  readonly name: string;
  readonly owner: string;
  readonly epoch: number;
  readonly ttlMs: number;
  /** End as written at acquisition, on the wall clock. */
  readonly untilMs: number;
}

/** A lease that is renewed every third of its time to live, by a thread that a busy main thread cannot starve. */
export interface HeldLease extends Lease {
  /** Milliseconds until another may take over, 0 when that is possible now. Act only when it exceeds the act's deadline. */
  remainingMs(): number;
  /** Aborted with LEASE_LOST when the lease ended unrenewed, was taken over or dropped. */
  readonly signal: AbortSignal;
}

/** Renews leases. Beside Store, because where the renewing thread lives depends on the database. */
export interface LeaseKeeper {
  /** Starts the renewal of a lease just acquired. */
  holdLease(lease: Lease): HeldLease;
  /** Ends the renewal and aborts the signal; the row stays until `releaseLease` or its end. A lease not held is ignored. */
  dropLease(lease: Pick<Lease, "name" | "epoch">): void;
}

export type LeaseStore = Store & LeaseKeeper;

export interface AcquireRequest {
  readonly name: string;
  readonly owner: string;
  readonly ttlMs: number;
  /** Wall time in milliseconds. */
  readonly now: number;
  /** True only when the owner is provably gone: then its lease is taken without waiting for the end. */
  readonly isOwnerDead: (owner: string) => boolean;
}

export const leaseMigration: Migration = {
  id: "0002-leases",
  statements: () => [
    // Rows are never deleted: a name that came back with epoch 1 would let a forgotten holder of epoch 1 through its fence.
    `CREATE TABLE leases (
      name TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      epoch BIGINT NOT NULL,
      until_ms BIGINT NOT NULL
    )`,
  ],
};

/** The lease, or undefined while somebody else holds it. Throws STORE_UNAVAILABLE. */
export async function acquireLease(store: Store, request: AcquireRequest): Promise<Lease | undefined> {
  const { name, owner, ttlMs, now, isOwnerDead } = request;
  const [row] = await store.read("SELECT owner, epoch, until_ms FROM leases WHERE name = ?", [name]);
  if (row !== undefined && Number(row["until_ms"]) > now && !isOwnerDead(String(row["owner"])))
    return undefined;
  const epoch = Number(row?.["epoch"] ?? 0) + 1;
  const untilMs = now + ttlMs;
  try {
    await store.write([takeLease({ name, owner, epoch, untilMs })]);
  } catch (error) {
    // Somebody else was faster: the expected outcome of a race.
    if (isHomeostatError(error, "STORE_CONFLICT")) return undefined;
    throw error;
  }
  return { name, owner, epoch, ttlMs, untilMs };
}

/**
 * Takes the lease as epoch `epoch` if the one before is still the latest, so that of several takers one wins. Guard
 * "lease". For batches that take a lease together with other changes; the caller has judged that it is free.
 */
export function takeLease({ name, owner, epoch, untilMs }: Omit<Lease, "ttlMs">): Statement {
  return {
    sql: `INSERT INTO leases (name, owner, epoch, until_ms) VALUES (?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, until_ms = excluded.until_ms
      WHERE leases.epoch = excluded.epoch - 1`,
    params: [name, owner, epoch, untilMs],
    expect: { rows: 1, guard: "lease" },
  };
}

/**
 * Undoes the whole batch (guard "lease") unless this is the current holder. An ended lease that nobody took still
 * passes: no other has acted. An update, so that PostgreSQL too holds the row until the batch is committed.
 */
export function fence({ name, owner, epoch }: Pick<Lease, "name" | "owner" | "epoch">): Statement {
  return {
    sql: "UPDATE leases SET epoch = epoch WHERE name = ? AND owner = ? AND epoch = ?",
    params: [name, owner, epoch],
    expect: { rows: 1, guard: "lease" },
  };
}

/** Makes the lease last at least until `untilMs` (wall clock), for an act longer than its time to live. Guard "lease". */
export function reserveLease(
  { name, owner, epoch }: Pick<Lease, "name" | "owner" | "epoch">,
  untilMs: number,
): Statement {
  return {
    sql: `UPDATE leases SET until_ms = CASE WHEN until_ms < ? THEN ? ELSE until_ms END
      WHERE name = ? AND owner = ? AND epoch = ?`,
    params: [untilMs, untilMs, name, owner, epoch],
    expect: { rows: 1, guard: "lease" },
  };
}

/** Takes back what was reserved: it lasts until `untilMs` (wall clock) if it lasted longer. Does nothing when it is no longer held. */
export function shortenLease(
  { name, owner, epoch }: Pick<Lease, "name" | "owner" | "epoch">,
  untilMs: number,
): Statement {
  return {
    sql: "UPDATE leases SET until_ms = ? WHERE name = ? AND owner = ? AND epoch = ? AND until_ms > ?",
    params: [untilMs, name, owner, epoch, untilMs],
  };
}

/** Frees the lease at once; does nothing when it is no longer held. For the batch that ends the work, or alone. */
export function freeLease({ name, owner, epoch }: Pick<Lease, "name" | "owner" | "epoch">): Statement {
  return {
    sql: "UPDATE leases SET owner = '', until_ms = 0 WHERE name = ? AND owner = ? AND epoch = ?",
    params: [name, owner, epoch],
  };
}

/**
 * The lease ends now, and its owner stays on record: for one that is judged gone. Undoes the batch (guard "lease") when the lease is
 * no longer as it was seen: renewed, reserved for longer, freed or taken.
 */
export function endLease({ name, owner, epoch, untilMs }: Omit<Lease, "ttlMs">): Statement {
  return {
    sql: "UPDATE leases SET until_ms = 0 WHERE name = ? AND owner = ? AND epoch = ? AND until_ms = ?",
    params: [name, owner, epoch, untilMs],
    expect: { rows: 1, guard: "lease" },
  };
}

/** Ends renewal and frees the lease. Throws STORE_UNAVAILABLE; the lease then ends by itself. */
export async function releaseLease(store: LeaseStore, lease: Lease): Promise<void> {
  store.dropLease(lease);
  await store.write([freeLease(lease)]);
}
