/** Named branches that are under way at the same time; the output holds what each gave. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { ParallelStep } from "../../workflows/workflow.ts";
import { beginGroup } from "./group-step.ts";
import { runLanes } from "./lanes.ts";
import type { EndedLane, LanesResult } from "./lanes.ts";
import type { StepResult } from "../journal/step-result.ts";
import { errorInScope, placeInside } from "./place.ts";
import { waitUntil } from "./walk.ts";
import type { Deadline } from "./place.ts";
import type { Due, Walk } from "./walk.ts";

export async function runParallelStep(walk: Walk, due: Due<ParallelStep>): Promise<StepResult> {
  const { step, path, place } = due;
  const deadline = await beginGroup(walk, due, { kind: "parallel" });
  const lanes = step.branches.map(({ name, steps }) => ({
    key: name,
    run: (isGivenUp: () => boolean) => {
      const inner = placeInside(place, `${path}/${name}/`, deadline);
      return walk.runSteps(walk, steps, { ...inner, isGivenUp: () => isGivenUp() || place.isGivenUp() });
    },
  }));
  const result = await runLanes(walk, lanes, { concurrency: step.concurrency, onError: step.onLaneError });
  const gather = (ended: ReadonlyMap<string, EndedLane>): JsonValue =>
    Object.fromEntries([...ended].map(([name, lane]) => [name, outputOf(lane)]));
  return await endLanes(walk, { path, deadline, gather }, result);
}

/** Null for a lane that failed; its error is in `steps.ID.errors`. */
export function outputOf(lane: EndedLane): JsonValue {
  return lane.kind === "done" ? lane.output : null;
}

/** Records the end of a step with lanes; failures that did not end it are kept by name. */
export async function endLanes(
  walk: Walk,
  step: {
    readonly path: string;
    readonly deadline: Deadline | null;
    readonly gather: (lanes: ReadonlyMap<string, EndedLane>) => JsonValue;
  },
  result: LanesResult,
): Promise<StepResult> {
  const { path, deadline, gather } = step;
  if (result.kind === "wait") return waitUntil(result.waiting, deadline);
  if (result.kind !== "ended") return result;
  const output = gather(result.lanes);
  const laneErrors = errorsOf(result.lanes);
  const body = { kind: "step.completed", step: path, output } as const;
  await walk.session.append([Object.keys(laneErrors).length === 0 ? body : { ...body, laneErrors }]);
  return { kind: "done", output };
}

function errorsOf(lanes: ReadonlyMap<string, EndedLane>): JsonObject {
  const failures = [...lanes].flatMap(([key, lane]) =>
    lane.kind === "failed" ? [[key, errorInScope(lane.error)] as const] : [],
  );
  return Object.fromEntries(failures);
}
