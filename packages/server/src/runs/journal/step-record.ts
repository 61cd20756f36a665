/** What the fold knows of one step of a run. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { AskedFor } from "../../gate/asked-for.ts";
import type { Decision, OriginLabel } from "../../policy/rules/decision.ts";
import type { ActionIntent, ApprovalAnswer, OutcomeAnswer, RunError, StepStart } from "./event.ts";

export type StepStatus =
  "running" | "waiting" | "retrying" | "completed" | "failed" | "skipped" | "denied" | "cancelled";

export interface PendingQuestion {
  readonly id: string;
  readonly about: "action" | "step" | "outcome";
  readonly argsDigest: string;
  readonly expiresAtMs: number | null;
  readonly askedFor?: AskedFor;
}

/** The last answer to a question of this step; the gate reads it as an input when it runs again. */
export interface Answer {
  readonly approvalId: string;
  readonly argsDigest: string;
  readonly answer: ApprovalAnswer;
  readonly by: string;
  readonly reason: string | null;
  /** Digest of the arguments the answer put in place of those asked about; see `StepRecord.edit`. */
  readonly editDigest?: string;
  /** What policy asked for; absent in journals of older versions. */
  readonly askedFor?: AskedFor;
}

export interface StepRecord {
  readonly path: string;
  readonly status: StepStatus;
  /** 0 before the first intent. */
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** The event that ended it: steps are undone in the reverse order. */
  readonly endedSeq: number | null;
  readonly start: StepStart | null;
  /** When the step's own `timeout` is over. */
  readonly deadlineAtMs: number | null;
  /** It failed, and the workflow has dealt with that. */
  readonly isCaught: boolean;
  /** Branches or rounds that failed without ending the step, by name. */
  readonly laneErrors: JsonObject | null;
  readonly intent: ActionIntent | null;
  /** An intent without an outcome: what a crash leaves behind. */
  readonly outcomeMissing: boolean;
  readonly output: JsonValue;
  readonly labels: readonly OriginLabel[];
  readonly error: RunError | null;
  readonly transient: boolean;
  /** A try of it acted although the step failed: its answer was refused. */
  readonly didHappen: boolean;
  readonly retryAtMs: number | null;
  /** By the same clock: when it was put off until then. */
  readonly retrySetAtMs: number;
  readonly question: PendingQuestion | null;
  readonly answer: Answer | null;
  /** The arguments a person gave instead of the step's own; they stay for its later attempts. */
  readonly edit: JsonObject | null;
  /** The decision that refused the step. */
  readonly denial: Decision | null;
  /** What was refused. */
  readonly refused: { readonly tool: string; readonly resource: string } | null;
  /** A person's word on a lost outcome, until the worker has acted on it. */
  readonly resolution: OutcomeAnswer | null;
  /** The event of another run whose outcome this is. */
  readonly carried: { readonly run: string; readonly seq: number } | null;
  /** Why a guard holds the action back, until it goes on. */
  readonly held: { readonly reason: string; readonly retryAtMs: number } | null;
}

export function newStep(path: string, atMs: number): StepRecord {
  return {
    path,
    status: "running",
    attempt: 0,
    startedAtMs: atMs,
    endedAtMs: null,
    endedSeq: null,
    start: null,
    deadlineAtMs: null,
    isCaught: false,
    laneErrors: null,
    intent: null,
    outcomeMissing: false,
    output: null,
    labels: [],
    error: null,
    transient: false,
    didHappen: false,
    retryAtMs: null,
    retrySetAtMs: 0,
    question: null,
    answer: null,
    edit: null,
    denial: null,
    refused: null,
    resolution: null,
    carried: null,
    held: null,
  };
}

/** Steps behind it go on. */
export function isDone({ status, isCaught }: StepRecord): boolean {
  return status === "completed" || status === "skipped" || isCaught;
}

/**
 * Something counts on its going on: steps inside it, a question, a yes that was given, an act whose outcome is not on record. Another
 * try, or a step that a guard holds back, is nothing yet.
 */
export function isUnderWay(step: StepRecord): boolean {
  if (step.start !== null) return true;
  if (step.question !== null || step.answer !== null) return true;
  return step.outcomeMissing || step.resolution !== null;
}
