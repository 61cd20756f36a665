/** A run's state as a pure fold over its journal. No clock, no store: the same events give the same state everywhere. */
import type { KnownArtifact } from "../artifacts/artifact.ts";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { BlobRef } from "../blobs/blob.ts";
import type { Decision, OriginLabel } from "../policy/decision.ts";
import type {
  ActionIntent,
  ApprovalAnswer,
  OutcomeAnswer,
  Pins,
  Priority,
  RunError,
  RunEvent,
  StepStart,
} from "./event.ts";

/** Raised when the fold's meaning changes; pinned by each run. */
export const stateVersion = 1;

export type StepStatus =
  "running" | "waiting" | "retrying" | "completed" | "failed" | "skipped" | "denied" | "cancelled";

export interface PendingQuestion {
  readonly id: string;
  readonly about: "action" | "step" | "outcome";
  readonly argsDigest: string;
  readonly expiresAtMs: number | null;
}

/** The last answer to a question of this step; the gate reads it as an input when it runs again. */
export interface Answer {
  readonly approvalId: string;
  readonly argsDigest: string;
  readonly answer: ApprovalAnswer;
  readonly by: string;
  readonly reason: string | null;
}

export interface StepRecord {
  readonly path: string;
  readonly status: StepStatus;
  /** 0 before the first intent. */
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly start: StepStart | null;
  readonly intent: ActionIntent | null;
  /** An intent without an outcome: what a crash leaves behind. */
  readonly outcomeMissing: boolean;
  readonly output: JsonValue;
  readonly labels: readonly OriginLabel[];
  readonly error: RunError | null;
  readonly transient: boolean;
  readonly retryAtMs: number | null;
  readonly question: PendingQuestion | null;
  readonly answer: Answer | null;
  /** The decision that refused the step. */
  readonly denial: Decision | null;
  /** A person's word on a lost outcome, until the worker has acted on it. */
  readonly resolution: OutcomeAnswer | null;
  /** Why a guard holds the action back, until it goes on. */
  readonly held: { readonly reason: string; readonly retryAtMs: number } | null;
}

/** What was put right in the workspace when it was last opened. */
export interface WorkspaceRepair {
  readonly atMs: number;
  readonly putBack: readonly string[];
  readonly removed: readonly string[];
  readonly count: number;
}

export type RunPhase =
  "created" | "running" | "paused" | "retrying" | "completed" | "failed" | "dead" | "cancelled";

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
  pins: Pins;
  maxAttempts: number;
  attempt: number;
  retryAtMs: number | null;
  createdAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  error: RunError | null;
  outputs: JsonObject | null;
  /** Manifest of the files after the last outcome that changed them. */
  workspace: BlobRef | null;
  /** The last time files had to be put right; null: never. */
  repair: WorkspaceRepair | null;
  readonly steps: Map<string, StepRecord>;
  /** Where the values came from that steps have brought into the run so far. */
  readonly origins: Set<OriginLabel>;
  /** Latest record of each artifact by path; archived ones stay. */
  readonly artifacts: Map<string, KnownArtifact>;
  stepsDone: number;
}

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
    pins: { stateVersion, expressionVersion: 1, tools: {} },
    maxAttempts: 1,
    attempt: 0,
    retryAtMs: null,
    createdAtMs: 0,
    startedAtMs: null,
    endedAtMs: null,
    error: null,
    outputs: null,
    workspace: null,
    repair: null,
    steps: new Map(),
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
      return Object.assign(state, {
        workflow: body.workflow,
        inputs: body.inputs,
        requester: body.requester,
        priority: body.priority,
        labels: body.labels,
        maxAttempts: body.maxAttempts,
        parent: body.parent,
        pins: body.pins,
        workspace: body.workspace,
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
      state.phase = "paused";
      return state;
    case "run.resumed":
      // Back to where the pause found it.
      state.phase =
        state.startedAtMs === null ? "created" : state.retryAtMs === null ? "running" : "retrying";
      return state;
    case "run.revived":
      return Object.assign(state, { phase: "created", attempt: 0, endedAtMs: null, error: null });
    case "workspace.restored": {
      const { putBack, removed, count } = body;
      state.repair = { atMs, putBack, removed, count };
      return state;
    }
    case "run.retrying":
      return Object.assign(state, { phase: "retrying", retryAtMs: body.retryAtMs, error: body.error });
    case "run.cancelled":
      closeOpenSteps(state, "cancelled", atMs);
      return end(state, "cancelled", atMs, null);
    case "run.failed":
      closeOpenSteps(state, "failed", atMs);
      return end(state, "failed", atMs, body.error);
    case "run.died":
      closeOpenSteps(state, "failed", atMs);
      return end(state, "dead", atMs, body.error);
    case "run.completed":
      state.outputs = body.outputs;
      return end(state, "completed", atMs, null);
    case "step.started":
    case "step.completed":
    case "step.skipped":
    case "step.failed":
    case "action.intended":
    case "action.completed":
    case "action.failed":
    case "action.held":
    case "action.denied":
    case "approval.requested":
    case "approval.decided":
    case "outcome.resolved":
      return foldStep(state, body, atMs);
  }
}

type StepBody = Extract<RunEvent["body"], { readonly step: string }>;

function foldStep(state: RunState, body: StepBody, atMs: number): RunState {
  const before = state.steps.get(body.step) ?? newStep(body.step, atMs);
  const after = applyToStep(before, body, atMs);
  state.steps.set(body.step, after);
  if (isDone(after.status) && !isDone(before.status)) state.stepsDone += 1;
  for (const label of after.labels) state.origins.add(label);
  if (body.kind === "action.completed") {
    if (body.workspace !== null) state.workspace = body.workspace;
    for (const artifact of body.artifacts) state.artifacts.set(artifact.path, artifact);
  }
  return state;
}

function applyToStep(step: StepRecord, body: StepBody, atMs: number): StepRecord {
  switch (body.kind) {
    case "step.started":
      return { ...step, status: body.start.kind === "wait" ? "waiting" : "running", start: body.start };
    case "step.completed":
      return { ...step, status: "completed", output: body.output, endedAtMs: atMs, question: null };
    case "step.skipped":
      return { ...step, status: "skipped", endedAtMs: atMs, question: null };
    case "step.failed":
      return { ...step, status: "failed", error: body.error, endedAtMs: atMs, question: null };
    case "action.intended":
      return {
        ...step,
        status: "running",
        attempt: body.intent.attempt,
        intent: body.intent,
        outcomeMissing: true,
        question: null,
        resolution: null,
        retryAtMs: null,
        error: null,
        held: null,
      };
    case "action.completed":
      return {
        ...step,
        status: "completed",
        outcomeMissing: false,
        output: body.output,
        labels: body.labels,
        endedAtMs: atMs,
      };
    case "action.failed":
      return {
        ...step,
        status: body.retryAtMs === null ? "failed" : "retrying",
        outcomeMissing: false,
        error: body.error,
        transient: body.transient,
        retryAtMs: body.retryAtMs,
        endedAtMs: body.retryAtMs === null ? atMs : null,
        // A retry asks policy and people anew.
        answer: null,
      };
    case "action.held":
      // A retry stays one: its status is what raises the attempt's number.
      return {
        ...step,
        status: step.status === "retrying" ? "retrying" : "waiting",
        held: { reason: body.reason, retryAtMs: body.retryAtMs },
      };
    case "action.denied": {
      const refused = { status: "denied", error: body.error, denial: body.decision, held: null } as const;
      return { ...step, ...refused, endedAtMs: atMs, question: null };
    }
    case "approval.requested":
      return {
        ...step,
        status: "waiting",
        held: null,
        question: {
          id: body.approvalId,
          about: body.about,
          argsDigest: body.argsDigest,
          expiresAtMs: body.expiresAtMs,
        },
      };
    case "approval.decided":
      return {
        ...step,
        status: "running",
        question: null,
        answer: {
          approvalId: body.approvalId,
          argsDigest: step.question?.argsDigest ?? "",
          answer: body.answer,
          by: body.by,
          reason: body.reason,
        },
      };
    case "outcome.resolved":
      return resolveOutcome(step, body, atMs);
  }
}

function resolveOutcome(
  step: StepRecord,
  body: Extract<StepBody, { kind: "outcome.resolved" }>,
  atMs: number,
): StepRecord {
  const answered = { ...step, question: null, outcomeMissing: false, resolution: body.answer };
  switch (body.answer) {
    case "happened":
      return { ...answered, status: "completed", output: body.output, labels: ["user"], endedAtMs: atMs };
    case "did-not-happen":
      return { ...answered, status: "running" };
    case "abandon":
      return {
        ...answered,
        status: "failed",
        endedAtMs: atMs,
        error: {
          code: "OUTCOME_ABANDONED",
          message: `${body.by} abandoned the step after its outcome was lost`,
        },
      };
  }
}

function newStep(path: string, atMs: number): StepRecord {
  return {
    path,
    status: "running",
    attempt: 0,
    startedAtMs: atMs,
    endedAtMs: null,
    start: null,
    intent: null,
    outcomeMissing: false,
    output: null,
    labels: [],
    error: null,
    transient: false,
    retryAtMs: null,
    question: null,
    answer: null,
    denial: null,
    resolution: null,
    held: null,
  };
}

function isDone(status: StepStatus): boolean {
  return status === "completed" || status === "skipped";
}

/** A new attempt of the run tries its failed steps again; their attempt number keeps rising. */
function reopenFailedSteps(state: RunState): void {
  for (const [path, step] of state.steps) {
    if (step.status !== "failed" && step.status !== "denied") continue;
    state.steps.set(path, { ...step, status: "retrying", endedAtMs: null, retryAtMs: null, answer: null });
  }
}

/** Branches and loops around a step that failed or was cancelled end with the run. */
function closeOpenSteps(state: RunState, status: "failed" | "cancelled", atMs: number): void {
  for (const [path, step] of state.steps) {
    if (step.endedAtMs !== null) continue;
    state.steps.set(path, { ...step, status, endedAtMs: atMs, question: null });
  }
}

function end(state: RunState, phase: RunPhase, atMs: number, error: RunError | null): RunState {
  return Object.assign(state, { phase, endedAtMs: atMs, error, retryAtMs: null });
}
