/** Questions to people: each is an event and a row, written together; the run then holds no worker. */
import type { Clock } from "../../base/clock.ts";
import { createId } from "../../base/id.ts";
import { insertApproval } from "../../gate/approvals.ts";
import type { Approval } from "../../gate/approvals.ts";
import { askedFor } from "../../gate/asked-for.ts";
import type { Decision } from "../../policy/rules/decision.ts";
import { approvalDefaults } from "../../policy/rules/demands.ts";
import type { Asked } from "../../policy/rules/recorded-action.ts";
import type { ActionIntent } from "../journal/event.ts";
import type { RunSession } from "../session/session.ts";
import type { StepResult } from "../journal/step-result.ts";

/** The fields every question of this run shares. */
export function questionAbout(session: RunSession, step: string, nowMs: number) {
  return {
    id: createId("apr", nowMs),
    tenant: session.tenant,
    status: "waiting",
    runId: session.runId,
    runPath: session.state.ancestors,
    workflow: session.state.workflow.name,
    step,
    requester: session.state.requester,
    delegates: [],
    handOns: [],
    quorum: 1,
    votes: 0,
    fourEyes: false,
    mayRemember: false,
    askedScore: null,
    editedArgs: null,
    requestedAtMs: nowMs,
    decidedBy: null,
    decidedAtMs: null,
    decisionReason: null,
    answer: null,
  } as const;
}

/** Records the question and its row in one batch; the run then holds no worker. */
export async function ask(
  session: RunSession,
  approval: Approval,
  why: { readonly decision?: Decision; readonly asked?: Asked } = {},
): Promise<StepResult> {
  const kind = approval.kind === "outcome" ? "outcome" : "approval";
  const askedScore = (why.decision && askedFor(why.decision).score) ?? null;
  await session.append(
    [
      {
        kind: "approval.requested",
        step: approval.step,
        approvalId: approval.id,
        about: approval.kind,
        argsDigest: approval.argsDigest,
        policyRevision: approval.policyRevision,
        expiresAtMs: approval.expiresAtMs,
        summary: approval.summary,
        ...why,
      },
    ],
    { extra: [insertApproval({ ...approval, askedScore })] },
  );
  return { kind: "wait", waiting: { kind, id: approval.id, untilMs: approval.expiresAtMs } };
}

/** Puts a lost outcome before a person: happened, did not happen, abandon. */
export async function askAboutOutcome(
  session: RunSession,
  { stepPath, why }: { readonly stepPath: string; readonly why: string },
  deps: { readonly clock: Clock },
): Promise<StepResult> {
  const intent = session.state.steps.get(stepPath)!.intent!;
  return await ask(session, {
    ...questionAbout(session, stepPath, deps.clock.now()),
    kind: "outcome",
    ...outcomeQuestion(intent, why),
    by: approvalDefaults.by,
    expiresAtMs: null,
  });
}

function outcomeQuestion(intent: ActionIntent, why: string) {
  return {
    action: intent.tool,
    resource: intent.resource,
    summary: `Outcome unknown: ${intent.summary}`,
    message: `${why}. Look at the outside world (key ${intent.key}) and say whether it happened.`,
    args: intent.args,
    argsDigest: intent.argsDigest,
    labels: intent.labels,
    risk: intent.decision.risk,
    reason: "An unsafe action was begun and its outcome was not recorded",
    matched: intent.decision.matched,
    policyRevision: intent.decision.revision,
  };
}
