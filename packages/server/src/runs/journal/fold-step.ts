/** How one event changes one step's record. Pure; the run around it is `fold.ts`. */
import { digestJson } from "../../base/digest.ts";
import { askedFor } from "../../gate/asked-for.ts";
import type { RunEvent, StepStart } from "./event.ts";
import type { StepRecord } from "./step-record.ts";

export type StepBody = Exclude<
  Extract<RunEvent["body"], { readonly step: string }>,
  { readonly kind: "step.reopened" }
>;

/** The record after the event; `atMs` is the event's time. Whatever ends a step, nothing holds it back any more. */
export function applyToStep(step: StepRecord, body: StepBody, atMs: number): StepRecord {
  const after = change(step, body, atMs);
  return after.endedAtMs === null || after.held === null ? after : { ...after, held: null };
}

function change(step: StepRecord, body: StepBody, atMs: number): StepRecord {
  switch (body.kind) {
    case "step.started":
      return {
        ...step,
        status: waitingStarts.has(body.start.kind) ? "waiting" : "running",
        start: body.start,
        // The child exists from this very batch on: that is the outcome of the action that began it.
        outcomeMissing: body.start.kind === "workflow" ? false : step.outcomeMissing,
        deadlineAtMs: body.deadlineAtMs ?? step.deadlineAtMs,
      };
    case "step.completed":
      return {
        ...step,
        status: "completed",
        output: body.output,
        laneErrors: body.laneErrors ?? null,
        endedAtMs: atMs,
        question: null,
      };
    case "step.carried":
      return carryStep(step, body, atMs);
    case "step.skipped":
      return { ...step, status: "skipped", endedAtMs: atMs, question: null };
    case "step.failed":
      return {
        ...step,
        status: "failed",
        error: body.error,
        transient: body.transient ?? false,
        endedAtMs: atMs,
        question: null,
      };
    case "step.caught":
      return { ...step, isCaught: true, output: body.output, endedAtMs: atMs };
    case "step.cancelled":
      if (step.endedAtMs !== null) return step;
      return { ...step, status: "cancelled", endedAtMs: atMs, question: null };
    case "child.ended":
      return endChild(step, body, atMs);
    case "action.intended":
      return {
        ...step,
        status: "running",
        attempt: body.intent.attempt,
        intent: body.intent,
        outcomeMissing: true,
        question: null,
        resolution: null,
        retryAtMs: null,
        error: null,
        held: null,
      };
    case "action.completed":
      return {
        ...step,
        status: "completed",
        outcomeMissing: false,
        output: body.output,
        labels: body.labels,
        endedAtMs: atMs,
        // The outcome is known now: nobody need be asked for it.
        question: null,
      };
    case "action.failed":
      return {
        ...step,
        status: body.retryAtMs === null ? "failed" : "retrying",
        outcomeMissing: false,
        error: body.error,
        labels: body.labels ?? step.labels,
        transient: body.transient,
        didHappen: step.didHappen || body.didHappen === true,
        retryAtMs: body.retryAtMs,
        retrySetAtMs: atMs,
        endedAtMs: body.retryAtMs === null ? atMs : null,
        question: null,
        held: null,
        // A retry asks policy and people anew.
        answer: null,
      };
    case "action.held":
      // A retry stays one: its status is what raises the attempt's number.
      return {
        ...step,
        status: step.status === "retrying" ? "retrying" : "waiting",
        held: { reason: body.reason, retryAtMs: body.retryAtMs },
      };
    case "action.denied": {
      const refused = { status: "denied", error: body.error, denial: body.decision } as const;
      const { tool, resource } = body;
      return { ...step, ...refused, refused: { tool, resource }, endedAtMs: atMs, question: null };
    }
    case "approval.requested":
      return {
        ...step,
        status: "waiting",
        held: null,
        question: {
          id: body.approvalId,
          about: body.about,
          argsDigest: body.argsDigest,
          expiresAtMs: body.expiresAtMs,
          ...(body.decision === undefined ? {} : { askedFor: askedFor(body.decision) }),
        },
      };
    case "approval.decided":
      // The step may have been given up while the answer was on its way.
      if (step.question === null) return step;
      return {
        ...step,
        status: "running",
        question: null,
        answer: {
          approvalId: body.approvalId,
          argsDigest: step.question.argsDigest,
          answer: body.answer,
          by: body.by,
          reason: body.reason,
          ...(body.edit === undefined ? {} : { editDigest: digestJson(body.edit) }),
          ...(step.question.askedFor === undefined ? {} : { askedFor: step.question.askedFor }),
        },
        edit: body.edit ?? step.edit,
      };
    case "outcome.resolved":
      return resolveOutcome(step, body, atMs);
  }
}

/** What a step waits for after these; others are at work themselves. */
const waitingStarts: ReadonlySet<StepStart["kind"]> = new Set(["wait", "signal", "workflow"]);

function carryStep(
  step: StepRecord,
  body: Extract<StepBody, { readonly kind: "step.carried" }>,
  atMs: number,
): StepRecord {
  const { as, output, labels, start, laneErrors, error, intent, from } = body;
  const carried = { run: from.run, seq: from.seq };
  const known = { ...step, output, labels, start, laneErrors, error, intent, carried };
  if (as === "open") return { ...known, status: "running" };
  const status = as === "caught" ? "failed" : as;
  return { ...known, status, isCaught: as === "caught", attempt: intent?.attempt ?? 0, endedAtMs: atMs };
}

function endChild(
  step: StepRecord,
  body: Extract<StepBody, { kind: "child.ended" }>,
  atMs: number,
): StepRecord {
  const isAwaited = step.start?.kind === "workflow" && step.start.childId === body.childId;
  // A dead child that is tried again ends twice; the step has gone on since.
  if (!isAwaited || step.endedAtMs !== null) return step;
  const ended = { ...step, endedAtMs: atMs, labels: body.labels, output: body.output, question: null };
  return body.state === "completed"
    ? { ...ended, status: "completed" }
    : { ...ended, status: "failed", error: body.error };
}

function resolveOutcome(
  step: StepRecord,
  body: Extract<StepBody, { kind: "outcome.resolved" }>,
  atMs: number,
): StepRecord {
  if (step.question === null) return step;
  const answered = { ...step, question: null, held: null, outcomeMissing: false, resolution: body.answer };
  switch (body.answer) {
    case "happened":
      return { ...answered, status: "completed", output: body.output, labels: ["user"], endedAtMs: atMs };
    case "did-not-happen":
      return { ...answered, status: "running" };
    case "abandon":
      return {
        ...answered,
        status: "failed",
        endedAtMs: atMs,
        error: {
          code: "OUTCOME_ABANDONED",
          message: `${body.by} abandoned the step after its outcome was lost`,
        },
      };
  }
}
