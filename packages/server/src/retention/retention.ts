/** Lets go of what is old enough: erases ended runs, finishes erasures, removes workspaces nobody needs, forgets bodies of no run. */
import { readdir } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { isHomeostatError } from "../base/error.ts";
import { idsFrom } from "../base/id.ts";
import type { Logger } from "../base/log.ts";
import type { BlobStore } from "../blobs/blob.ts";
import type { LeaseStore } from "../store/lease.ts";
import type { Part } from "../supervision/part.ts";
import { createRounds } from "../supervision/rounds.ts";
import { underLease } from "../supervision/under-lease.ts";
import { eraseRun, finishErasures } from "./erasure.ts";
import { createTrial } from "./trial.ts";

export interface RetentionSettings {
  /** Days after their end until runs are erased; 0 keeps them. */
  readonly completedDays: number;
  readonly failedDays: number;
  readonly cancelledDays: number;
  /** Days after a run's end until its folder goes; its files stay in the blobs. 0 keeps it. */
  readonly workspaceDays: number;
}

export interface RetentionDeps {
  readonly settings: RetentionSettings;
  readonly store: LeaseStore;
  readonly blobs: Pick<BlobStore, "erase">;
  readonly workspacesFolder: string;
  readonly removeWorkspace: (runId: string) => Promise<void>;
  /** False on a host that only looks after its own workspaces. */
  readonly erasesRuns: boolean;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

const passEveryMs = 60_000;
const dayMs = 24 * 3_600_000;
/** So that one pass after years of never erasing does not hold the lease for hours. */
const runsPerPass = 1_000;

export interface Passed {
  readonly runs: number;
  readonly finished: number;
  readonly workspaces: number;
  readonly orphans: number;
}

/** Passes every minute. One process of all that share the database erases; every host looks after its own workspaces. */
export function createRetention(deps: RetentionDeps): Part {
  const { clock, logger } = deps;
  return createRounds({
    ...{ name: "retention", clock, logger, health: { kind: "ok" }, retryMs: passEveryMs },
    failure: "old runs could not be erased; it is tried again",
    async round(signal) {
      const passed = await passOnce(deps, signal);
      if (Object.values(passed).some((count) => count > 0)) logger.info(passed, "let go of what is old");
      return { nextInMs: passEveryMs };
    },
  });
}

/**
 * One pass; stops between two runs when the signal is aborted. Does what it can, and then throws the first STORE_UNAVAILABLE or
 * file error: a folder that cannot be removed keeps no run from being erased.
 */
export async function passOnce(deps: RetentionDeps, signal: AbortSignal): Promise<Passed> {
  const trial = createTrial();
  const workspaces = (await trial.of(() => removeOldWorkspaces(deps, signal))) ?? 0;
  const passed = { runs: 0, finished: 0, workspaces, orphans: 0 };
  if (deps.erasesRuns) Object.assign(passed, await trial.of(() => eraseUnderLease(deps, signal)));
  trial.end();
  return passed;
}

async function eraseUnderLease(deps: RetentionDeps, signal: AbortSignal): Promise<Partial<Passed>> {
  const erased = await underLease({ ...deps, name: "retention", signal }, async (lasting) => {
    const trial = createTrial();
    const finished = await trial.of(() => finishErasures(deps));
    const runs = await trial.of(() => eraseOld(deps, lasting));
    const orphans = await trial.of(() => eraseOrphans(deps));
    trial.end();
    return { finished: finished ?? 0, runs: runs ?? 0, orphans: orphans ?? 0 };
  });
  return erased ?? {};
}

async function eraseOld(deps: RetentionDeps, signal: AbortSignal): Promise<number> {
  const { settings, store, clock } = deps;
  const ages = {
    COMPLETED: settings.completedDays,
    FAILED: settings.failedDays,
    CANCELLED: settings.cancelledDays,
  };
  const trial = createTrial();
  let erased = 0;
  for (const [state, days] of Object.entries(ages)) {
    if (days === 0) continue;
    const endedBeforeMs = clock.now() - days * dayMs;
    const rows = await store.read(
      // A run that had ended by then had been made by then: its id says so, by which the index is searched.
      `SELECT id FROM runs WHERE state = ? AND id < ? AND ended_at_ms < ?
        AND NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.run_id = runs.id) ORDER BY id LIMIT ?`,
      [state, idsFrom("run", endedBeforeMs), endedBeforeMs, runsPerPass],
    );
    for (const row of rows) {
      if (signal.aborted) break;
      const reason = `${days} days after its end`;
      erased += Number((await trial.of(() => eraseQuietly(deps, String(row["id"]), reason))) ?? false);
    }
  }
  trial.end();
  return erased;
}

/** False for a run with a child that goes on: the next pass comes back to it. */
async function eraseQuietly(deps: RetentionDeps, runId: string, reason: string): Promise<boolean> {
  try {
    await eraseRun(deps, { runId, actor: { kind: "system", id: "retention" }, reason });
    return true;
  } catch (error) {
    if (isHomeostatError(error, "RUN_STATE_CONFLICT")) return false;
    throw error;
  }
}

/** Bodies of submissions that were refused or cut off: a key without a run, a day old. */
async function eraseOrphans({ store, blobs, clock }: RetentionDeps): Promise<number> {
  const rows = await store.read(
    `SELECT subject FROM blob_keys WHERE subject LIKE 'run!_%' ESCAPE '!' AND wrapped IS NOT NULL AND created_at_ms < ?
      AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = blob_keys.subject) LIMIT ?`,
    [clock.now() - dayMs, runsPerPass],
  );
  const trial = createTrial();
  for (const row of rows) await trial.of(() => blobs.erase(String(row["subject"])));
  trial.end();
  return rows.length;
}

/** Of runs that ended long ago, or were erased by a process on another host. Folders of no run are nobody's to remove. */
async function removeOldWorkspaces(deps: RetentionDeps, signal: AbortSignal): Promise<number> {
  const { store, settings, clock } = deps;
  const endedBefore = settings.workspaceDays === 0 ? 0 : clock.now() - settings.workspaceDays * dayMs;
  const trial = createTrial();
  let removed = 0;
  for (const runId of await readdir(deps.workspacesFolder)) {
    if (signal.aborted) break;
    const [row] = await store.read(
      `SELECT 1 AS found FROM runs WHERE id = ? AND state IN ('COMPLETED', 'FAILED', 'CANCELLED')
        AND (ended_at_ms < ? OR EXISTS (SELECT 1 FROM erasures WHERE erasures.run_id = runs.id))`,
      [runId, endedBefore],
    );
    if (row === undefined) continue;
    const isGone = await trial.of(() => deps.removeWorkspace(runId).then(() => true));
    removed += Number(isGone === true);
  }
  trial.end();
  return removed;
}
