/** Lets a run that nobody holds hear its messages at once, so that a queued or waiting run can be cancelled without a worker. */
import { isHomeostatError } from "../../base/error.ts";
import { acquireLease, leaseTtlMs, releaseLease } from "../../store/lease.ts";
import type { LeaseStore } from "../../store/lease.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import { leaseName } from "./adopt-orphans.ts";
import { drive } from "./drive.ts";
import type { RunState } from "../journal/fold.ts";
import type { HeldHere } from "../session/held-here.ts";
import type { ReadBlobText } from "../journal/journal.ts";
import { requireKnown } from "./require-known.ts";
import type { Program } from "./require-known.ts";
import { readState } from "../journal/run-reader.ts";
import { rootPlace } from "../steps/run-workflow.ts";
import { createSession } from "../session/session.ts";
import type { SessionDeps } from "../session/session.ts";
import { mustUnwind } from "../steps/unwind-plan.ts";

export interface FoldUnheldDeps extends SessionDeps {
  readonly store: LeaseStore;
  readonly readBlobText: ReadBlobText;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly program: Program;
  /** Told of runs that are folded now: the worker of the same process has the same owner. */
  readonly folding: Pick<HeldHere, "hold">;
}

const holderWaitMs = 250;

/**
 * Waits a moment when somebody holds the run: whoever does hears the message. What a cancelled run has to undo is left to a worker.
 * Rejects for a fault of ours alone: the message is in the inbox, and a worker folds it in any case.
 */
export type FoldUnheld = (runId: string) => Promise<void>;

export function createFoldUnheld(deps: FoldUnheldDeps): FoldUnheld {
  const { store, clock, owner, isOwnerDead } = deps;
  return async (runId) => {
    const letGo = deps.folding.hold(runId);
    try {
      const request = { name: leaseName(runId), owner, ttlMs: leaseTtlMs, now: clock.now(), isOwnerDead };
      const lease = await acquireLease(store, request);
      if (lease === undefined) return await awaitHolder(runId);
      const held = store.holdLease(lease);
      try {
        await foldUnder(held, runId);
      } catch (error) {
        // Whoever can do better should not have to wait for its end.
        await releaseLease(store, held).catch(() => undefined);
        throw error;
      } finally {
        store.dropLease(held);
      }
    } catch (error) {
      // Somebody took the run over, or its journal cannot be read or written now: a worker says so in the row.
      if (!isHomeostatError(error)) throw error;
    } finally {
      letGo();
    }
  };

  /** A worker that was woken by the message was faster, or acts: the first is done in moments, the second is not waited for. */
  async function awaitHolder(runId: string): Promise<void> {
    const endMs = clock.monotonic() + holderWaitMs;
    while (clock.monotonic() < endMs) {
      const sql = "SELECT 1 AS open FROM inbox WHERE run_id = ? AND folded_seq IS NULL LIMIT 1";
      if ((await store.read(sql, [runId])).length === 0) return;
      await clock.sleep(10);
    }
  }

  async function foldUnder(lease: ReturnType<LeaseStore["holdLease"]>, runId: string): Promise<void> {
    const state = await readState(deps, runId);
    const [row] = await store.read("SELECT tenant, steps_total FROM runs WHERE id = ?", [runId]);
    const parsed = parseWorkflow(state.workflow.text);
    requireKnown(state, parsed, deps.program);
    const session = createSession(deps, {
      state,
      tenant: row?.["tenant"] as string,
      stepsTotal: row?.["steps_total"] as number,
      lease,
      previousOwnerGone: true,
      interrupt: new AbortController().signal,
    });
    // As for a worker that stops: messages are folded, then the run is let go.
    await drive(session, {
      store,
      clock,
      random: () => 0,
      listenAnew: () => undefined,
      heard: () => undefined,
      mustUnwind: (each: RunState) =>
        parsed.ok && mustUnwind(parsed.workflow, each, rootPlace(each, parsed.workflow)),
      isStopping: () => true,
      spent: null,
      leaving: () => undefined,
      runWorkflow: () => Promise.resolve({ kind: "interrupted" }),
    });
  }
}
