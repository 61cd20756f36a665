/** Undoes what a run has done before it ends as failed or cancelled: one compensation after the other, the last done first. */
import { digestJson } from "../../base/digest.ts";
import { approvalDefaults } from "../../policy/rules/demands.ts";
import type { Workflow } from "../../workflows/workflow.ts";
import { ask, questionAbout } from "../actions/ask.ts";
import type { RunError } from "../journal/event.ts";
import type { StepResult, WalkResult } from "../journal/step-result.ts";
import { isUndone, planUnwinding } from "./unwind-plan.ts";
import type { Undoing } from "./unwind-plan.ts";
import type { Place } from "./place.ts";
import type { Walk } from "./walk.ts";

/** Throws LEASE_LOST and STORE_UNAVAILABLE only. Resumable: what the journal has is not done again. */
export async function runUnwinding(walk: Walk, workflow: Workflow, root: Place): Promise<WalkResult> {
  for (const undoing of planUnwinding(workflow, walk.session.state, root)) {
    if (isUndone(walk.session.state, undoing)) continue;
    if (!(await walk.mayGoOn())) return { kind: "interrupted" };
    const result =
      undoing.kind === "compensate" ? await compensate(walk, undoing) : await cleanUp(walk, undoing);
    if (result.kind === "wait" || result.kind === "interrupted") return result;
  }
  return { kind: "unwound" };
}

/** A failure here is on record with its step and does not keep the others from being undone. */
async function cleanUp(walk: Walk, { steps, place }: Undoing): Promise<StepResult> {
  return await walk.runSteps(walk, steps, { ...place, steps: { ...place.steps } });
}

async function compensate(walk: Walk, undoing: Undoing): Promise<StepResult> {
  const { session } = walk;
  const path = `${undoing.path}/compensate`;
  const record = session.state.steps.get(path);
  if (record?.question) {
    const { id, expiresAtMs } = record.question;
    return { kind: "wait", waiting: { kind: "approval", id, untilMs: expiresAtMs } };
  }
  if (record === undefined)
    await session.append([{ kind: "step.started", step: path, start: { kind: "compensate" } }]);
  if (record?.answer?.answer === "approve") {
    await session.append([{ kind: "step.reopened", step: path, by: record.answer.by }]);
  } else if (record?.answer) {
    const { by, reason } = record.answer;
    const message = `${by} gave the compensation up: ${reason ?? "no reason"}`;
    await session.append([
      { kind: "step.failed", step: path, error: { code: "COMPENSATION_FAILED", message, step: path } },
    ]);
    return { kind: "done", output: null };
  }
  const place = { ...undoing.place, steps: { ...undoing.place.steps } };
  const result = await walk.runSteps(walk, undoing.steps, place);
  if (result.kind === "failed") return await askPerson(walk, undoing, result.error);
  if (result.kind === "done")
    await session.append([{ kind: "step.completed", step: path, output: result.output }]);
  return result;
}

/** Nobody but a person can say what to do when undoing fails: yes tries it again, no leaves it as it is. */
async function askPerson({ session, deps }: Walk, undoing: Undoing, error: RunError): Promise<StepResult> {
  const step = `${undoing.path}/compensate`;
  const message = `Undoing ${undoing.title} failed: ${error.message}. Yes tries it again, no leaves it as it is.`;
  return await ask(session, {
    ...questionAbout(session, step, deps.clock.now()),
    kind: "step",
    action: null,
    resource: null,
    summary: `Try again to undo ${undoing.title}?`,
    message,
    args: { step: undoing.path, error: error.message },
    argsDigest: digestJson({ step, message }),
    labels: [],
    risk: "high",
    reason: "A compensation failed; what it undoes is still in force",
    matched: [],
    policyRevision: "",
    by: approvalDefaults.by,
    expiresAtMs: null,
  });
}
