/** A workflow's own question to people: asked once, answered once, then the step is done, skipped or failed. */
import { digestJson } from "../../base/digest.ts";
import { isHomeostatError } from "../../base/error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Scope } from "../../expression/expression.ts";
import { renderText } from "../../expression/template.ts";
import type { ApprovalStep } from "../../workflows/workflow.ts";
import { ask, questionAbout } from "../actions/ask.ts";
import type { StepRecord } from "../journal/step-record.ts";
import type { RunSession } from "../session/session.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";

export interface DueApproval {
  readonly step: ApprovalStep;
  readonly path: string;
  readonly record: StepRecord | undefined;
  readonly scope: Scope;
}

export async function runApprovalStep(
  session: RunSession,
  due: DueApproval,
  deps: { readonly clock: Clock },
): Promise<StepResult> {
  const { record } = due;
  if (record?.question) {
    const { id, expiresAtMs } = record.question;
    return { kind: "wait", waiting: { kind: "approval", id, untilMs: expiresAtMs } };
  }
  return record?.answer ? await settle(session, due, record.answer) : await put(session, due, deps);
}

async function put(
  session: RunSession,
  { step, path, scope }: DueApproval,
  deps: { readonly clock: Clock },
): Promise<StepResult> {
  const nowMs = deps.clock.now();
  let message: string;
  try {
    message = renderText(step.message.template, scope);
  } catch (error) {
    if (!isHomeostatError(error)) throw error;
    const cause = { code: error.code, message: error.message, hint: error.hint, step: path };
    await session.append([{ kind: "step.failed", step: path, error: cause }]);
    return failed(cause);
  }
  return await ask(session, {
    ...questionAbout(session, path, nowMs),
    kind: "step",
    action: null,
    resource: null,
    summary: step.title ?? message,
    message,
    args: {},
    argsDigest: digestJson({ step: path, message }),
    labels: [],
    risk: "medium",
    reason: "The workflow asks a person before it goes on",
    matched: [],
    policyRevision: "",
    by: step.by,
    expiresAtMs: step.expiresMs === null ? null : nowMs + step.expiresMs,
  });
}

async function settle(
  session: RunSession,
  { step, path }: DueApproval,
  answer: NonNullable<StepRecord["answer"]>,
): Promise<StepResult> {
  if (answer.answer === "approve") {
    const output = { approved: true, by: answer.by, reason: answer.reason };
    await session.append([{ kind: "step.completed", step: path, output }]);
    return { kind: "done", output };
  }
  if (step.onReject === "skip") {
    const reason = answer.answer === "expire" ? "nobody answered in time" : "a person said no";
    await session.append([{ kind: "step.skipped", step: path, reason }]);
    return { kind: "done", output: null };
  }
  const expired = answer.answer === "expire";
  const error = {
    code: expired ? "APPROVAL_EXPIRED" : "APPROVAL_REJECTED",
    message: expired
      ? "Nobody answered the approval in time"
      : `${answer.by} rejected: ${answer.reason ?? "no reason"}`,
    step: path,
  };
  await session.append([{ kind: "step.failed", step: path, error }]);
  return failed(error);
}
