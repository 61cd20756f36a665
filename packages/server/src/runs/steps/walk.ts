/** What the executors of steps share: where they are in the walk over a run, what is in scope there, how an end is recorded. */
import type { JsonValue } from "../../base/canonical-json.ts";
import { isHomeostatError } from "../../base/error.ts";
import type { WaitingFor } from "../../queue/task.ts";
import type { Step, Workflow } from "../../workflows/workflow.ts";
import type { ChildDeps } from "../submission/child-run.ts";
import type { RunState } from "../journal/fold.ts";
import type { MessageBell } from "../session/message-bell.ts";
import type { Deadline, Place } from "./place.ts";
import type { RunSession } from "../session/session.ts";
import { isDone } from "../journal/step-record.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { failed, wakeBy } from "../journal/step-result.ts";
import type { FailedStep, StepResult } from "../journal/step-result.ts";
import type { ToolStepDeps } from "../actions/tool-step.ts";
import type { Undoing } from "./unwind-plan.ts";
import type { InTurn } from "../actions/turns.ts";

export interface WorkflowDeps extends ToolStepDeps {
  /** True when the server stops: the walk lets go before the next step. */
  readonly isStopping: () => boolean;
  readonly bell: MessageBell;
  /** Reads what came in while steps act; see `foldAnswers`. */
  readonly foldAnswers: () => Promise<{ readonly folded: number; readonly isStopped: boolean }>;
  readonly children: ChildDeps;
  /** A run whose journal is this long begins no further step. */
  readonly maxEvents: number;
}

/** What one walk carries along. */
export interface Walk {
  readonly session: RunSession;
  readonly workflow: Workflow;
  readonly deps: WorkflowDeps;
  /** Handed in, so that the executors of groups need not import the one of steps. */
  readonly runSteps: (walk: Walk, steps: readonly Step[], place: Place) => Promise<StepResult>;
  /** What is to be cleaned up, as things stand; see `planUnwinding`. */
  readonly planUnwinding: () => readonly Undoing[];
  /** Asked before each step; false: let go. Reads messages when there are some. */
  readonly mayGoOn: () => Promise<boolean>;
  /** Reads messages and expires questions; true when something changed. */
  readonly listen: () => Promise<boolean>;
  /** Steps that may write the workspace exclude each other: a saved workspace then never holds half of another's work. */
  readonly inTurn: InTurn;
  /** Signals (by seq) that a branch of this walk is taking. */
  readonly takenSignals: Set<number>;
}

/** One step that is to be done now. */
export interface Due<Kind extends Step = Step> {
  readonly step: Kind;
  readonly path: string;
  readonly place: Place;
  readonly record: StepRecord | undefined;
}

export async function completeStep({ session }: Walk, path: string, output: JsonValue): Promise<StepResult> {
  await session.append([{ kind: "step.completed", step: path, output }]);
  return { kind: "done", output };
}

export type Rendered = { readonly kind: "done"; readonly output: JsonValue } | FailedStep;

/** Expression errors are the workflow's, not ours: they fail the step with the place in the file. */
export async function rendering(path: string, render: () => JsonValue): Promise<Rendered> {
  try {
    return { kind: "done", output: render() };
  } catch (error) {
    if (!isHomeostatError(error)) throw error;
    const line = error.place?.line === undefined ? "" : ` (line ${error.place.line} of the workflow)`;
    const message = `${error.message}${line}`;
    return failed({ code: error.code, message, hint: error.hint, step: path });
  }
}

/** Steps below a path that have begun and not ended. */
export function openBelow(state: RunState, path: string): readonly StepRecord[] {
  return [...state.steps.values()].filter(
    (step) => step.endedAtMs === null && !isDone(step) && step.path.startsWith(`${path}/`),
  );
}

/** Waiting inside a time limit: somebody must look when it is over. */
export function waitUntil(waiting: WaitingFor, deadline: Deadline | null): StepResult {
  return { kind: "wait", waiting: wakeBy(waiting, deadline?.atMs ?? null) };
}
