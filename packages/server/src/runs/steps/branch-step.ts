/** A branch: the first arm whose condition is true, chosen once and kept in the journal. */
import type { BranchStep } from "../../workflows/workflow.ts";
import { renderValue } from "../../expression/template-value.ts";
import { isTrue } from "../../expression/values.ts";
import { beginGroup, endGroup } from "./group-step.ts";
import type { StepResult } from "../journal/step-result.ts";
import { placeInside, scopeOf } from "./place.ts";
import { rendering } from "./walk.ts";
import type { Due, Walk } from "./walk.ts";

export async function runBranchStep(walk: Walk, due: Due<BranchStep>): Promise<StepResult> {
  const { step, path, place, record } = due;
  let chosen = record?.start?.kind === "branch" ? record.start.chosen : undefined;
  if (chosen === undefined) {
    const scope = scopeOf(place);
    const found = await rendering(path, () =>
      step.arms.findIndex(({ when }) => when === null || isTrue(renderValue(when, scope))),
    );
    if (found.kind === "failed") return found;
    chosen = found.output as number;
  }
  const deadline = await beginGroup(walk, due, { kind: "branch", chosen });
  const inner = placeInside(place, `${path}/`, deadline);
  // A branch gives what the last step of the arm taken gave; null when no arm was.
  const result = await walk.runSteps(walk, step.arms[chosen]?.steps ?? [], inner);
  return await endGroup(walk, { path, deadline }, result);
}
