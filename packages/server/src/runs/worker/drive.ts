/** Drives one claimed run as far as it can go: messages, the workflow, the verdict on its attempt, and the letting go. */
import type { Clock } from "../../base/clock.ts";
import { cancelApprovals } from "../../gate/approvals.ts";
import { afterFailure, isRetryDue } from "../../queue/task.ts";
import type { WaitingFor } from "../../queue/task.ts";
import { freeLease } from "../../store/lease.ts";
import type { Statement, Store } from "../../store/store.ts";
import { expireQuestion } from "../answers/answer-approval.ts";
import type { EventBody, RunError } from "../journal/event.ts";
import { hasEnded } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { foldInbox } from "./fold-inbox.ts";
import { isEarly, overdueQuestions } from "../journal/project.ts";
import type { RunSession } from "../session/session.ts";
import type { WalkResult } from "../journal/step-result.ts";

export interface DriveDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly runWorkflow: (session: RunSession) => Promise<WalkResult>;
  /** Called before messages are read: those that come later must interrupt the walk. */
  readonly listenAnew: () => void;
  /** True when something is left to undo. */
  readonly mustUnwind: (state: RunState) => boolean;
  /** Told of each message that is folded, by its id. */
  readonly heard: (inboxId: number) => void;
  /** True when the worker should let go between steps because the server stops. */
  readonly isStopping: () => boolean;
  /** The run ends with this error as soon as its messages are folded; see queue/vain-claims.ts. */
  readonly spent: RunError | null;
  /** Called when the batch that lets the run go is with the store. */
  readonly leaving: () => void;
}

/** Ends with the lease freed in the same batch as the last change. Throws LEASE_LOST and STORE_UNAVAILABLE. */
export async function drive(session: RunSession, deps: DriveDeps): Promise<void> {
  const { state } = session;
  for (;;) {
    deps.listenAnew();
    await foldInbox(session, deps);
    if (hasEnded(state)) return await letGo(session, [], deps);
    // A cancel breaks off what acts; the undoing needs a claim that is not broken off.
    if (state.unwinding !== null && session.interrupt.aborted) return await letGo(session, [], deps);
    if (deps.isStopping()) return await letGo(session, [], deps);
    if (state.phase === "paused") return await letGo(session, [], deps);
    if (isEarly(state, deps.clock.now())) return await letGo(session, [], deps);
    if (deps.spent !== null) return await letGo(session, [{ kind: "run.died", error: deps.spent }], deps);
    if (await expireOverdue(session, deps)) continue;
    const { retryAtMs, retrySetAtMs: setAtMs } = state;
    if (state.phase === "retrying" && !isRetryDue({ retryAtMs: retryAtMs ?? 0, setAtMs }, deps.clock.now()))
      return await letGo(session, [], deps);
    if (state.phase !== "running")
      await session.append([{ kind: "run.started", attempt: state.attempt + 1 }]);
    const result = await deps.runWorkflow(session);
    if (result.kind === "interrupted") continue;
    if (result.kind === "failed" && (await unwindAfter(session, result, deps))) continue;
    return await conclude(session, result, deps);
  }
}

/** Puts the answer "nobody came in time" into the inbox for every question whose time is over; true when there was one. */
export async function expireOverdue(
  { state, runId }: Pick<RunSession, "state" | "runId">,
  deps: Pick<DriveDeps, "store" | "clock">,
): Promise<boolean> {
  const overdue = overdueQuestions(state, deps.clock.now());
  for (const { path, question } of overdue)
    await expireQuestion(deps, { runId, step: path, approvalId: question!.id });
  return overdue.length > 0;
}

/** True when the run undoes things before it ends as failed. A dead letter may be tried again, so it keeps what it did. */
async function unwindAfter(
  session: RunSession,
  { error, transient }: Extract<WalkResult, { kind: "failed" }>,
  deps: DriveDeps,
): Promise<boolean> {
  const { state } = session;
  if (transient || state.unwinding !== null || !deps.mustUnwind(state)) return false;
  const body: EventBody = { kind: "run.unwinding", outcome: "failed", error, by: "system", reason: null };
  await session.append([body], { extra: [cancelApprovals(session.runId, "system", deps.clock.now())] });
  return true;
}

async function conclude(
  session: RunSession,
  result: Exclude<WalkResult, { kind: "interrupted" }>,
  deps: DriveDeps,
): Promise<void> {
  switch (result.kind) {
    case "completed":
      return await letGo(session, [{ kind: "run.completed", outputs: result.outputs }], deps);
    case "wait":
      return await letGo(session, [], deps, result.waiting);
    case "unwound":
      return await letGo(session, [endAfter(session.state)], deps);
    case "failed": {
      const { error } = result;
      const { attempt, maxAttempts } = session.state;
      const nowMs = deps.clock.now();
      const after = afterFailure({
        transient: result.transient,
        attempt,
        maxAttempts,
        nowMs,
        random: deps.random(),
      });
      switch (after.kind) {
        case "retry":
          return await letGo(session, [{ kind: "run.retrying", error, retryAtMs: after.retryAtMs }], deps);
        case "failed":
          return await letGo(session, [{ kind: "run.failed", error }], deps);
        case "dead":
          return await letGo(session, [{ kind: "run.died", error }], deps);
      }
    }
  }
}

function endAfter({ unwinding }: RunState): EventBody {
  if (unwinding?.outcome === "cancelled")
    return { kind: "run.cancelled", by: unwinding.by, reason: unwinding.reason };
  return {
    kind: "run.failed",
    error: unwinding?.error ?? { code: "ACTION_FAILED", message: "The run failed" },
  };
}

async function letGo(
  session: RunSession,
  bodies: readonly EventBody[],
  deps: DriveDeps,
  waiting?: WaitingFor,
): Promise<void> {
  const nowMs = deps.clock.now();
  const extra: Statement[] = [wakeIfMessages(session.runId, nowMs), freeLease(session.lease)];
  if (bodies.some((body) => body.kind === "run.failed" || body.kind === "run.died")) {
    extra.push(cancelApprovals(session.runId, "system", nowMs));
  }
  await session.append(bodies, {
    extra,
    onSent: deps.leaving,
    letting: waiting === undefined ? { kind: "yield" } : { kind: "wait", waiting },
  });
}

/** A message that came in while the run was being let go must not sleep until somebody else wakes it. */
function wakeIfMessages(runId: string, nowMs: number): Statement {
  return {
    sql: `UPDATE runs SET wake_at_ms = ? WHERE id = ? AND EXISTS
      (SELECT 1 FROM inbox WHERE inbox.run_id = runs.id AND inbox.folded_seq IS NULL)`,
    params: [nowMs, runId],
  };
}
