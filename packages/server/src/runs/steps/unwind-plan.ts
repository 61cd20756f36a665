/** What has to be undone and cleaned up when a run fails or is cancelled, the last done first. Pure. */
import type { Step, Workflow } from "../../workflows/workflow.ts";
import type { RunState } from "../journal/fold.ts";
import { isDone } from "../journal/step-record.ts";
import { placeInside, stepInScope } from "./place.ts";
import type { Place } from "./place.ts";

export interface Undoing {
  /** `finally` of a step that was broken off, or the `compensate` of one that was done. */
  readonly kind: "compensate" | "finally";
  /** Of the step it belongs to. */
  readonly path: string;
  readonly title: string;
  readonly steps: readonly Step[];
  readonly place: Place;
  /** The journal's position of the step's end. */
  readonly endedSeq: number;
}

/** True when something is left to undo. */
export function mustUnwind(workflow: Workflow, state: RunState, root: Place): boolean {
  return planUnwinding(workflow, state, root).some((undoing) => !isUndone(state, undoing));
}

/** In the order it is to be done: steps that ended last come first, inner ones before those around them. */
export function planUnwinding(workflow: Workflow, state: RunState, root: Place): readonly Undoing[] {
  const found: Undoing[] = [];
  visit(workflow.steps, { ...root, steps: {}, deadline: null, isGivenUp: () => false }, { state, found });
  const depth = ({ path }: Undoing): number => path.split("/").length;
  return found.sort((a, b) => b.endedSeq - a.endedSeq || depth(b) - depth(a) || (a.path < b.path ? 1 : -1));
}

/** A compensation is over when it ended, well or given up by a person; a clean-up when its steps have ended. */
export function isUndone(state: RunState, { kind, path, steps }: Undoing): boolean {
  const own = state.steps.get(`${path}/${kind}`);
  if (kind === "compensate") return own !== undefined && own.endedAtMs !== null;
  const records = steps.map(({ id }) => state.steps.get(`${path}/finally/${id}`));
  return (
    records.some((each) => each?.status === "failed" && !each.isCaught) ||
    records.every((each) => each !== undefined && isDone(each))
  );
}

interface Visiting {
  readonly state: RunState;
  readonly found: Undoing[];
}

function visit(steps: readonly Step[], place: Place, visiting: Visiting): void {
  for (const step of steps) {
    const path = place.prefix + step.id;
    const record = visiting.state.steps.get(path);
    if (record === undefined) continue;
    visitInside(step, place, visiting);
    const own = stepInScope(record, record.output);
    place.steps[step.id] = own;
    // Done by the run this one was made from: that one's to undo.
    if (record.carried !== null && record.endedAtMs !== null) continue;
    const endedSeq = record.endedSeq ?? visiting.state.headSeq;
    const undoing = (kind: Undoing["kind"], names: Place["names"]): Undoing => ({
      kind,
      path,
      title: step.title ?? step.id,
      steps: step[kind],
      place: { ...placeInside(place, `${path}/${kind}/`, null), names },
      endedSeq,
    });
    if (step.compensate.length > 0 && (record.status === "completed" || record.didHappen))
      visiting.found.push(undoing("compensate", place.names));
    if (step.finally.length > 0 && record.status !== "skipped")
      visiting.found.push(undoing("finally", { ...place.names, error: null }));
  }
}

function visitInside(step: Step, place: Place, visiting: Visiting): void {
  const path = place.prefix + step.id;
  const inside = (prefix: string, names = place.names): Place => ({ ...placeInside(place, prefix), names });
  const start = visiting.state.steps.get(path)?.start;
  switch (step.kind) {
    case "branch":
      if (start?.kind === "branch") visit(step.arms[start.chosen]?.steps ?? [], inside(`${path}/`), visiting);
      break;
    case "group":
      visit(step.steps, inside(`${path}/`), visiting);
      break;
    case "parallel":
      for (const { name, steps } of step.branches) visit(steps, inside(`${path}/${name}/`), visiting);
      break;
    case "for_each":
      if (start?.kind !== "for_each") break;
      for (const [index, item] of start.items.entries())
        visit(step.steps, inside(`${path}/${index}/`, { ...place.names, [step.as]: item, index }), visiting);
      break;
    case "tool":
    case "workflow":
    case "approval":
    case "wait":
    case "set":
      break;
  }
  visit(step.catch, inside(`${path}/catch/`, { ...place.names, error: null }), visiting);
  visit(step.finally, inside(`${path}/finally/`, { ...place.names, error: null }), visiting);
}
