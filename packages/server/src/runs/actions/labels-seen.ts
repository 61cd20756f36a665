/** Whose words may have shaped what a step is about to do. Pure. */
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { RunState } from "../journal/fold.ts";
import { originsSeen } from "../journal/origins-seen.ts";

/** Everything the run has seen so far may have; where each argument came from is traced on its own. */
export function labelsSeen(state: RunState, isEdited: boolean): readonly OriginLabel[] {
  const labels = new Set<OriginLabel>(["operator", ...originsSeen(state)]);
  if (isEdited || Object.keys(state.inputs).length > 0) labels.add("user");
  return [...labels].sort();
}
