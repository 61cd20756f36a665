/** How a step ended for now, as the interpreter passes it up: done, stuck on something outside, or failed. Pure. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { WaitingFor } from "../../queue/task.ts";
import type { RunError } from "./event.ts";

export type StepResult =
  | { readonly kind: "done"; readonly output: JsonValue }
  | { readonly kind: "wait"; readonly waiting: WaitingFor }
  /** A signal (pause, cancel) or shutdown asks the worker to let go between steps. */
  | { readonly kind: "interrupted" }
  | FailedStep;

export interface FailedStep {
  readonly kind: "failed";
  readonly error: RunError;
  readonly transient: boolean;
  /** Path of the step around whose `timeout` is over; empty for the run's own. Nothing inside it may deal with that. */
  readonly timeoutOf?: string;
}

/** How the walk over a workflow ended for now. */
export type WalkResult =
  | { readonly kind: "completed"; readonly outputs: JsonObject }
  | { readonly kind: "wait"; readonly waiting: WaitingFor }
  | { readonly kind: "interrupted" }
  /** Everything that a failed or cancelled run had done is undone. */
  | { readonly kind: "unwound" }
  | { readonly kind: "failed"; readonly error: RunError; readonly transient: boolean };

export function failed(error: RunError, transient = false): FailedStep {
  return { kind: "failed", error, transient };
}

/** What people are shown first when several things are waited for at once. */
const urgency: readonly WaitingFor["kind"][] = [
  "outcome",
  "approval",
  "signal",
  "child",
  "timer",
  "retry",
  "pause",
];

/** One waiting for several: the most urgent is shown, the earliest time wakes. Throws nothing; needs at least one. */
export function mergeWaiting(all: readonly WaitingFor[]): WaitingFor {
  const [first, ...rest] = [...all].sort((a, b) => urgency.indexOf(a.kind) - urgency.indexOf(b.kind));
  if (first === undefined || rest.length === 0) return first ?? { kind: "pause" };
  const more = all.reduce((sum, each) => sum + 1 + (each.more ?? 0), -1);
  return wakeBy({ ...first, more }, earliest(all));
}

/** When somebody should look again; null: only a message helps. */
export function wakeTime(waiting: WaitingFor): number | null {
  const untilMs = "untilMs" in waiting ? waiting.untilMs : null;
  return earliestOf([untilMs, waiting.wakeAtMs ?? null]);
}

/** The same waiting, looked at no later than `atMs`. */
export function wakeBy(waiting: WaitingFor, atMs: number | null): WaitingFor {
  const wakeAtMs = earliestOf([atMs, waiting.wakeAtMs ?? null]);
  return wakeAtMs === null ? waiting : { ...waiting, wakeAtMs };
}

function earliest(all: readonly WaitingFor[]): number | null {
  return earliestOf(all.map(wakeTime));
}

function earliestOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
