/** The worker: a Part that claims due runs, drives as many at once as it may, and lets go cleanly when it stops. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isHomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Queue } from "../queue/local-queue.ts";
import { wakeRun } from "../queue/run-row.ts";
import type { RunRow } from "../queue/run-row.ts";
import { acquireLease, freeLease } from "../store/lease.ts";
import type { HeldLease, LeaseStore } from "../store/lease.ts";
import type { Health, Part } from "../supervision/part.ts";

export interface WorkerDeps {
  readonly store: LeaseStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who this process is, for leases. */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly concurrency: number;
  readonly leaseTtlMs: number;
  /** Drives a claimed run until it ends or waits. Rejects with LEASE_LOST, STORE_UNAVAILABLE, or a fault of ours. */
  readonly driveRun: (claim: Claim) => Promise<void>;
}

export interface Claim {
  readonly row: RunRow;
  readonly lease: HeldLease;
  /** The process that held the run before can no longer act on it. */
  readonly previousOwnerGone: boolean;
  /** Aborted by a cancel. */
  readonly interrupt: AbortSignal;
  readonly isStopping: () => boolean;
}

/** How long to leave a run alone after a fault of ours, so that a fault cannot spin. */
const faultPauseMs = 5_000;
/** The sweep finds what notifications missed: timers, dead owners, lost wake-ups. */
const sweepMs = 1_000;

interface Active {
  readonly interrupt: AbortController;
  readonly lease: HeldLease;
  readonly done: Promise<void>;
}

export function createWorker(deps: WorkerDeps): Part & { activeRuns(): number } {
  const { store, queue, clock, logger } = deps;
  const active = new Map<string, Active>();
  const unsubscribe: (() => void)[] = [];
  let stopping = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let timer: AbortController | undefined;
  let sweepAtMs = 0;
  let lastFault: string | undefined;

  return {
    name: "worker",
    async start() {
      await adoptOrphans();
      unsubscribe.push(
        queue.onWake(look, () => active.size < deps.concurrency),
        store.onCommit("inbox", () => void interruptCancelled().catch(noteFault)),
      );
      look();
      void sweep();
    },
    async stop(deadlineMs) {
      if (stopping) return;
      stopping = true;
      timer?.abort();
      for (const remove of unsubscribe) remove();
      await looking;
      const done = Promise.allSettled([...active.values()].map((run) => run.done));
      await Promise.race([done, clock.sleep(deadlineMs)]);
      // Whatever still acts loses its lease; the journal holds its intent, and the next start settles it.
      for (const { lease } of active.values()) store.dropLease(lease);
      await Promise.race([done, clock.sleep(500)]);
    },
    health: (): Health =>
      lastFault === undefined
        ? { kind: "ok", detail: `${active.size} of ${deps.concurrency} slots in use` }
        : { kind: "degraded", detail: lastFault },
    activeRuns: () => active.size,
  };

  /** Coalesces wake-ups: one look at a time, and one more if asked meanwhile. */
  function look(): void {
    if (stopping) return;
    lookAgain = true;
    looking ??= (async () => {
      while (lookAgain && !stopping) {
        lookAgain = false;
        await claimDue().catch(noteFault);
        await advanceSweep().catch(noteFault);
      }
      looking = undefined;
    })();
  }

  async function claimDue(): Promise<void> {
    const free = deps.concurrency - active.size;
    if (free <= 0) return;
    // Rows held here look due once their first lease time is over; ask for enough to see past them.
    const due = await queue.due(clock.now(), free + active.size + 16);
    for (const row of due) {
      if (active.size >= deps.concurrency || stopping) return;
      if (!active.has(row.id)) await claim(row);
    }
  }

  async function claim(row: RunRow): Promise<void> {
    const name = leaseName(row.id);
    const previous = await store.read("SELECT owner FROM leases WHERE name = ?", [name]);
    const previousOwner = (previous[0]?.["owner"] as string | undefined) ?? "";
    const lease = await acquireLease(store, {
      name,
      owner: deps.owner,
      ttlMs: deps.leaseTtlMs,
      now: clock.now(),
      // A lease of our own that no run holds is left over from a session that ended badly.
      isOwnerDead: (owner) => owner === deps.owner || deps.isOwnerDead(owner),
    });
    if (lease === undefined) return;
    const held = store.holdLease(lease);
    const interrupt = new AbortController();
    const previousOwnerGone =
      previousOwner === "" || previousOwner === deps.owner || deps.isOwnerDead(previousOwner);
    const claimed: Claim = {
      row,
      lease: held,
      previousOwnerGone,
      interrupt: interrupt.signal,
      isStopping: () => stopping,
    };
    // The entry must stand before the work can end, or its removal would come first.
    const done = Promise.resolve().then(() => work(claimed));
    active.set(row.id, { interrupt, lease: held, done });
  }

  async function work(claimed: Claim): Promise<void> {
    const { row, lease } = claimed;
    try {
      await deps.driveRun(claimed);
      lastFault = undefined;
    } catch (error) {
      if (isHomeostatError(error, "LEASE_LOST")) logger.info({ run: row.id }, "another worker has the run");
      else await setAside(row.id, lease, error);
    } finally {
      store.dropLease(lease);
      active.delete(row.id);
      look();
    }
  }

  async function setAside(runId: string, lease: HeldLease, error: unknown): Promise<void> {
    noteFault(error);
    logger.error({ run: runId, error }, "the run could not be driven on");
    // Where even this cannot be written, the sweep finds the lease that nobody here works under.
    await store
      .write([
        freeLease(lease),
        { sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ?", params: [clock.now() + faultPauseMs, runId] },
      ])
      .catch(noteFault);
  }

  function noteFault(error: unknown): void {
    lastFault = errorMessage(error);
  }

  /** Runs whose holder is provably gone, or was a session of this process that ended badly, are due now. */
  async function adoptOrphans(): Promise<void> {
    const rows = await store.read("SELECT name, owner FROM leases WHERE owner <> '' AND until_ms > ?", [
      clock.now(),
    ]);
    const orphans = rows.filter((row) => {
      const owner = row["owner"] as string;
      const name = row["name"] as string;
      if (!isRunLease(name)) return false;
      return owner === deps.owner ? !active.has(runOf(name)) : deps.isOwnerDead(owner);
    });
    if (orphans.length === 0) return;
    await store.write(orphans.map((row) => wakeRun(runOf(row["name"] as string), clock.now())));
  }

  /** A run let go a moment ago may fall due before the next sweep. */
  async function advanceSweep(): Promise<void> {
    const nextMs = await queue.nextDueMs(clock.now());
    if (nextMs !== undefined && nextMs < sweepAtMs) timer?.abort();
  }

  async function sweep(): Promise<void> {
    while (!stopping) {
      const nowMs = clock.now();
      const nextMs = await queue.nextDueMs(nowMs).catch(() => undefined);
      timer = new AbortController();
      const waitMs = Math.max(1, Math.min(sweepMs, (nextMs ?? Infinity) - nowMs));
      sweepAtMs = nowMs + waitMs;
      // Woken early by `advanceSweep` or `stop`: both look again at what to wait for.
      await clock.sleep(waitMs, timer.signal).catch(() => undefined);
      if (stopping) return;
      await adoptOrphans().catch(noteFault);
      look();
    }
  }

  /** A cancel must reach a tool that is acting now; everything else waits for the next step. */
  async function interruptCancelled(): Promise<void> {
    if (active.size === 0) return;
    const rows = await store.read("SELECT run_id, body FROM inbox WHERE folded_seq IS NULL");
    for (const row of rows) {
      const isCancel = (JSON.parse(row["body"] as string) as { kind: string }).kind === "cancel";
      if (isCancel) active.get(row["run_id"] as string)?.interrupt.abort(new Error("the run was cancelled"));
    }
  }
}

const leasePrefix = "run/";

export function leaseName(runId: string): string {
  return `${leasePrefix}${runId}`;
}

function isRunLease(name: string): boolean {
  return name.startsWith(leasePrefix);
}

function runOf(name: string): string {
  return name.slice(leasePrefix.length);
}
