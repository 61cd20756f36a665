/** Drives one claimed run as far as it can go: messages, the workflow, the verdict on its attempt, and the letting go. */
import type { Clock } from "../base/clock.ts";
import { cancelApprovals } from "../gate/approvals.ts";
import { afterFailure } from "../queue/task.ts";
import type { WaitingFor } from "../queue/task.ts";
import { freeLease } from "../store/lease.ts";
import type { Statement, Store } from "../store/store.ts";
import { expireQuestion } from "./control.ts";
import type { EventBody, RunError } from "./event.ts";
import { hasEnded } from "./fold.ts";
import { foldInbox } from "./fold-inbox.ts";
import { openQuestion } from "./project.ts";
import type { RunSession } from "./session.ts";

/** How the workflow ended for now. */
export type WorkflowResult =
  | { readonly kind: "completed"; readonly outputs: Extract<EventBody, { kind: "run.completed" }>["outputs"] }
  | { readonly kind: "wait"; readonly waiting: WaitingFor }
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly error: RunError; readonly transient: boolean };

export interface DriveDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly runWorkflow: (session: RunSession) => Promise<WorkflowResult>;
  /** Called before messages are read: those that come later must interrupt the walk. */
  readonly listenAnew: () => void;
  /** True when the worker should let go between steps because the server stops. */
  readonly isStopping: () => boolean;
}

/** Ends with the lease freed in the same batch as the last change. Throws LEASE_LOST and STORE_UNAVAILABLE. */
export async function drive(session: RunSession, deps: DriveDeps): Promise<void> {
  const { state } = session;
  for (;;) {
    deps.listenAnew();
    await foldInbox(session, deps.store);
    if (hasEnded(state)) return await letGo(session, [], deps);
    if (deps.isStopping()) return await letGo(session, [], deps);
    if (state.phase === "paused") return await letGo(session, [], deps);
    if (await expireIfDue(session, deps)) continue;
    if (state.phase === "retrying" && (state.retryAtMs ?? 0) > deps.clock.now())
      return await letGo(session, [], deps);
    if (state.phase !== "running")
      await session.append([{ kind: "run.started", attempt: state.attempt + 1 }]);
    const result = await deps.runWorkflow(session);
    if (result.kind === "interrupted") continue;
    return await conclude(session, result, deps);
  }
}

async function expireIfDue(session: RunSession, deps: DriveDeps): Promise<boolean> {
  const step = openQuestion(session.state);
  const expiresAtMs = step?.question?.expiresAtMs ?? Infinity;
  if (step === undefined || expiresAtMs > deps.clock.now()) return false;
  await expireQuestion(deps, { runId: session.runId, step: step.path, approvalId: step.question!.id });
  return true;
}

async function conclude(
  session: RunSession,
  result: Exclude<WorkflowResult, { kind: "interrupted" }>,
  deps: DriveDeps,
): Promise<void> {
  switch (result.kind) {
    case "completed":
      return await letGo(session, [{ kind: "run.completed", outputs: result.outputs }], deps);
    case "wait":
      return await letGo(session, [], deps, result.waiting);
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
