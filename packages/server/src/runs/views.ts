/** What people see of runs: rows, folds and approvals as the API's shapes, with everything shown redacted. Pure. */
import type { Approval } from "../gate/approvals.ts";
import type { RunRow } from "../queue/run-row.ts";
import { innerSteps } from "../workflows/workflow.ts";
import type { Step, Workflow } from "../workflows/workflow.ts";
import type { ApprovalView, RunEventView, RunSummary, StepView } from "./api-schemas.ts";
import type { RunEvent } from "./event.ts";
import { stepOf } from "./event.ts";
import type { RunState, StepRecord } from "./fold.ts";

/** Masks personal data and secrets in anything shown. */
export type Redact = (value: unknown) => unknown;

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function optionalTime(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}

export function viewRun(row: RunRow): RunSummary {
  const { waiting } = row;
  return {
    id: row.id,
    workflow: { name: row.workflowName, digest: row.workflowDigest },
    state: row.state,
    waitingFor: waiting && {
      kind: waiting.kind,
      ...("id" in waiting ? { id: waiting.id } : {}),
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
    requestedAt: timeText(approval.requestedAtMs),
    expiresAt: optionalTime(approval.expiresAtMs),
    decidedBy: approval.decidedBy,
    decidedAt: optionalTime(approval.decidedAtMs),
    decisionReason: approval.decisionReason,
    answer: approval.answer,
  };
}

/** Null when the folder always was what the journal says. */
export function viewRepair({ repair }: RunState) {
  if (repair === null) return null;
  const { atMs, putBack, removed, count } = repair;
  return { at: timeText(atMs), putBack: [...putBack], removed: [...removed], count };
}

/** The steps of the file in order, loops unrolled as far as they have run; what has not begun is `pending`. */
export function viewSteps(workflow: Workflow, state: RunState, redact: Redact): readonly StepView[] {
  return viewList(workflow.steps, { prefix: "", depth: 0 }, { state, redact });
}

interface Viewing {
  readonly state: RunState;
  readonly redact: Redact;
}

interface Spot {
  readonly prefix: string;
  readonly depth: number;
}

function viewList(steps: readonly Step[], spot: Spot, viewing: Viewing): StepView[] {
  return steps.flatMap((step) => [viewStep(step, spot, viewing), ...viewInner(step, spot, viewing)]);
}

function viewInner(step: Step, spot: Spot, viewing: Viewing): StepView[] {
  const path = spot.prefix + step.id;
  const record = viewing.state.steps.get(path);
  const depth = spot.depth + 1;
  if (step.kind === "for_each") {
    const rounds = record?.start?.kind === "for_each" ? record.start.items.length : 0;
    const begun = Array.from({ length: rounds }, (_, index) => `${path}/${index}/`).filter((prefix) =>
      step.steps.some(({ id }) => viewing.state.steps.has(prefix + id)),
    );
    // Before its first round the body is shown once, so that the whole graph can be seen.
    const prefixes = begun.length > 0 ? begun : [`${path}/`];
    return prefixes.flatMap((prefix) => viewList(step.steps, { prefix, depth }, viewing));
  }
  if (step.kind === "branch" && record?.start?.kind === "branch") {
    const arm = step.arms[record.start.chosen];
    return viewList(arm?.steps ?? [], { prefix: `${path}/`, depth }, viewing);
  }
  return viewList(innerSteps(step), { prefix: `${path}/`, depth }, viewing);
}

function viewStep(step: Step, spot: Spot, { state, redact }: Viewing): StepView {
  const path = spot.prefix + step.id;
  const record = state.steps.get(path);
  const intent = record?.intent ?? null;
  return {
    path,
    id: step.id,
    kind: step.kind,
    title: step.title,
    depth: spot.depth,
    state: record?.status ?? "pending",
    attempt: record?.attempt ?? 0,
    startedAt: optionalTime(record?.startedAtMs ?? null),
    endedAt: optionalTime(record?.endedAtMs ?? null),
    tool: step.kind === "tool" ? step.action : null,
    resource: intent?.resource ?? null,
    summary: intent?.summary ?? null,
    effect: intent?.effect ?? null,
    args: redact(intent?.args ?? null),
    output: redact(record?.output ?? null),
    error: record?.error ?? null,
    held: record?.held ? { reason: record.held.reason, until: timeText(record.held.retryAtMs) } : null,
    decision: decisionOf(record),
    approvalId: record?.question?.id ?? record?.answer?.approvalId ?? intent?.approvalId ?? null,
  };
}

function decisionOf(record: StepRecord | undefined): StepView["decision"] {
  const decision = record?.intent?.decision ?? record?.denial ?? null;
  if (decision === null) return null;
  const { effect, risk, reason, revision, matched } = decision;
  return { effect, risk, reason, revision, matched: matched.map((rule) => ({ ...rule })) };
}
