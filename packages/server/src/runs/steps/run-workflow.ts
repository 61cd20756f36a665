/** Walks a workflow over a run's state: what the journal has is not done again, what it lacks is done now. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { errorCodes } from "../../base/error-codes.ts";
import { renderValue } from "../../expression/template-value.ts";
import { isTrue } from "../../expression/values.ts";
import { outputProblem } from "../../workflows/workflow-outputs.ts";
import type { SetStep, Step, Workflow } from "../../workflows/workflow.ts";
import { runApprovalStep } from "./approval-step.ts";
import { runBranchStep } from "./branch-step.ts";
import { runChildStep } from "./child-step.ts";
import type { RunState } from "../journal/fold.ts";
import { runGroupStep } from "./group-step.ts";
import { handleFailure, runFinally } from "./handlers.ts";
import { runForEachStep } from "./loop-step.ts";
import { runParallelStep } from "./parallel-step.ts";
import type { RunSession } from "../session/session.ts";
import { isUnderWay } from "../journal/step-record.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { failed } from "../journal/step-result.ts";
import type { FailedStep, StepResult, WalkResult } from "../journal/step-result.ts";
import { runToolCallStep } from "./tool-call-step.ts";
import { createTurns } from "../actions/turns.ts";
import { runUnwinding } from "./unwind.ts";
import { planUnwinding } from "./unwind-plan.ts";
import { runWaitStep } from "./wait-step.ts";
import { nearest, scopeOf, stepInScope } from "./place.ts";
import { completeStep, rendering, waitUntil } from "./walk.ts";
import type { Deadline, Place } from "./place.ts";
import type { Due, Rendered, Walk, WorkflowDeps } from "./walk.ts";

/** Throws LEASE_LOST and STORE_UNAVAILABLE only; everything else is a result. */
export async function runWorkflow(
  session: RunSession,
  workflow: Workflow,
  deps: WorkflowDeps,
): Promise<WalkResult> {
  const walk = createWalk(session, workflow, deps);
  const place = rootPlace(session.state, workflow);
  if (session.state.unwinding !== null) return await runUnwinding(walk, workflow, place);
  const result = await runSteps(walk, workflow.steps, place);
  if (result.kind === "wait") return waitUntil(result.waiting, place.deadline) as WalkResult;
  if (result.kind !== "done") return result;
  const outputs = await renderOutputs(workflow, place);
  if (outputs.kind === "failed") return outputs;
  // Proven by `renderOutputs`: it gives an object.
  return { kind: "completed", outputs: outputs.output as JsonObject };
}

function createWalk(session: RunSession, workflow: Workflow, deps: WorkflowDeps): Walk {
  let isHalted = false;
  let listening: Promise<boolean> | undefined;
  async function listenNow(): Promise<boolean> {
    const { folded, isStopped } = await deps.foldAnswers();
    isHalted ||= isStopped;
    return folded > 0 || isStopped;
  }
  // Branches that ask at the same time share one look.
  function listen(): Promise<boolean> {
    listening ??= listenNow().finally(() => {
      listening = undefined;
    });
    return listening;
  }
  return {
    session,
    workflow,
    deps,
    runSteps,
    listen,
    planUnwinding: () => planUnwinding(workflow, session.state, rootPlace(session.state, workflow)),
    inTurn: createTurns(),
    takenSignals: new Set(),
    async mayGoOn() {
      if (deps.isStopping() || session.interrupt.aborted) return false;
      if (deps.bell.isRinging()) await listen();
      return !isHalted && session.state.phase === "running";
    },
  };
}

/** Where the run's first step stands; the run's time is over at the earlier of its own limit and what its parent has left. */
export function rootPlace(state: RunState, workflow: Pick<Workflow, "timeoutMs">): Place {
  const startedAtMs = state.startedAtMs ?? state.createdAtMs;
  const own: Deadline | null =
    workflow.timeoutMs === null ? null : { atMs: startedAtMs + workflow.timeoutMs, of: "" };
  const inherited: Deadline | null =
    state.deadlineAtMs === null ? null : { atMs: state.deadlineAtMs, of: "" };
  const run = {
    id: state.id,
    startedAt: new Date(startedAtMs).toISOString(),
    state: state.unwinding?.outcome ?? "running",
    messages: state.messages.map(({ atMs, by, text }) => ({ at: new Date(atMs).toISOString(), by, text })),
  };
  const deadline = nearest(inherited, own);
  return { prefix: "", names: { inputs: state.inputs, run }, steps: {}, deadline, isGivenUp: () => false };
}

async function renderOutputs(workflow: Workflow, place: Place): Promise<Rendered> {
  const outputs = await rendering("outputs", () => {
    const scope = scopeOf(place);
    return Object.fromEntries(workflow.outputs.map(({ key, value }) => [key, renderValue(value, scope)]));
  });
  if (outputs.kind === "failed") return outputs;
  const values = outputs.output as JsonObject;
  for (const { key, type } of workflow.outputs) {
    const problem = outputProblem(type, values[key] ?? null);
    if (problem === undefined) continue;
    return failed({ code: "WORKFLOW_OUTPUT_INVALID", message: `outputs.${key}: ${problem}` });
  }
  return outputs;
}

async function runSteps(walk: Walk, steps: readonly Step[], place: Place): Promise<StepResult> {
  let last: JsonValue = null;
  for (const step of steps) {
    const result = await runStep(walk, step, place);
    if (result.kind !== "done") return result;
    const record = walk.session.state.steps.get(place.prefix + step.id);
    place.steps[step.id] = stepInScope(record, result.output);
    last = result.output;
  }
  return { kind: "done", output: last };
}

async function runStep(walk: Walk, step: Step, place: Place): Promise<StepResult> {
  const path = place.prefix + step.id;
  const record = walk.session.state.steps.get(path);
  const due: Due = { step, path, place, record };
  const own = await doStep(walk, due);
  const result = own.kind === "failed" ? await handleFailure(walk, due, own) : own;
  return await runFinally(walk, due, result);
}

/** The step itself, without what deals with its failure. */
async function doStep(walk: Walk, due: Due): Promise<StepResult> {
  const { step, path, place, record } = due;
  const known = knownResult(due);
  if (known !== undefined) return known;
  if (place.isGivenUp() || !(await walk.mayGoOn())) return { kind: "interrupted" };
  const over = outOfTime(walk, place) ?? tooLong(walk, record);
  if (over !== undefined) return over;
  if (record === undefined && step.condition !== null) {
    const condition = await rendering(path, () => renderValue(step.condition!, scopeOf(place)));
    if (condition.kind === "failed") return condition;
    if (!isTrue(condition.output)) {
      await walk.session.append([{ kind: "step.skipped", step: path, reason: "its `if` is false" }]);
      return { kind: "done", output: null };
    }
  }
  // Messages may have changed the record while they were read.
  const result = await runKind(walk, { ...due, record: walk.session.state.steps.get(path) });
  return result.kind === "failed" ? (outOfTime(walk, place) ?? result) : result;
}

/** What the journal says about a step that has ended. */
function knownResult({ record }: Due): StepResult | undefined {
  if (record === undefined || record.endedAtMs === null) return undefined;
  switch (record.status) {
    case "completed":
    case "skipped":
      return { kind: "done", output: record.output };
    case "failed":
    case "denied":
    case "cancelled": {
      const { error, isCaught, transient, output } = record;
      if (isCaught) return { kind: "done", output };
      return failed(error ?? { code: "ACTION_FAILED", message: "The step failed" }, transient);
    }
    case "running":
    case "waiting":
    case "retrying":
      return undefined;
  }
}

function outOfTime({ deps }: Walk, { deadline }: Place): FailedStep | undefined {
  if (deadline === null || deps.clock.now() < deadline.atMs) return undefined;
  const what = deadline.of === "" ? "The run" : `The step ${deadline.of}`;
  const step = deadline.of === "" ? {} : { step: deadline.of };
  const error = { code: "STEP_TIMEOUT", message: `${what} took longer than its \`timeout\``, ...step };
  return { ...failed(error), timeoutOf: deadline.of };
}

/**
 * Nothing inside the run may deal with it, as with the end of its time; what undoes it may still be written, and a step that is under
 * way goes on: a person's yes may be the very event that reaches the bound.
 */
function tooLong(
  { session: { state }, deps: { maxEvents } }: Walk,
  record: StepRecord | undefined,
): FailedStep | undefined {
  if (state.headSeq < maxEvents || state.unwinding !== null) return undefined;
  if (record !== undefined && isUnderWay(record)) return undefined;
  const message = `The run has ${state.headSeq} events; it may have ${maxEvents}`;
  const { hint } = errorCodes.RUN_TOO_LONG;
  return { ...failed({ code: "RUN_TOO_LONG", message, hint }), timeoutOf: "" };
}

async function runKind(walk: Walk, due: Due): Promise<StepResult> {
  const { step } = due;
  switch (step.kind) {
    case "tool":
      return await runToolCallStep(walk, { ...due, step });
    case "branch":
      return await runBranchStep(walk, { ...due, step });
    case "for_each":
      return await runForEachStep(walk, { ...due, step });
    case "parallel":
      return await runParallelStep(walk, { ...due, step });
    case "group":
      return await runGroupStep(walk, { ...due, step });
    case "workflow":
      return await runChildStep(walk, { ...due, step });
    case "approval":
      return await runApproval(walk, { ...due, step });
    case "wait":
      return await runWaitStep(walk, { ...due, step });
    case "set":
      return await runSetStep(walk, { ...due, step });
  }
}

async function runApproval(walk: Walk, due: Due<Extract<Step, { kind: "approval" }>>): Promise<StepResult> {
  const asked = await runApprovalStep(walk.session, { ...due, scope: scopeOf(due.place) }, walk.deps);
  return asked.kind === "wait" ? waitUntil(asked.waiting, due.place.deadline) : asked;
}

async function runSetStep(walk: Walk, { step, path, place }: Due<SetStep>): Promise<StepResult> {
  const values = await rendering(path, () => {
    const scope = scopeOf(place);
    return Object.fromEntries(step.values.map(({ key, value }) => [key, renderValue(value, scope)]));
  });
  return values.kind === "failed" ? values : await completeStep(walk, path, values.output);
}
