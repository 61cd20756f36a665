/** What two runs did differently: text, inputs, pins, every step, artifacts. Pure. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { diffLines } from "./diff-lines.ts";
import type { LineChange } from "./diff-lines.ts";
import { diffValues } from "./diff-values.ts";
import type { ValueDifference } from "./diff-values.ts";
import type { RunState } from "../journal/fold.ts";
import type { StepRecord } from "../journal/step-record.ts";

export interface StepDifference {
  readonly path: string;
  readonly change: "only-a" | "only-b" | "changed";
  /** Paths begin with what they are of: `state`, `attempt`, `args`, `output`, `decision`, `error`. */
  readonly differences: readonly ValueDifference[];
  /** Null while it has not ended, or where the run has no such step. */
  readonly durationMs: { readonly a: number | null; readonly b: number | null };
}

export interface ArtifactDifference {
  readonly path: string;
  /** Null: the run has none of this path. */
  readonly a: string | null;
  readonly b: string | null;
}

export interface RunDifference {
  readonly workflow: readonly LineChange[];
  readonly inputs: readonly ValueDifference[];
  readonly pins: readonly ValueDifference[];
  readonly outcome: readonly ValueDifference[];
  readonly steps: readonly StepDifference[];
  readonly artifacts: readonly ArtifactDifference[];
  /** Steps that are the same in both. */
  readonly stepsSame: number;
}

/** Times and ids always differ and are left out; durations are told beside the steps that differ. */
export function diffRuns(a: RunState, b: RunState): RunDifference {
  const steps = diffSteps(a, b);
  return {
    workflow: diffLines(a.workflow.text, b.workflow.text),
    inputs: diffValues(a.inputs, b.inputs),
    pins: diffValues(a.pins as unknown as JsonObject, b.pins as unknown as JsonObject),
    outcome: diffValues(outcomeOf(a), outcomeOf(b)),
    steps: steps.filter((each) => each !== null),
    stepsSame: steps.filter((each) => each === null).length,
    artifacts: diffArtifacts(a, b),
  };
}

function outcomeOf({ phase, error, outputs, attempt }: RunState): JsonObject {
  return { phase, attempt, error: error as JsonValue, outputs };
}

/** In the order in which the first run began them, then what only the second has. Null: the same in both. */
function diffSteps(a: RunState, b: RunState): readonly (StepDifference | null)[] {
  const paths = new Set([...a.steps.keys(), ...b.steps.keys()]);
  return [...paths].map((path) => {
    const left = a.steps.get(path);
    const right = b.steps.get(path);
    const durationMs = { a: durationOf(left), b: durationOf(right) };
    if (left === undefined) return { path, change: "only-b", differences: [], durationMs };
    if (right === undefined) return { path, change: "only-a", differences: [], durationMs };
    const differences = diffValues(stepFacts(left), stepFacts(right), 20);
    return differences.length === 0 ? null : { path, change: "changed", differences, durationMs };
  });
}

function stepFacts(step: StepRecord): JsonObject {
  const { status, isCaught, attempt, output, error, intent, denial } = step;
  const decision = intent?.decision ?? denial;
  return {
    state: isCaught ? "caught" : status,
    attempt,
    args: intent?.args,
    output,
    decision: decision === null ? undefined : { effect: decision.effect, revision: decision.revision },
    error: error === null ? undefined : { code: error.code, message: error.message },
  };
}

function durationOf(step: StepRecord | undefined): number | null {
  return step === undefined || step.endedAtMs === null ? null : step.endedAtMs - step.startedAtMs;
}

function diffArtifacts(a: RunState, b: RunState): readonly ArtifactDifference[] {
  const paths = [...new Set([...a.artifacts.keys(), ...b.artifacts.keys()])].sort();
  const digestOf = (state: RunState, path: string): string | null => {
    const artifact = state.artifacts.get(path);
    return artifact === undefined || artifact.change === "archived" ? null : artifact.sha256;
  };
  return paths
    .map((path) => ({ path, a: digestOf(a, path), b: digestOf(b, path) }))
    .filter((each) => each.a !== each.b);
}
