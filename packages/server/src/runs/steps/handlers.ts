/** What a workflow does about a step's end: its failure is recorded once and dealt with, its `finally` follows in any case. */
import { cancelApproval } from "../../gate/approvals.ts";
import type { EventBody } from "../journal/event.ts";
import type { RunState } from "../journal/fold.ts";
import type { FailedStep, StepResult } from "../journal/step-result.ts";
import { isUndone } from "./unwind-plan.ts";
import { errorInScope, placeInside, stepInScope } from "./place.ts";
import { openBelow, waitUntil } from "./walk.ts";
import type { Due, Walk } from "./walk.ts";

/** Gives what the step's `catch` gave, or the failure when nothing of the step deals with it. */
export async function handleFailure(walk: Walk, due: Due, failure: FailedStep): Promise<StepResult> {
  const { step, path, place } = due;
  // The time of a step around this one is over: that step records it, and only what is around it may deal with it.
  if (failure.timeoutOf !== undefined && !isWithin(failure.timeoutOf, path)) return failure;
  await record(walk, path, failure);
  const cleaned = await cleanUpInside(walk, path);
  if (cleaned !== undefined) return cleaned;
  if (step.catch.length > 0) {
    const names = { ...place.names, error: errorInScope(failure.error) };
    const result = await walk.runSteps(walk, step.catch, { ...placeInside(place, `${path}/catch/`), names });
    if (result.kind === "wait") return waitUntil(result.waiting, place.deadline);
    if (result.kind !== "done") return result;
    await walk.session.append([{ kind: "step.caught", step: path, output: result.output }]);
    return result;
  }
  if (!step.goesOnAfterError) return failure;
  await walk.session.append([{ kind: "step.caught", step: path, output: null }]);
  return { kind: "done", output: null };
}

/** Steps that were given up inside are left by their `finally`, as those that failed were. Undefined: all is clean. */
async function cleanUpInside(walk: Walk, path: string): Promise<StepResult | undefined> {
  for (const undoing of walk.planUnwinding()) {
    const isInside = undoing.kind === "finally" && undoing.path.startsWith(`${path}/`);
    if (!isInside || isUndone(walk.session.state, undoing)) continue;
    const result = await walk.runSteps(walk, undoing.steps, undoing.place);
    // A failure is on record with its step; the one that is being dealt with came first.
    if (result.kind === "wait" || result.kind === "interrupted") return result;
  }
  return undefined;
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** The failure of the step itself; what was still open inside it is given up with it, questions to people included. */
async function record(
  { session, deps }: Walk,
  path: string,
  { error, transient }: FailedStep,
): Promise<void> {
  const known = session.state.steps.get(path);
  if (known?.status === "failed" || known?.status === "denied") return;
  const reason = "the step around it failed";
  const open = openBelow(session.state, path);
  const cancelled = open.map((step): EventBody => ({ kind: "step.cancelled", step: step.path, reason }));
  const own: EventBody = { kind: "step.failed", step: path, error };
  await session.append([...cancelled, transient ? { ...own, transient } : own], {
    extra: withdrawn(session.state, [path, ...open.map((step) => step.path)], deps.clock.now()),
  });
}

function withdrawn(state: RunState, paths: readonly string[], atMs: number) {
  const questions = paths.flatMap((path) => state.steps.get(path)?.question ?? []);
  return questions.map(({ id }) => cancelApproval(id, "system", atMs));
}

/** The result of the step, after its `finally`; a failure there replaces it. A time limit around does not stop the cleaning up. */
export async function runFinally(walk: Walk, due: Due, result: StepResult): Promise<StepResult> {
  const { step, path, place } = due;
  if (step.finally.length === 0 || result.kind === "wait" || result.kind === "interrupted") return result;
  const record = walk.session.state.steps.get(path);
  if (record === undefined || record.status === "skipped") return result;
  const output = result.kind === "done" ? result.output : null;
  const error = result.kind === "failed" ? errorInScope(result.error) : null;
  const inner = placeInside(place, `${path}/finally/`, null);
  const steps = { ...inner.steps, [step.id]: stepInScope(record, output) };
  const cleaned = await walk.runSteps(walk, step.finally, {
    ...inner,
    steps,
    names: { ...place.names, error },
  });
  return cleaned.kind === "done" ? result : cleaned;
}
