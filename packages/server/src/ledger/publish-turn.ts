/** Publishing under one lease: what the outbox holds goes into the open log and leaves the outbox, until the lease or the log ends. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { HeldLease, LeaseStore } from "../store/lease.ts";
import type { Bell } from "./bell.ts";
import { parseEntry } from "./entry.ts";
import type { FramedEntries } from "./entry.ts";
import type { Appended } from "./append-queue.ts";
import type { LogClient } from "./log-client.ts";
import { findGone, prepareRow, readOutbox, settleRows } from "./outbox-rows.ts";
import type { PreparedRow } from "./outbox-rows.ts";
import type { LedgerReader } from "./reader.ts";
import type { Waiters } from "./waiters.ts";

export interface PublishTurnDeps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly lease: HeldLease;
  readonly log: LogClient;
  readonly reader: LedgerReader;
  readonly waiters: Waiters;
  readonly bell: Bell;
  readonly sweepMs: number;
  /** A row that held no valid entry; a note took its place. Must not throw. */
  readonly onRefused: (error: HomeostatError) => void;
}

export interface PublishTurn {
  /** Removes rows whose entries are in the ledger since `knownSize`: a crash came between their checkpoint and their deletion. */
  dropPublished(knownSize: number): Promise<void>;
  /** Rejects when the lease or the log ends; resolves when `finish` was called and the outbox is empty. */
  run(): Promise<void>;
  /** Bulk entries. Throws LEASE_LOST, LEDGER_BUSY and what ends the log. */
  append(entries: FramedEntries): Promise<Appended>;
  finish(): void;
}

export function createPublishTurn(deps: PublishTurnDeps): PublishTurn {
  const { store, clock, lease, log, waiters, bell, sweepMs } = deps;
  let isPositionStale = false;
  let isFinishing = false;
  let isOver = false;

  async function loop(): Promise<void> {
    while (!isOver) {
      const waitedFor = waiters.keys();
      const rows = (await readOutbox(store)).map((row) => prepareRow(row, clock.now()));
      if (rows.length > 0) await publish(rows);
      else if (isPositionStale) await savePosition();
      else if (isFinishing) return;
      await settleOlder(deps, waitedFor, rows);
      if (rows.length === 0 && !isFinishing) await bell.wait(sweepMs);
    }
  }

  async function publish(rows: readonly PreparedRow[]): Promise<void> {
    requireTime(lease);
    const payload = Buffer.concat(rows.map(({ framed }) => framed.payload));
    await log.append({ payload, count: rows.length }, { isUrgent: true });
    settleWaiters(waiters, rows);
    for (const { refused } of rows) if (refused !== undefined) deps.onRefused(refused);
    isPositionStale = false;
    await settleRows(store, lease, { ids: rows.map(({ id }) => id), head: log.head });
    // Again: somebody may have begun to wait while the rows were still there.
    settleWaiters(waiters, rows);
  }

  async function savePosition(): Promise<void> {
    isPositionStale = false;
    await settleRows(store, lease, { head: log.head });
  }

  return {
    dropPublished: (knownSize) => dropPublished(deps, knownSize),
    async run() {
      try {
        await Promise.race([loop(), log.failed, endOf(lease.signal)]);
      } finally {
        isOver = true;
        bell.ring();
      }
    },
    async append(entries) {
      requireTime(lease);
      const appended = await log.append(entries);
      isPositionStale = true;
      return appended;
    },
    finish() {
      isFinishing = true;
      bell.ring();
    },
  };
}

async function dropPublished(
  { store, lease, log, reader }: PublishTurnDeps,
  knownSize: number,
): Promise<void> {
  const { head } = log;
  for (let from = knownSize; from < head.size; from += 1000) {
    const entries = await reader.entries(from, Math.min(from + 1000, head.size));
    await settleRows(store, lease, { keys: entries.map((bytes) => parseEntry(bytes).key) });
  }
  await settleRows(store, lease, { head });
}

/** Whose key is in no row was published before, perhaps long ago. */
async function settleOlder(
  { store, waiters }: PublishTurnDeps,
  keys: readonly string[],
  rows: readonly PreparedRow[],
): Promise<void> {
  const settled = new Set(rows.map(({ key }) => key));
  const others = keys.filter((key) => !settled.has(key));
  for (const key of await findGone(store, others)) waiters.resolve(key);
}

/** Acting needs more time than is left when renewals have failed for a while: another may take over soon. */
function requireTime(lease: HeldLease): void {
  const leftMs = lease.remainingMs();
  if (leftMs > lease.ttlMs / 6) return;
  throw new HomeostatError("LEASE_LOST", `Only ${leftMs} ms are left of the lease ${lease.name}`, { leftMs });
}

function settleWaiters(waiters: Waiters, rows: readonly PreparedRow[]): void {
  for (const { key, refused } of rows) {
    if (refused === undefined) waiters.resolve(key);
    else waiters.reject(key, refused);
  }
}

function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
