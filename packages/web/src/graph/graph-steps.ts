/** Which step of a run a node of its graph stands for. */
import type { StepView } from "../api/contract.ts";

/** `each/3/read` -> `each/read`: a part of digits is the number of a round, for ids begin with a letter. */
export function placeInFile(path: string): string {
  return path.replaceAll(/\/\d+(?=\/)/g, "");
}

/**
 * By place in the file the step to show: of several rounds the one that needs a look first, as the node's own state says it.
 */
export function stepsByPlace(
  steps: readonly Pick<StepView, "path" | "state">[],
  stateOf: ReadonlyMap<string, string | null>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, state } of steps) {
    const place = placeInFile(path);
    if (!found.has(place)) found.set(place, path);
    else if (state === stateOf.get(place)) {
      const known = steps.find((step) => step.path === found.get(place));
      if (known?.state !== state) found.set(place, path);
    }
  }
  return found;
}
