/** A step that runs another workflow: the child exists from the same batch on that says so, and its end comes as a message. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { isAway } from "../../guards/recovery.ts";
import { renderValue } from "../../expression/template-value.ts";
import type { ChildStep } from "../../workflows/workflow.ts";
import { prepareChild } from "../submission/child-run.ts";
import type { EventBody, RunError } from "../journal/event.ts";
import { deepestRuns } from "../session/family.ts";
import { inheritedFromStep } from "../actions/inherited-flow.ts";
import { failed } from "../journal/step-result.ts";
import type { FailedStep, StepResult } from "../journal/step-result.ts";
import { nearest, scopeOf } from "./place.ts";
import { rendering, waitUntil } from "./walk.ts";
import type { Deadline } from "./place.ts";
import type { Due, Walk } from "./walk.ts";

export async function runChildStep(walk: Walk, due: Due<ChildStep>): Promise<StepResult> {
  const { path, place, record } = due;
  if (record?.start?.kind === "workflow" && record.status === "waiting") {
    const own = record.deadlineAtMs === null ? null : { atMs: record.deadlineAtMs, of: path };
    return waitForChild(walk, due, { id: record.start.childId, deadline: nearest(place.deadline, own) });
  }
  if (walk.session.state.ancestors.length + 1 >= deepestRuns) return failed(tooDeep(path));
  const inputs = await rendering(path, () => renderValue(due.step.inputs, scopeOf(place)));
  if (inputs.kind === "failed") return inputs;
  // The file's schema proves that `inputs` is an object.
  return await beginChild(walk, due, inputs.output as JsonObject);
}

async function beginChild(walk: Walk, due: Due<ChildStep>, inputs: JsonObject): Promise<StepResult> {
  const { session, deps } = walk;
  const { step, path, place } = due;
  const ownAtMs = step.timeoutMs === null ? null : deps.clock.now() + step.timeoutMs;
  const deadline = nearest(place.deadline, ownAtMs === null ? null : { atMs: ownAtMs, of: path });
  const child = await preparing(path, () =>
    prepareChild(deps.children, {
      parent: session.state,
      tenant: session.tenant,
      step: path,
      source: step.source,
      inputs,
      deadlineAtMs: deadline?.atMs ?? null,
      inherited: inheritedFromStep(session.state, walk.workflow, step.inputs),
    }),
  );
  if ("error" in child) return child;
  const { row, event, statements, workflow } = child;
  const start = { kind: "workflow", childId: row.id, workflow } as const;
  const begun: EventBody = { kind: "step.started", step: path, start };
  const body = ownAtMs === null ? begun : { ...begun, deadlineAtMs: ownAtMs };
  await session.append([body], { extra: statements });
  deps.children.announce([event], row);
  return waitForChild(walk, due, { id: row.id, deadline });
}

function waitForChild(
  walk: Walk,
  { path }: Due<ChildStep>,
  child: { readonly id: string; readonly deadline: Deadline | null },
): StepResult {
  const { id, deadline } = child;
  if (deadline !== null && walk.deps.clock.now() >= deadline.atMs) {
    const error = { code: "STEP_TIMEOUT", message: `${path} took longer than its \`timeout\``, step: path };
    return { ...failed(error), timeoutOf: deadline.of };
  }
  return waitUntil({ kind: "child", id, untilMs: null }, deadline);
}

async function preparing<T>(path: string, prepare: () => Promise<T>): Promise<T | FailedStep> {
  try {
    return await prepare();
  } catch (error) {
    if (!isHomeostatError(error) || error.code === "STORE_UNAVAILABLE") throw error;
    const { code, hint } = error;
    return failed({ code, message: errorMessage(error), hint, step: path }, isAway(error));
  }
}

function tooDeep(step: string): RunError {
  return {
    code: "WORKFLOW_TOO_DEEP",
    message: `Workflows run each other ${deepestRuns} deep; the next one is refused`,
    step,
  };
}
