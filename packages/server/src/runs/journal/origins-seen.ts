/** Where the words came from that steps have brought into a run, those of errors included. Pure. */
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { RunState } from "./fold.ts";
import type { StepRecord } from "./step-record.ts";

const ofTool: readonly OriginLabel[] = ["tool"];

/** True when expressions can read an error of this step, or of its branches. */
export function hasReadableError({ error, status, laneErrors }: StepRecord): boolean {
  return (error !== null && status !== "completed") || laneErrors !== null;
}

/** Of what an action brought, or failed with. Older journals say nothing of failures: their words count as a tool's. */
export function labelsBrought(step: StepRecord): readonly OriginLabel[] {
  if (step.labels.length > 0 || step.status === "completed" || step.error === null) return step.labels;
  // A refusal in the words of policy brought nothing; one in the words of the tool did.
  const isOfTool = step.status === "denied" ? step.denial === null : step.intent !== null;
  return isOfTool ? ofTool : step.labels;
}

/** Of everything the run has seen, each once and sorted. */
export function originsSeen({ origins, steps }: Pick<RunState, "origins" | "steps">): readonly OriginLabel[] {
  const seen = new Set(origins);
  for (const step of steps.values()) for (const label of labelsBrought(step)) seen.add(label);
  return [...seen].sort();
}
