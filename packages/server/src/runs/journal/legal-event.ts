/** Which events may follow on a state. Pure; asked before every append, so that no fault of ours becomes part of a journal for ever. */
import type { EventBody } from "./event.ts";
import { hasEnded } from "./fold.ts";
import type { RunState } from "./fold.ts";
import type { StepBody } from "./fold-step.ts";
import { isDone } from "./step-record.ts";
import type { StepRecord } from "./step-record.ts";

/** Null: the event may be appended. Else what is wrong with it, for people. */
export function whyIllegal(state: RunState, body: EventBody): string | null {
  if ((body.kind === "run.created") !== (state.headSeq === 0))
    return "a journal begins with run.created, once";
  if (hasEnded(state)) return mayFollowEnd(state, body);
  switch (body.kind) {
    case "run.created":
    case "run.cancelled":
    case "run.failed":
    case "run.died":
    case "run.retrying":
    case "run.unwinding":
    case "run.steered":
    case "signal.received":
    case "message.set_aside":
    case "workspace.restored":
    case "step.reopened":
      return null;
    case "run.revived":
      return `only a dead run is revived, and this one is ${state.phase}`;
    case "run.paused":
      return state.phase === "paused" ? "it is paused already" : null;
    case "run.resumed":
      return state.phase === "paused" ? null : `it is not paused but ${state.phase}`;
    case "run.started":
      return ["created", "retrying"].includes(state.phase) ? null : `it is ${state.phase}`;
    case "run.completed":
      return state.phase === "running" ? null : `it is ${state.phase}`;
    case "step.started":
    case "step.completed":
    case "step.carried":
    case "step.skipped":
    case "step.failed":
    case "step.caught":
    case "step.cancelled":
    case "child.ended":
    case "action.intended":
    case "action.completed":
    case "action.failed":
    case "action.held":
    case "action.denied":
    case "approval.requested":
    case "approval.decided":
    case "outcome.resolved":
      return whyIllegalForStep(state.steps.get(body.step), body);
  }
}

function mayFollowEnd({ phase }: RunState, { kind }: EventBody): string | null {
  const mayGoOn = kind === "run.revived" || kind === "run.cancelled" || kind === "run.unwinding";
  return phase === "dead" && mayGoOn ? null : `it has ended: ${phase}`;
}

function whyIllegalForStep(step: StepRecord | undefined, body: StepBody): string | null {
  switch (body.kind) {
    case "step.completed":
    case "step.skipped":
    case "step.failed":
      return whyDone(step);
    case "step.started":
      // A wait that began anew would forget what it waits for: a child, a signal.
      return step?.status === "waiting" && step.start !== null ? "the step waits already" : whyEnded(step);
    case "action.held":
    case "action.denied":
    case "approval.requested":
      return whyEnded(step);
    case "step.carried":
      return step === undefined ? null : "the step is on record here already";
    case "step.caught":
      return step?.status === "failed" || step?.status === "denied"
        ? whyDone(step)
        : "the step has not failed";
    case "action.intended":
      if (step?.outcomeMissing === true && !body.intent.resumed)
        return "the outcome of its last act is not known";
      return whyEnded(step);
    case "action.completed":
    case "action.failed":
      return step?.outcomeMissing === true && step.attempt === body.attempt
        ? whyDone(step)
        : `attempt ${body.attempt} was not intended, or its outcome is on record`;
    case "approval.decided":
    case "outcome.resolved":
      return step?.question?.id === body.approvalId ? null : `${body.approvalId} is not open`;
    case "step.cancelled":
    case "child.ended":
      // Both may come late, and then say nothing.
      return null;
  }
}

/** What failed or was given up begins again only when it was opened again. */
function whyEnded(step: StepRecord | undefined): string | null {
  return step !== undefined && step.endedAtMs !== null ? `the step has ended: ${step.status}` : null;
}

function whyDone(step: StepRecord | undefined): string | null {
  return step !== undefined && isDone(step) ? `the step is ${step.status} already` : null;
}
