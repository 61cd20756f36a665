/** Projections of a run's fold: the queue's row and what a person sees. Pure. */
import type { RunRow } from "../../queue/run-row.ts";
import type { TaskState, WaitingFor } from "../../queue/task.ts";
import { hasEnded } from "./fold.ts";
import { wakeTime } from "./step-result.ts";
import type { RunState } from "./fold.ts";
import type { StepRecord } from "./step-record.ts";

/** Why a worker let go of a run that has not ended; null while it holds it. */
export type Letting = { readonly kind: "yield" } | { readonly kind: "wait"; readonly waiting: WaitingFor };

export interface Projection {
  readonly tenant: string;
  readonly stepsTotal: number;
  /** What the holder does next: null keeps the run RUNNING under its lease. */
  readonly letting: Letting | null;
  readonly nowMs: number;
  /** When another worker should look if this one dies. */
  readonly leaseUntilMs: number;
}

/** The row of the `runs` table for this state. */
export function projectRow(state: RunState, projection: Projection): RunRow {
  const waiting = waitingOf(state, projection);
  return {
    id: state.id,
    tenant: projection.tenant,
    state: taskStateOf(state, waiting, projection.letting),
    workflowName: state.workflow.name,
    workflowDigest: state.workflow.digest,
    priority: state.priority,
    requester: state.requester,
    labels: state.labels,
    parent: state.parent,
    attempts: state.attempt,
    maxAttempts: state.maxAttempts,
    wakeAtMs: wakeAtOf(state, waiting, projection),
    waiting,
    error: state.error,
    headSeq: state.headSeq,
    headDigest: state.headDigest,
    stepsDone: state.stepsDone,
    stepsTotal: Math.max(projection.stepsTotal, state.stepsDone),
    artifactCount: [...state.artifacts.values()].filter((artifact) => artifact.change !== "archived").length,
    createdAtMs: state.createdAtMs,
    startedAtMs: state.startedAtMs,
    endedAtMs: state.endedAtMs,
  };
}

function waitingOf(state: RunState, { letting, nowMs }: Projection): WaitingFor | null {
  if (hasEnded(state)) return null;
  if (state.phase === "paused") return { kind: "pause" };
  if (state.phase === "retrying") return { kind: "retry", untilMs: state.retryAtMs ?? 0 };
  if (isEarly(state, nowMs)) return { kind: "timer", untilMs: state.notBeforeMs ?? 0 };
  return letting?.kind === "wait" ? letting.waiting : null;
}

function taskStateOf(state: RunState, waiting: WaitingFor | null, letting: Letting | null): TaskState {
  switch (state.phase) {
    case "created":
      return waiting === null ? "QUEUED" : "PENDING";
    case "retrying":
      return "RETRYING";
    case "paused":
      return "WAITING";
    case "running":
      if (waiting !== null) return "WAITING";
      return letting?.kind === "yield" ? "QUEUED" : "RUNNING";
    case "completed":
      return "COMPLETED";
    case "failed":
      return "FAILED";
    case "dead":
      return "DEAD";
    case "cancelled":
      return "CANCELLED";
  }
}

/** True while a run that has not begun must not begin. */
export function isEarly({ phase, notBeforeMs }: RunState, nowMs: number): boolean {
  return phase === "created" && notBeforeMs !== null && notBeforeMs > nowMs;
}

function wakeAtOf(state: RunState, waiting: WaitingFor | null, projection: Projection): number | null {
  if (hasEnded(state)) return null;
  if (waiting !== null) return wakeTime(waiting);
  // Held runs stay due at the lease's end: if the holder dies, the next look finds them.
  return projection.letting === null && state.phase === "running"
    ? projection.leaseUntilMs
    : projection.nowMs;
}

/** Questions whose time is over; branches may have asked several. */
export function overdueQuestions(state: RunState, nowMs: number): readonly StepRecord[] {
  return [...state.steps.values()].filter(
    ({ question }) => question !== null && (question.expiresAtMs ?? Infinity) <= nowMs,
  );
}
