/** A loop over the items of a list, kept in the journal as they were at its begin; one round or several at a time. */
import type { JsonValue } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { renderValue } from "../../expression/template-value.ts";
import type { ForEachStep } from "../../workflows/workflow.ts";
import { beginGroup } from "./group-step.ts";
import { runLanes } from "./lanes.ts";
import type { EndedLane, Lane } from "./lanes.ts";
import { endLanes, outputOf } from "./parallel-step.ts";
import type { StepResult } from "../journal/step-result.ts";
import { placeInside, scopeOf } from "./place.ts";
import { rendering } from "./walk.ts";
import type { Deadline, Place } from "./place.ts";
import type { Due, Walk } from "./walk.ts";

export async function runForEachStep(walk: Walk, due: Due<ForEachStep>): Promise<StepResult> {
  const { step, path, place, record } = due;
  let items = record?.start?.kind === "for_each" ? record.start.items : undefined;
  if (items === undefined) {
    const rendered = await rendering(path, () => requireList(renderValue(step.items, scopeOf(place)), path));
    if (rendered.kind === "failed") return rendered;
    items = rendered.output as readonly JsonValue[];
  }
  const deadline = await beginGroup(walk, due, { kind: "for_each", items });
  const lanes = items.map((item, index) => roundOf(walk, due, { item, index, deadline }));
  const result = await runLanes(walk, lanes, { concurrency: step.concurrency, onError: step.onLaneError });
  const gather = (ended: ReadonlyMap<string, EndedLane>): JsonValue =>
    step.collect === null ? { count: ended.size } : [...ended.values()].map(outputOf);
  return await endLanes(walk, { path, deadline, gather }, result);
}

function roundOf(
  walk: Walk,
  { step, path, place }: Due<ForEachStep>,
  round: { readonly item: JsonValue; readonly index: number; readonly deadline: Deadline | null },
): Lane {
  const { item, index, deadline } = round;
  return {
    key: String(index),
    run: async (isGivenUp) => {
      const inner = placeInside(place, `${path}/${index}/`, deadline);
      const here: Place = {
        ...inner,
        names: { ...place.names, [step.as]: item, index },
        isGivenUp: () => isGivenUp() || place.isGivenUp(),
      };
      const result = await walk.runSteps(walk, step.steps, here);
      if (result.kind !== "done" || step.collect === null) return result;
      return await rendering(path, () => renderValue(step.collect!, scopeOf(here)));
    },
  };
}

function requireList(value: JsonValue, path: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw new HomeostatError(
    "EXPRESSION_INVALID",
    `${path}: for_each needs a list, got ${JSON.stringify(value).slice(0, 80)}`,
  );
}
