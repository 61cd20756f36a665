/** Where a list of steps stands in a walk: its path, what is in scope there, and when its time is over. Pure. */
import type { JsonValue } from "../../base/canonical-json.ts";
import type { Scope } from "../../expression/expression.ts";
import { classOfCode, recoveryOf } from "../../guards/recovery.ts";
import type { RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";

/** Where in the walk a list of steps stands; `steps` grows as they are done, in place: one object per scope. */
export interface Place {
  /** Path in front of the ids, `` or `each/3/`. */
  readonly prefix: string;
  readonly names: Readonly<Record<string, JsonValue>>;
  readonly steps: Record<string, JsonValue>;
  /** The nearest end of time around the steps. */
  readonly deadline: Deadline | null;
  /** True when another branch of a step around these has failed: no further step begins. */
  readonly isGivenUp: () => boolean;
}

export interface Deadline {
  readonly atMs: number;
  /** Path of the step whose `timeout` it is; empty for the run's. */
  readonly of: string;
}

export function scopeOf(place: Place): Scope {
  return { ...place.names, steps: place.steps };
}

/** The place of steps one level further in. */
export function placeInside(place: Place, prefix: string, deadline: Deadline | null = place.deadline): Place {
  return { ...place, prefix, steps: { ...place.steps }, deadline };
}

/** The earlier of the two ends. */
export function nearest(around: Deadline | null, own: Deadline | null): Deadline | null {
  if (around === null || own === null) return around ?? own;
  return own.atMs < around.atMs ? own : around;
}

/** What `steps.ID` is for the steps behind it. */
export function stepInScope(record: StepRecord | undefined, output: JsonValue): JsonValue {
  const error = record?.error ?? null;
  return {
    output,
    state: record?.status ?? "completed",
    error: error === null || record?.status === "completed" ? null : errorInScope(error),
    errors: record?.laneErrors ?? {},
  };
}

/** With its class and what helps against that, so that a `catch` can tell a host that is away from a wrong argument. */
export function errorInScope({ code, message, step, hint }: RunError): JsonValue {
  const errorClass = classOfCode(code);
  return {
    ...{ code, message, step: step ?? null, hint: hint ?? null },
    ...{ class: errorClass, recovery: recoveryOf(errorClass) },
  };
}
