/** Whether the arguments that a re-run gives to steps can reach them: what nobody would read is refused, not ignored. Pure. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { suggestName } from "../../base/nearest.ts";
import { allSteps } from "../../workflows/workflow.ts";
import type { Workflow } from "../../workflows/workflow.ts";

/** `kept`: paths of the steps that are not done again. Throws REQUEST_INVALID. */
export function requireStepArguments(
  workflow: Pick<Workflow, "steps">,
  stepArguments: Readonly<Record<string, JsonObject>>,
  kept: ReadonlySet<string>,
): void {
  const steps = allSteps(workflow.steps);
  for (const path of Object.keys(stepArguments)) {
    // Ids are unique in a workflow; rounds of loops and names of branches stand before them.
    const id = path.split("/").at(-1)!;
    const step = steps.find((each) => each.id === id);
    if (step === undefined) throw refused(path, "is no step of the workflow", suggestName(id, idsOf(steps)));
    if (step.kind !== "tool")
      throw refused(path, "calls no tool, so it has no arguments", "Give the run other `inputs` instead.");
    if (kept.has(path))
      throw refused(
        path,
        "is kept as it was done, so it takes no other arguments",
        "Re-run from this step, or from one before it.",
      );
  }
}

function idsOf(steps: ReturnType<typeof allSteps>): readonly string[] {
  return steps.filter(({ kind }) => kind === "tool").map(({ id }) => id);
}

function refused(path: string, why: string, hint: string): HomeostatError {
  const shown = path.slice(0, 200);
  const place = { path: `body.stepArguments.${shown}` };
  return new HomeostatError("REQUEST_INVALID", `${shown} ${why}`, { step: shown }, { hint, place });
}
