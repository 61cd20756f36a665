/** Steps around steps: how they begin with their time limit, and how they end; and the plain group. */
import type { GroupStep, Step } from "../../workflows/workflow.ts";
import type { EventBody, StepStart } from "../journal/event.ts";
import type { StepResult } from "../journal/step-result.ts";
import { nearest, placeInside } from "./place.ts";
import { completeStep, waitUntil } from "./walk.ts";
import type { Deadline } from "./place.ts";
import type { Due, Walk } from "./walk.ts";

type Group = Extract<Step, { readonly timeoutMs: number | null }>;

/** Puts the begin on record where it is not yet; gives the nearest end of time for the steps inside. */
export async function beginGroup(walk: Walk, due: Due<Group>, start: StepStart): Promise<Deadline | null> {
  const { step, path, place, record } = due;
  const limitMs = step.kind === "tool" ? null : step.timeoutMs;
  const isTimed = limitMs === null || (record?.deadlineAtMs ?? null) !== null;
  if (record?.start === undefined || record.start === null || !isTimed) {
    const begun: EventBody = { kind: "step.started", step: path, start };
    const deadlineAtMs = walk.deps.clock.now() + (limitMs ?? 0);
    await walk.session.append([limitMs === null ? begun : { ...begun, deadlineAtMs }]);
  }
  const atMs = walk.session.state.steps.get(path)?.deadlineAtMs ?? null;
  return nearest(place.deadline, atMs === null ? null : { atMs, of: path });
}

/** Records a good end. A failure is recorded by the caller, who knows what deals with it. */
export async function endGroup(
  walk: Walk,
  { path, deadline }: { readonly path: string; readonly deadline: Deadline | null },
  result: StepResult,
): Promise<StepResult> {
  if (result.kind === "done") return await completeStep(walk, path, result.output);
  return result.kind === "wait" ? waitUntil(result.waiting, deadline) : result;
}

/** Gives what its last step gave. */
export async function runGroupStep(walk: Walk, due: Due<GroupStep>): Promise<StepResult> {
  const { step, path, place } = due;
  const deadline = await beginGroup(walk, due, { kind: "group" });
  const result = await walk.runSteps(walk, step.steps, placeInside(place, `${path}/`, deadline));
  return await endGroup(walk, { path, deadline }, result);
}
