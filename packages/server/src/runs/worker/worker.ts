/** The worker: a Part that claims due runs, drives as many at once as it may, and lets go cleanly when it stops. */
import type { Clock } from "../../base/clock.ts";
import { errorMessage, HomeostatError, isHomeostatError, isProgrammingError } from "../../base/error.ts";
import type { Logger } from "../../base/log.ts";
import type { Claims, TakenRun } from "../../queue/claim.ts";
import type { Queue } from "../../queue/local-queue.ts";
import { setRunAside, wakeRun } from "../../queue/run-row.ts";
import { passOver } from "../../queue/worker-registry.ts";
import { longestRetryMs } from "../../queue/task.ts";
import type { StoredRun } from "../../queue/run-row.ts";
import { errorAfterVainClaims, faultOf, pauseAfterFaultMs } from "../../queue/vain-claims.ts";
import { freeLease } from "../../store/lease.ts";
import type { HeldLease, LeaseStore } from "../../store/lease.ts";
import type { Statement } from "../../store/store.ts";
import { adoptOrphans } from "./adopt-orphans.ts";
import type { RunError } from "../journal/event.ts";
import type { HeldHere } from "../session/held-here.ts";
import type { OverlongLeases } from "./overlong-leases.ts";
import type { OverlongWaits } from "./overlong-waits.ts";
import { attend, createBell } from "../../supervision/mailbox.ts";
import type { Health, Part, TreeNode } from "../../supervision/part.ts";

export interface WorkerDeps {
  readonly store: LeaseStore;
  readonly queue: Queue;
  readonly claims: Claims;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who this process is, for leases. */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly concurrency: number;
  /** Claims in a row without a finished step before a run is a dead letter. */
  readonly maxVainClaims: number;
  readonly overlong: OverlongLeases;
  readonly overlongWaits: OverlongWaits;
  /** Runs that this process folds messages of without its worker. */
  readonly folding: Pick<HeldHere, "has">;
  /** Runs for which a tool acts in this process, whoever waits for it. */
  readonly acting: Pick<HeldHere, "has">;
  /** 0 to 1, for pauses that differ. */
  readonly random: () => number;
  /** Drives a claimed run until it ends or waits. Rejects with LEASE_LOST, STORE_UNAVAILABLE, or a fault of ours. */
  readonly driveRun: (claim: Claim) => Promise<void>;
}

export interface Claim {
  readonly row: StoredRun;
  readonly lease: HeldLease;
  /** Not null: the run was taken too often in vain and must end with this error, after its messages. */
  readonly spent: RunError | null;
  /** To be told when the batch that lets the run go is with the store: the next due run comes in its place. */
  readonly leaving: () => void;
  /** The process that held the run before can no longer act on it. */
  readonly previousOwnerGone: boolean;
  /** Aborted by a cancel. */
  readonly interrupt: AbortSignal;
  /** To be told of each message that is folded, by its id: a cancel that was heard must not break off the undoing it has begun. */
  readonly heard: (inboxId: number) => void;
  readonly isStopping: () => boolean;
}

/** The sweep finds what notifications missed: timers, dead owners, lost wake-ups. */
const sweepMs = 1_000;
/** A clock that is slewed loses less than this between two sweeps. */
const setBackMs = 1_000;

export type Worker = Part & { activeRuns(): number };

interface Active {
  readonly row: StoredRun;
  readonly startedMs: number;
  readonly interrupt: AbortController;
  /** The newest message that was heard. Ids of one run are folded in ascending order. */
  readonly heard: { upTo: number };
  readonly lease: HeldLease;
  readonly done: Promise<void>;
}

export function createWorker(deps: WorkerDeps): Worker {
  const { store, queue, claims, clock, logger } = deps;
  const active = new Map<string, Active>();
  const unsubscribe: (() => void)[] = [];
  let stopping = false;
  /** Places for which a claim is under way: its leases stand in the table before the runs stand in `active`. */
  let claiming = 0;
  const takings = new Set<Promise<unknown>>();
  let looking: Promise<void> = Promise.resolve();
  let timer: AbortController | undefined;
  let sweepAtMs = 0;
  /** By how much the wall clock's count is above the monotonic one. */
  let wallAheadMs = clock.now() - clock.monotonic();
  let lastFault: string | undefined;
  const failed = Promise.withResolvers<unknown>();
  const wakeUps = createBell();
  const inboxNews = createBell();

  const orphans = {
    ...deps,
    isHeldHere: (runId: string) => claiming > 0 || active.has(runId) || deps.folding.has(runId),
  };

  return {
    name: "worker",
    failed: failed.promise,
    inspect: () => ({
      mailbox: wakeUps.state(),
      children: [...active.values()].map(nodeOf),
    }),
    async start() {
      await adoptOrphans(orphans);
      unsubscribe.push(
        queue.onWake(look, () => active.size + claiming < deps.concurrency),
        store.onCommit("inbox", () => void inboxNews.offer("news")),
      );
      looking = attend(wakeUps, lookOnce);
      void attend(inboxNews, () => interruptCancelled().catch(partFault));
      look();
      sweep().catch(failed.resolve);
    },
    async stop(deadlineMs) {
      if (stopping) return;
      stopping = true;
      timer?.abort();
      for (const remove of unsubscribe) remove();
      wakeUps.close();
      inboxNews.close();
      await looking;
      const done = Promise.allSettled(takings).then(() =>
        Promise.allSettled([...active.values()].map((run) => run.done)),
      );
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

  /** A run that is driven stands below the worker: a fault in one never touches another. */
  function nodeOf({ row, startedMs }: Active): TreeNode {
    const uptimeMs = Math.round(clock.monotonic() - startedMs);
    const plain = { health: { kind: "ok" }, strategy: null, mailbox: null, children: [] } as const;
    // The claim that is being driven is counted already; those before it ended in a fault of ours.
    const restarts = Math.max(0, row.claims - 1);
    const lastError = row.fault?.message ?? null;
    return { name: row.id, kind: "run", state: "running", restarts, lastError, uptimeMs, ...plain };
  }

  function look(): void {
    wakeUps.offer("news");
  }

  async function lookOnce(): Promise<void> {
    if (stopping) return;
    await claimDue().catch(partFault);
    await advanceSweep().catch(partFault);
  }

  async function claimDue(): Promise<void> {
    const free = deps.concurrency - active.size - claiming;
    if (free <= 0 || !(await claims.mayTake(clock.now()))) return;
    claiming += free;
    try {
      for (const taken of await claims.take(free, clock.now())) begin(taken);
    } finally {
      claiming -= free;
    }
  }

  /** While a server stops, a run that was taken meanwhile is let go by whoever drives it. */
  function begin({ row, lease, previousOwner }: TakenRun): void {
    const held = store.holdLease(lease);
    const interrupt = new AbortController();
    const heard = { upTo: 0 };
    const claimed: Claim = {
      row,
      lease: held,
      spent: errorAfterVainClaims(row, deps.maxVainClaims),
      leaving: () => {
        if (!stopping && active.size <= deps.concurrency) void takeNext();
      },
      previousOwnerGone:
        previousOwner === "" ||
        // A session of ours may have lost its lease while a tool does not let go.
        (previousOwner === deps.owner ? !deps.acting.has(row.id) : deps.isOwnerDead(previousOwner)),
      interrupt: interrupt.signal,
      heard: (inboxId) => (heard.upTo = Math.max(heard.upTo, inboxId)),
      isStopping: () => stopping,
    };
    // The entry must stand before the work can end, or its removal would come first.
    const done = Promise.resolve().then(() => work(claimed));
    active.set(row.id, { row, startedMs: clock.monotonic(), interrupt, heard, lease: held, done });
  }

  async function takeNext(): Promise<void> {
    claiming += 1;
    const taking = claims.takeNext(clock.now());
    takings.add(taking);
    try {
      const taken = await taking;
      if (taken !== undefined) begin(taken);
    } catch (error) {
      partFault(error);
    } finally {
      claiming -= 1;
      takings.delete(taking);
      // What fell due meanwhile found no place free.
      look();
    }
  }

  async function work(claimed: Claim): Promise<void> {
    const { row, lease } = claimed;
    try {
      await deps.driveRun(claimed);
      lastFault = undefined;
    } catch (error) {
      if (isHomeostatError(error, "LEASE_LOST")) logger.info({ run: row.id }, "another worker has the run");
      else await setAside(row, lease, error);
    } finally {
      store.dropLease(lease);
      // The same run may have been taken again by the batch that let it go.
      if (active.get(row.id)?.lease === lease) active.delete(row.id);
      look();
    }
  }

  async function setAside(row: StoredRun, lease: HeldLease, error: unknown): Promise<void> {
    noteFault(error);
    logger.error({ run: row.id, error }, "the run could not be driven on");
    const known =
      error instanceof HomeostatError ? error : new HomeostatError("INTERNAL", errorMessage(error));
    const nowMs = clock.now();
    const isForeign = known.code === "RUN_VERSION_UNKNOWN";
    // A database that is away is no fault of the run, and a version that is too old for it is none either.
    const counts = !isForeign && known.code !== "STORE_UNAVAILABLE";
    // A newer process should find it due at once; this one does not see it again.
    const untilMs = isForeign ? nowMs : nowMs + pauseAfterFaultMs(row.claims);
    const aside = setRunAside(row.id, faultOf(known, nowMs), { untilMs, counts });
    const pass = isForeign ? [passOver(row.id, deps.owner)] : [];
    // Where even this cannot be written, the sweep finds the lease that nobody here works under.
    await store.write([freeLease(lease), aside, ...pass]).catch(noteFault);
  }

  function noteFault(error: unknown): void {
    lastFault = errorMessage(error);
  }

  /** What the world around does passes; an error of our own code outside of any run asks for a new worker. */
  function partFault(error: unknown): void {
    noteFault(error);
    if (isProgrammingError(error)) failed.resolve(error);
  }

  /**
   * After the wall clock was set back, runs that nobody delayed lie further ahead than any is ever put, and runs whose act may still
   * be under way further than it can be. What others wait for may be a time of any length; while the clock goes back, they are made to look again
   * what is left of it.
   */
  async function wakeLate(): Promise<void> {
    const nowMs = clock.now();
    const aheadMs = nowMs - clock.monotonic();
    if (aheadMs < wallAheadMs - setBackMs) {
      await store.write([wakeAllNotHeld(nowMs)]);
    }
    wallAheadMs = aheadMs;
    const late = await store.read(
      `SELECT id FROM runs WHERE state IN ('QUEUED', 'RETRYING', 'RUNNING') AND wake_at_ms > ? AND ${isInNobodysHand}
        ORDER BY wake_at_ms LIMIT 100`,
      [nowMs + longestRetryMs, nowMs],
    );
    const runIds = [...late.map((row) => row["id"] as string), ...(await deps.overlongWaits.find())];
    if (runIds.length > 0) await store.write(runIds.map((runId) => wakeRun(runId, nowMs)));
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
      await adoptOrphans(orphans).catch(partFault);
      await wakeLate().catch(partFault);
      look();
    }
  }

  /** A cancel must reach a tool that is acting now; everything else waits for the next step. */
  async function interruptCancelled(): Promise<void> {
    const runIds = [...active.keys()];
    if (stopping || runIds.length === 0) return;
    // A message begins with its kind. Thousands of others may be open, and are no matter here.
    const rows = await store.read(
      `SELECT id, run_id FROM inbox WHERE folded_seq IS NULL AND substr(body, 1, ${cancelBegins.length}) = ?
        AND run_id IN (${runIds.map(() => "?").join(", ")})`,
      [cancelBegins, ...runIds],
    );
    for (const row of rows) {
      const run = active.get(row["run_id"] as string);
      // It may have been folded since it was read.
      if (run === undefined || Number(row["id"]) <= run.heard.upTo) continue;
      run.interrupt.abort(new Error("the run was cancelled"));
    }
  }
}

const isInNobodysHand =
  "NOT EXISTS (SELECT 1 FROM leases WHERE name = 'run/' || runs.id AND owner <> '' AND until_ms > ?)";

/** What waits for a time, what is tried again later, and what was left alone for a while; not what somebody has in hand. */
function wakeAllNotHeld(nowMs: number): Statement {
  return {
    sql: `UPDATE runs SET wake_at_ms = ? WHERE state IN ('WAITING', 'RETRYING', 'QUEUED', 'RUNNING') AND wake_at_ms > ?
      AND ${isInNobodysHand}`,
    params: [nowMs, nowMs, nowMs],
  };
}

const cancelBegins = '{"kind":"cancel"';
