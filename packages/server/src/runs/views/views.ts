/** What people see of runs: rows, folds and approvals as the API's shapes, with everything shown redacted. Pure. */
import type { Approval } from "../../gate/approvals.ts";
import type { RunRow, StoredRun } from "../../queue/run-row.ts";
import type { ApprovalView, RunEventView, RunSummary } from "./api-schemas.ts";
import type { RunEvent } from "../journal/event.ts";
import { stepOf } from "../journal/event.ts";
import type { RunState } from "../journal/fold.ts";

/** Masks personal data and secrets in anything shown. */
export type Redact = (value: unknown) => unknown;

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

export function optionalTime(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}

export function viewRun(row: RunRow | StoredRun): RunSummary {
  const { waiting } = row;
  // A row as it was just projected has neither.
  const { fault = null, progress = null } = row as Partial<StoredRun>;
  return {
    id: row.id,
    workflow: { name: row.workflowName, digest: row.workflowDigest },
    state: row.state,
    waitingFor: waiting && {
      kind: waiting.kind,
      ...("id" in waiting ? { id: waiting.id } : {}),
      ...("name" in waiting ? { name: waiting.name } : {}),
      ...(waiting.more === undefined ? {} : { more: waiting.more }),
      ...("untilMs" in waiting ? { until: optionalTime(waiting.untilMs) } : {}),
      ...("reason" in waiting && waiting.reason !== undefined ? { reason: waiting.reason } : {}),
    },
    priority: row.priority,
    attempts: row.attempts,
    maxAttempts: row.maxAttempts,
    requester: row.requester,
    labels: [...row.labels],
    createdAt: timeText(row.createdAtMs),
    startedAt: optionalTime(row.startedAtMs),
    endedAt: optionalTime(row.endedAtMs),
    error: row.error,
    headSeq: row.headSeq,
    stepsDone: row.stepsDone,
    stepsTotal: row.stepsTotal,
    artifactCount: row.artifactCount,
    parent: row.parent,
    progress: progress && { percent: progress.percent, text: progress.text, at: timeText(progress.atMs) },
    fault: fault && {
      code: fault.code,
      message: fault.message,
      hint: fault.hint,
      at: timeText(fault.atMs),
      nextTryAt: optionalTime(row.wakeAtMs),
    },
  };
}

export function viewEvent(event: RunEvent, redact: Redact): RunEventView {
  const { kind, ...body } = event.body;
  return {
    seq: event.seq,
    kind,
    at: timeText(event.atMs),
    step: stepOf(event.body),
    // A body is an object, and redaction keeps its shape.
    body: redact(body) as Record<string, unknown>,
    digest: event.digest,
  };
}

export function viewApproval(approval: Approval, redact: Redact): ApprovalView {
  return {
    id: approval.id,
    kind: approval.kind,
    status: approval.status,
    runId: approval.runId,
    runPath: approval.runPath.map((above) => ({ ...above })),
    workflow: approval.workflow,
    step: approval.step,
    action: approval.action,
    resource: approval.resource,
    summary: approval.summary,
    message: approval.message,
    args: redact(approval.args),
    argsDigest: approval.argsDigest,
    labels: [...approval.labels],
    risk: approval.risk,
    reason: approval.reason,
    matched: approval.matched.map((rule) => ({ ...rule })),
    policyRevision: approval.policyRevision,
    requester: approval.requester,
    by: [...approval.by],
    delegates: [...approval.delegates],
    quorum: approval.quorum,
    votes: approval.votes,
    fourEyes: approval.fourEyes,
    mayRemember: approval.mayRemember,
    editedArgs: approval.editedArgs === null ? null : redact(approval.editedArgs),
    requestedAt: timeText(approval.requestedAtMs),
    expiresAt: optionalTime(approval.expiresAtMs),
    decidedBy: approval.decidedBy,
    decidedAt: optionalTime(approval.decidedAtMs),
    decisionReason: approval.decisionReason,
    answer: approval.answer,
  };
}

export function viewMessages({ messages }: RunState, redact: Redact) {
  return messages.map(({ atMs, by, text }) => ({ at: timeText(atMs), by, text: String(redact(text)) }));
}

/** Null when the folder always was what the journal says. */
export function viewRepair({ repair }: RunState) {
  if (repair === null) return null;
  const { atMs, putBack, removed, count } = repair;
  return { at: timeText(atMs), putBack: [...putBack], removed: [...removed], count };
}
