/** The journal's events, schema version 1. A run's state is a fold over these; nothing else is the truth about a run. */
import type { ArtifactRecord } from "../../artifacts/artifact.ts";
import type { Actor } from "../../base/ledger-entry.ts";
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { BlobRef } from "../../blobs/blob.ts";
import type { PastAct } from "../../policy/rules/argument-origin.ts";
import type { Decision, OriginLabel } from "../../policy/rules/decision.ts";
import type { Asked } from "../../policy/rules/recorded-action.ts";
import type { EffectClass } from "../../tools/tool.ts";

export const eventVersion = 1;

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly step?: string;
}

export type Priority = "high" | "normal" | "low";

/** What a run pins at its creation. Permissions are never pinned: each decision uses the active policy. */
export interface Pins {
  readonly stateVersion: number;
  readonly expressionVersion: number;
  /** Action name -> digest of its argument schema. */
  readonly tools: Readonly<Record<string, string>>;
  /** Name -> digest of the registered workflows its steps run. */
  readonly workflows?: Readonly<Record<string, string>>;
  /** Version of the program that took the task and checked its text. Absent in journals of older versions. */
  readonly program?: string;
}

/** `args` are resolved; `argsDigest` is what an approval and a permit are bound to. */
export interface ActionIntent {
  readonly tool: string;
  readonly effect: EffectClass;
  readonly args: JsonObject;
  readonly argsDigest: string;
  readonly resource: string;
  readonly summary: string;
  readonly labels: readonly OriginLabel[];
  /** 1 for the first try; rises only after a recorded failure. */
  readonly attempt: number;
  /** `run/stepPath/attempt`. */
  readonly key: string;
  readonly decision: Decision;
  readonly approvalId: string | null;
  /** Nobody re-runs or resolves the outcome before this wall time, unless the owner is provably dead. */
  readonly deadlineAtMs: number;
  /** The act is over this long after its intent by any clock; absent in journals of older versions. */
  readonly mayTakeMs?: number;
  /** True when this intent repeats one whose outcome was lost, under the same key. */
  readonly resumed: boolean;
  /** Absent in journals of older versions. */
  readonly asked?: Asked;
}

export type StepStart =
  | { readonly kind: "branch"; readonly chosen: number }
  | { readonly kind: "for_each"; readonly items: readonly JsonValue[] }
  | { readonly kind: "parallel" }
  | { readonly kind: "group" }
  | { readonly kind: "wait"; readonly untilMs: number }
  | { readonly kind: "signal"; readonly name: string; readonly untilMs: number | null }
  | {
      readonly kind: "workflow";
      readonly childId: string;
      readonly workflow: { readonly name: string; readonly digest: string };
    }
  /** The undoing of the step in front of `/compensate`. */
  | { readonly kind: "compensate" };

/** The time of a schedule that a run was made for. */
export interface ScheduleOrigin {
  readonly id: string;
  readonly name: string;
  readonly occurrenceAtMs: number;
  /** Absent: the schedule's own clock; else the person who did not wait for it. */
  readonly triggeredBy?: string;
}

/** A run around this one, and the step of it that waits. */
export interface Ancestor {
  readonly runId: string;
  readonly workflow: string;
  readonly step: string;
}

/** The run this one was made from: tried again from a step, or forked at a point. */
export interface RunOrigin {
  readonly kind: "rerun" | "fork";
  readonly run: string;
  /** The last event of that run which counts for this one; 0: from the beginning. */
  readonly seq: number;
}

export type ApprovalAnswer = "approve" | "reject" | "expire";
export type OutcomeAnswer = "happened" | "did-not-happen" | "abandon";

/** What a run takes over for rules on data flow. */
export interface Inherited {
  /** By input: where it came from, when that is not the requester's or an operator's word alone. */
  readonly inputs: Readonly<Record<string, readonly OriginLabel[]>>;
  /** Labels of everything that was seen before. */
  readonly seen: readonly OriginLabel[];
  /** What was done before, oldest first. */
  readonly acts: readonly PastAct[];
}

export type EventBody =
  | {
      readonly kind: "run.created";
      readonly workflow: { readonly name: string; readonly digest: string; readonly text: string };
      readonly inputs: JsonObject;
      readonly requester: string;
      readonly priority: Priority;
      readonly labels: readonly string[];
      readonly maxAttempts: number;
      readonly parent: string | null;
      readonly pins: Pins;
      readonly workspace: BlobRef | null;
      /** Set for a re-run and a fork; `parent` then names the same run. */
      readonly origin?: RunOrigin;
      /** What was handed in with the first task, when `workspace` is a later one. */
      readonly brought?: BlobRef | null;
      /** By step path: members that replace those the workflow gives to the tool. */
      readonly stepArguments?: Readonly<Record<string, JsonObject>>;
      /** Set when a step of another run waits for this one: the outermost run first, the parent last. */
      readonly ancestors?: readonly Ancestor[];
      /** When the time is up that the parent has left. */
      readonly deadlineAtMs?: number | null;
      /** Not before this time; it is PENDING until then. */
      readonly notBeforeMs?: number;
      /** Set when a schedule made it: which one, and for which of its times. */
      readonly schedule?: ScheduleOrigin;
      /** Set when another run or a call from outside made it; absent in journals of older versions. */
      readonly inherited?: Inherited;
    }
  | { readonly kind: "run.started"; readonly attempt: number }
  | {
      readonly kind: "run.paused";
      readonly by: string;
      readonly reason: string | null;
      /** The parent whose pause this one follows; its resume ends both. */
      readonly heldBy?: string;
    }
  | { readonly kind: "run.resumed"; readonly by: string }
  | { readonly kind: "run.cancelled"; readonly by: string; readonly reason: string | null }
  | { readonly kind: "run.retrying"; readonly error: RunError; readonly retryAtMs: number }
  | { readonly kind: "run.failed"; readonly error: RunError }
  | { readonly kind: "run.died"; readonly error: RunError }
  | { readonly kind: "run.revived"; readonly by: string }
  /** A person's word to a run that is under way; workflows read it as `run.messages`. */
  | { readonly kind: "run.steered"; readonly by: string; readonly message: string }
  | {
      /** A message that no journal can hold: the run goes on without it. */
      readonly kind: "message.set_aside";
      /** What it was: `steer`, `signal`, ... */
      readonly message: string;
      readonly by: string;
      readonly why: string;
    }
  | {
      /** What lay in the workspace was not what the journal says, and was put right: these files are named for people. */
      readonly kind: "workspace.restored";
      /** Files that were put back as they had been, at most 20 of `count`. */
      readonly putBack: readonly string[];
      /** Files nobody had recorded, at most 20. */
      readonly removed: readonly string[];
      readonly count: number;
    }
  | {
      /** What was done is undone before the run ends as `outcome`. */
      readonly kind: "run.unwinding";
      readonly outcome: "failed" | "cancelled";
      readonly error: RunError | null;
      readonly by: string;
      readonly reason: string | null;
    }
  | { readonly kind: "run.completed"; readonly outputs: JsonObject }
  | {
      readonly kind: "step.started";
      readonly step: string;
      readonly start: StepStart;
      /** When the step's `timeout` is over. */
      readonly deadlineAtMs?: number;
    }
  | {
      readonly kind: "step.completed";
      readonly step: string;
      readonly output: JsonValue;
      /** The `signal.received` that this step took. */
      readonly signalSeq?: number;
      /** Branches or rounds that failed without ending the step, by name. */
      readonly laneErrors?: JsonObject;
    }
  | {
      /** Not done here: the outcome another run has on record, and the event that proves it there. */
      readonly kind: "step.carried";
      readonly step: string;
      /** `open`: a branch or loop that is gone on with from within. */
      readonly as: "completed" | "skipped" | "caught" | "open";
      readonly output: JsonValue;
      readonly labels: readonly OriginLabel[];
      readonly start: StepStart | null;
      readonly laneErrors: JsonObject | null;
      readonly error: RunError | null;
      /** What was done there; never done or undone here. */
      readonly intent: ActionIntent | null;
      readonly from: { readonly run: string; readonly seq: number; readonly digest: string };
    }
  | { readonly kind: "step.skipped"; readonly step: string; readonly reason: string }
  | {
      readonly kind: "step.failed";
      readonly step: string;
      readonly error: RunError;
      /** True when another attempt of the run may do better. */
      readonly transient?: boolean;
    }
  /** Dealt with by the step's own `catch` or `on_error: continue`; it stays failed, and the run goes on. */
  | { readonly kind: "step.caught"; readonly step: string; readonly output: JsonValue }
  /** Given up because a step around it ended. */
  | { readonly kind: "step.cancelled"; readonly step: string; readonly reason: string }
  /** A person wants what failed below this path tried again. */
  | { readonly kind: "step.reopened"; readonly step: string; readonly by: string }
  | {
      readonly kind: "child.ended";
      readonly step: string;
      readonly childId: string;
      readonly state: "completed" | "failed" | "dead" | "cancelled";
      readonly output: JsonValue;
      readonly labels: readonly OriginLabel[];
      readonly error: RunError | null;
    }
  | {
      readonly kind: "signal.received";
      readonly name: string;
      readonly data: JsonValue;
      readonly by: string;
    }
  | { readonly kind: "action.intended"; readonly step: string; readonly intent: ActionIntent }
  | {
      readonly kind: "action.completed";
      readonly step: string;
      readonly attempt: number;
      readonly output: JsonValue;
      readonly labels: readonly OriginLabel[];
      readonly durationMs: number;
      readonly workspace: BlobRef | null;
      readonly artifacts: readonly ArtifactRecord[];
      /** Set when the outcome was found by the tool's own check after a crash. */
      readonly recovered: boolean;
    }
  | {
      readonly kind: "action.failed";
      readonly step: string;
      readonly attempt: number;
      readonly error: RunError;
      /** Where the error's words came from; absent in journals of older versions. */
      readonly labels?: readonly OriginLabel[];
      /** When the step tries again; null when this was the last try. */
      readonly retryAtMs: number | null;
      readonly transient: boolean;
      /** The tool acted, and only its answer was refused: there is something to undo, and nothing to try again blindly. */
      readonly didHappen?: true;
    }
  | {
      /** A rate or the circuit breaker holds the action back; written when the run lets go of its worker meanwhile. */
      readonly kind: "action.held";
      readonly step: string;
      readonly reason: string;
      readonly retryAtMs: number;
    }
  | {
      readonly kind: "action.denied";
      readonly step: string;
      readonly tool: string;
      readonly resource: string;
      readonly error: RunError;
      readonly decision: Decision | null;
      /** What policy judged, when it came so far; absent in journals of older versions. */
      readonly args?: JsonObject;
      readonly labels?: readonly OriginLabel[];
      readonly asked?: Asked;
    }
  | {
      readonly kind: "approval.requested";
      readonly step: string;
      readonly approvalId: string;
      readonly about: "action" | "step" | "outcome";
      readonly argsDigest: string;
      readonly policyRevision: string;
      readonly expiresAtMs: number | null;
      readonly summary: string;
      /** Policy's words when it asked; the approval's row has the arguments. Absent in journals of older versions. */
      readonly decision?: Decision;
      readonly asked?: Asked;
    }
  | {
      readonly kind: "approval.decided";
      readonly step: string;
      readonly approvalId: string;
      readonly answer: ApprovalAnswer;
      readonly by: string;
      readonly reason: string | null;
      /** With `approve`: the arguments a person put in place of those asked about. */
      readonly edit?: JsonObject;
    }
  | {
      readonly kind: "outcome.resolved";
      readonly step: string;
      readonly approvalId: string;
      readonly answer: OutcomeAnswer;
      readonly by: string;
      readonly reason: string | null;
      readonly output: JsonValue;
    };

export type EventKind = EventBody["kind"];

/** One event with its envelope. `digest` chains it to everything before it in the run. */
export interface RunEvent {
  readonly runId: string;
  /** 1 for the first event. */
  readonly seq: number;
  readonly v: number;
  readonly atMs: number;
  readonly actor: Actor;
  readonly digest: string;
  readonly body: EventBody;
}

/** The step an event is about, if any. */
export function stepOf(body: EventBody): string | null {
  return "step" in body ? body.step : null;
}
