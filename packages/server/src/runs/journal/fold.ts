/** A run's state as a pure fold over its journal. No clock, no store: the same events give the same state everywhere. */
import type { KnownArtifact } from "../../artifacts/artifact.ts";
import type { JsonObject } from "../../base/canonical-json.ts";
import type { BlobRef } from "../../blobs/blob.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { Ancestor, Inherited, Pins, Priority, RunError, RunEvent, RunOrigin } from "./event.ts";
import { applyToStep } from "./fold-step.ts";
import type { StepBody } from "./fold-step.ts";
import { keepSignals } from "./open-signals.ts";
import type { ReceivedSignal } from "./open-signals.ts";
import { isDone, newStep } from "./step-record.ts";
import type { StepRecord, StepStatus } from "./step-record.ts";

/** Raised when the fold's meaning changes; pinned by each run. */
export const stateVersion = 1;

/** What was put right in the workspace when it was last opened. */
export interface WorkspaceRepair {
  readonly atMs: number;
  readonly putBack: readonly string[];
  readonly removed: readonly string[];
  readonly count: number;
}

export type RunPhase =
  "created" | "running" | "paused" | "retrying" | "completed" | "failed" | "dead" | "cancelled";

/** How the run will end once everything is undone. */
export interface Unwinding {
  readonly outcome: "failed" | "cancelled";
  readonly error: RunError | null;
  readonly by: string;
  readonly reason: string | null;
}

/** What a person has told the run. */
export interface SteeringMessage {
  readonly atMs: number;
  readonly by: string;
  readonly text: string;
}

export interface RunState {
  readonly id: string;
  phase: RunPhase;
  headSeq: number;
  headDigest: string;
  workflow: { readonly name: string; readonly digest: string; readonly text: string };
  inputs: JsonObject;
  requester: string;
  priority: Priority;
  labels: readonly string[];
  parent: string | null;
  /** The run this one was re-run or forked from. */
  origin: RunOrigin | null;
  stepArguments: Readonly<Record<string, JsonObject>>;
  /** Oldest first, at most `mostMessages`. */
  messages: readonly SteeringMessage[];
  /** Not empty when a step of another run waits for this one. */
  ancestors: readonly Ancestor[];
  /** What the parent's time allows; null: no bound from outside. */
  deadlineAtMs: number | null;
  /** Null: made by a person's task, with inputs of their own. */
  inherited: Inherited | null;
  /** Nothing begins before; null: at once. */
  notBeforeMs: number | null;
  pins: Pins;
  maxAttempts: number;
  attempt: number;
  retryAtMs: number | null;
  /** By the same clock: when it was put off until then. */
  retrySetAtMs: number;
  createdAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  /** The paused parent that holds this run; null: it is not paused, or was by a person. */
  heldBy: string | null;
  error: RunError | null;
  outputs: JsonObject | null;
  /** Manifest of the files after the last outcome that changed them. */
  workspace: BlobRef | null;
  /** Manifest of the files the task brought. */
  broughtFiles: BlobRef | null;
  /** The last time files had to be put right; null: never. */
  repair: WorkspaceRepair | null;
  readonly steps: Map<string, StepRecord>;
  /** Oldest first; of each name what `keepSignals` keeps. */
  signals: readonly ReceivedSignal[];
  /** Child runs that a step waits for, with the step. */
  readonly openChildren: Map<string, string>;
  unwinding: Unwinding | null;
  /** Where the values came from that steps have brought into the run so far. */
  readonly origins: Set<OriginLabel>;
  /** Latest record of each artifact by path; archived ones stay. */
  readonly artifacts: Map<string, KnownArtifact>;
  stepsDone: number;
}

/** More would make every evaluation of `run.messages` slow; the journal keeps them all. */
const mostMessages = 100;

const endedPhases: ReadonlySet<RunPhase> = new Set(["completed", "failed", "dead", "cancelled"]);

/** A dead run has ended too, but a person may revive it. */
export function hasEnded(state: Pick<RunState, "phase">): boolean {
  return endedPhases.has(state.phase);
}

export function initialState(runId: string, headDigest: string): RunState {
  return {
    id: runId,
    phase: "created",
    headSeq: 0,
    headDigest,
    workflow: { name: "", digest: "", text: "" },
    inputs: {},
    requester: "",
    priority: "normal",
    labels: [],
    parent: null,
    origin: null,
    stepArguments: {},
    messages: [],
    ancestors: [],
    deadlineAtMs: null,
    inherited: null,
    notBeforeMs: null,
    pins: { stateVersion, expressionVersion: 1, tools: {} },
    maxAttempts: 1,
    attempt: 0,
    retryAtMs: null,
    retrySetAtMs: 0,
    createdAtMs: 0,
    startedAtMs: null,
    endedAtMs: null,
    heldBy: null,
    error: null,
    outputs: null,
    workspace: null,
    broughtFiles: null,
    repair: null,
    steps: new Map(),
    signals: [],
    openChildren: new Map(),
    unwinding: null,
    origins: new Set(),
    artifacts: new Map(),
    stepsDone: 0,
  };
}

/**
 * Applies one event. The state is changed in place and returned: a fold over 10,000 events must not copy maps 10,000
 * times (RUN-1's 100 ms); callers treat a state they did not make as read-only.
 */
export function fold(state: RunState, event: RunEvent): RunState {
  const { body, atMs } = event;
  state.headSeq = event.seq;
  state.headDigest = event.digest;
  switch (body.kind) {
    case "run.created":
      for (const label of body.inherited?.seen ?? []) state.origins.add(label);
      return Object.assign(state, {
        workflow: body.workflow,
        inputs: body.inputs,
        requester: body.requester,
        priority: body.priority,
        labels: body.labels,
        maxAttempts: body.maxAttempts,
        parent: body.parent,
        ancestors: body.ancestors ?? [],
        deadlineAtMs: body.deadlineAtMs ?? null,
        inherited: body.inherited ?? null,
        notBeforeMs: body.notBeforeMs ?? null,
        pins: body.pins,
        workspace: body.workspace,
        broughtFiles: body.brought === undefined ? body.workspace : body.brought,
        origin: body.origin ?? null,
        stepArguments: body.stepArguments ?? {},
        createdAtMs: atMs,
      });
    case "run.started":
      reopenFailedSteps(state);
      return Object.assign(state, {
        phase: "running",
        attempt: body.attempt,
        startedAtMs: state.startedAtMs ?? atMs,
        retryAtMs: null,
        error: null,
      });
    case "run.paused":
      return Object.assign(state, { phase: "paused", heldBy: body.heldBy ?? null });
    case "run.resumed":
      state.heldBy = null;
      // Back to where the pause found it.
      state.phase =
        state.startedAtMs === null ? "created" : state.retryAtMs === null ? "running" : "retrying";
      return state;
    case "run.revived":
      return Object.assign(state, { phase: "created", attempt: 0, endedAtMs: null, error: null });
    case "message.set_aside":
      // For people to see; it changes nothing.
      return state;
    case "workspace.restored": {
      const { putBack, removed, count } = body;
      state.repair = { atMs, putBack, removed, count };
      return state;
    }
    case "run.steered": {
      const message: SteeringMessage = { atMs, by: body.by, text: body.message };
      state.messages = [...state.messages, message].slice(-mostMessages);
      state.origins.add("user");
      return state;
    }
    case "run.retrying": {
      const { retryAtMs, error } = body;
      return Object.assign(state, { phase: "retrying", retryAtMs, retrySetAtMs: atMs, error });
    }
    case "run.unwinding": {
      const { outcome, error, by, reason } = body;
      closeOpenSteps(state, outcome, event);
      const unwinding: Unwinding = { outcome, error, by, reason };
      return Object.assign(state, { unwinding, phase: "running", endedAtMs: null, retryAtMs: null });
    }
    case "run.cancelled":
      closeOpenSteps(state, "cancelled", event);
      return end(state, "cancelled", atMs, null);
    case "run.failed":
      closeOpenSteps(state, "failed", event);
      return end(state, "failed", atMs, body.error);
    case "run.died":
      closeOpenSteps(state, "failed", event);
      return end(state, "dead", atMs, body.error);
    case "signal.received": {
      const { name, data, by } = body;
      state.signals = keepSignals(state.signals, { seq: event.seq, name, data, by, atMs });
      state.origins.add("user");
      return state;
    }
    case "step.reopened":
      return reopenBelow(state, body.step);
    case "run.completed":
      state.outputs = body.outputs;
      return end(state, "completed", atMs, null);
    case "step.started":
    case "step.completed":
    case "step.carried":
    case "step.skipped":
    case "step.failed":
    case "step.caught":
    case "step.cancelled":
    case "child.ended":
    case "action.intended":
    case "action.completed":
    case "action.failed":
    case "action.held":
    case "action.denied":
    case "approval.requested":
    case "approval.decided":
    case "outcome.resolved":
      return foldStep(state, body, event);
  }
}

function foldStep(state: RunState, body: StepBody, { atMs, seq }: RunEvent): RunState {
  const before = state.steps.get(body.step) ?? newStep(body.step, atMs);
  const applied = applyToStep(before, body, atMs);
  const isEnding = before.endedAtMs === null && applied.endedAtMs !== null;
  const after = isEnding ? { ...applied, endedSeq: seq } : applied;
  state.steps.set(body.step, after);
  if (isDone(after) && !isDone(before)) state.stepsDone += 1;
  noteChild(state, after);
  if (body.kind === "step.completed" && body.signalSeq !== undefined) {
    state.signals = state.signals.filter((signal) => signal.seq !== body.signalSeq);
  }
  for (const label of after.labels) state.origins.add(label);
  if (body.kind === "action.completed") {
    if (body.workspace !== null) state.workspace = body.workspace;
    for (const artifact of body.artifacts) state.artifacts.set(artifact.path, artifact);
  }
  return state;
}

function noteChild(state: RunState, step: StepRecord): void {
  if (step.start?.kind !== "workflow") return;
  if (step.status === "waiting") state.openChildren.set(step.start.childId, step.path);
  else state.openChildren.delete(step.start.childId);
}

/** A new attempt of the run tries its failed steps again; their attempt number keeps rising. */
function reopenFailedSteps(state: RunState): void {
  for (const step of state.steps.values()) {
    if (!isDone(step) && !isBelowDone(state, step.path)) reopen(state, step);
  }
}

/** As reopenFailedSteps, for one step and what is below it; its answered question is forgotten. */
function reopenBelow(state: RunState, path: string): RunState {
  for (const step of state.steps.values()) {
    if (step.path.startsWith(`${path}/`) && !isDone(step)) reopen(state, step);
  }
  const self = state.steps.get(path);
  if (self !== undefined) state.steps.set(path, { ...self, answer: null, question: null });
  return state;
}

const reopenable: ReadonlySet<StepStatus> = new Set(["failed", "denied", "cancelled"]);

function reopen(state: RunState, step: StepRecord): void {
  if (!reopenable.has(step.status)) return;
  const again = {
    status: "retrying",
    endedAtMs: null,
    endedSeq: null,
    retryAtMs: null,
    answer: null,
  } as const;
  // A timeout begins anew with the attempt.
  state.steps.set(step.path, { ...step, ...again, deadlineAtMs: null });
}

/** What failed inside a step that is done was dealt with there. */
function isBelowDone(state: RunState, path: string): boolean {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const above = state.steps.get(path.slice(0, end));
    if (above !== undefined && isDone(above)) return true;
  }
  return false;
}

/** Branches and loops around a step that failed or was cancelled end with the run. */
function closeOpenSteps(state: RunState, status: "failed" | "cancelled", { atMs, seq }: RunEvent): void {
  for (const [path, step] of state.steps) {
    if (step.endedAtMs !== null) continue;
    const ended = { endedAtMs: atMs, endedSeq: seq, question: null, held: null } as const;
    const closed: StepRecord = { ...step, status, ...ended };
    state.steps.set(path, closed);
    noteChild(state, closed);
  }
}

function end(state: RunState, phase: RunPhase, atMs: number, error: RunError | null): RunState {
  return Object.assign(state, { phase, endedAtMs: atMs, error, retryAtMs: null });
}
