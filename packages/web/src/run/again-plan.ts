/** What a run is made again with: inputs and arguments that differ from the source's, and what it needs a word for. Pure. */
import type { JsonValue, RunDetail, StepView } from "../api/contract.ts";
import type { JsonObject } from "../approvals/check-arguments.ts";
import type { RerunAnswer } from "../api/run-calls.ts";
import type { Definitions } from "../new-task/input-values.ts";

/** The workflow's inputs with what the source was given as defaults, so that only changes count as given. */
export function definitionsOf(definitions: Definitions, given: RunDetail["inputs"]): Definitions {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      Object.hasOwn(given, name) ? { ...definition, default: given[name] } : definition,
    ]),
  );
}

/** Members of `after` that are new or differ; a member cannot be taken away, only replaced. */
export function changedMembers(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => !Object.hasOwn(before, name) || !isSame(before[name], value),
    ),
  );
}

/** True when the answer names, or may leave out, effects that cannot be taken back. */
export function needsWord({ repeats, repeatsCount }: Pick<RerunAnswer, "repeats" | "repeatsCount">): boolean {
  return repeatsCount > repeats.length || repeats.some(({ effect }) => effect === "unsafe");
}

/** Steps a new run may begin from: those that began. */
export function stepsToBeginFrom(steps: readonly StepView[]): readonly StepView[] {
  return steps.filter(({ state, role }) => state !== "pending" && role === "step");
}

function isSame(a: JsonValue | undefined, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
