/** The way of one action to the gate and back: let through, or refused, held back or put to a person, and on record as such. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import type { Approval } from "../../gate/approvals.ts";
import { mayRemember } from "../../gate/consent.ts";
import type { GateTool, Traced } from "../../gate/gate-input.ts";
import type { Gate, GateOutcome } from "../../gate/gate.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { approvalDefaults } from "../../policy/rules/demands.ts";
import type { TransformRecord } from "../../policy/rules/transform-record.ts";
import { reasonWithRisk } from "../../policy/rules/risk.ts";
import type { RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";
import type { RunSession } from "../session/session.ts";
import { ask, questionAbout } from "./ask.ts";
import { waitForRetry } from "./wait-for-retry.ts";

export interface AdmissionRequest {
  readonly stepPath: string;
  readonly toolName: string;
  /** Those of the step; a person's edit takes their place. */
  readonly args: JsonObject;
  readonly labels: readonly OriginLabel[];
  /** Where the arguments came from that are judged: these, a person's edit, or what the gate made of them. Absent: nobody knows. */
  readonly trace?: (args: JsonObject) => Promise<Traced>;
}

export interface AdmissionDeps {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly roleOf: (tenant: string, principalId: string) => Promise<string>;
}

/** One try of the action. */
export interface Try {
  readonly record: StepRecord | undefined;
  readonly tool: GateTool | undefined;
  readonly attempt: number;
  readonly timeoutMs: number | null;
  /** What was done to its arguments when the attempt began that is to be done once more. */
  readonly begun?: TransformRecord;
}

export type LetThrough = Extract<GateOutcome, { kind: "allow" }>;

/**
 * The gate's permit, or what the step has come to instead; `again` when a short pause is over. Throws LEASE_LOST and
 * STORE_UNAVAILABLE.
 */
export async function admitAction(
  session: RunSession,
  request: AdmissionRequest,
  { each, deps }: { readonly each: Try; readonly deps: AdmissionDeps },
): Promise<LetThrough | StepResult | "again"> {
  const { record, tool, attempt, begun } = each;
  const outcome = await deps.gate.admit({
    tool,
    toolName: request.toolName,
    args: record?.edit ?? request.args,
    labels: request.labels,
    runId: session.runId,
    stepPath: request.stepPath,
    attempt,
    epoch: session.lease.epoch,
    agent: `workflow:${session.state.workflow.name}`,
    role: await deps.roleOf(session.tenant, session.state.requester),
    tenant: session.tenant,
    user: `user:${session.state.requester}`,
    stepTimeoutMs: each.timeoutMs,
    ...(request.trace === undefined ? {} : { trace: request.trace }),
    ...(begun === undefined ? {} : { begun }),
    answer: record?.answer ?? null,
  });
  switch (outcome.kind) {
    case "deny":
      return await recordDenial(session, request, outcome);
    case "throttle":
      return await holdBack(session, { request, record, outcome }, deps);
    case "ask":
      return await askPerson(session, request, outcome, deps);
    case "allow":
      return outcome;
  }
}

/** The attempt rises only after a recorded failure: a lost or denied outcome keeps its key. */
export function nextAttempt(record: StepRecord | undefined): number {
  if (record === undefined || record.intent === null) return 1;
  return record.status === "retrying" ? record.attempt + 1 : record.attempt;
}

/** A step whose question is still open. */
export function waitForAnswer(
  question: NonNullable<StepRecord["question"]>,
): Extract<StepResult, { readonly kind: "wait" }> {
  const kind = question.about === "outcome" ? "outcome" : "approval";
  return { kind: "wait", waiting: { kind, id: question.id, untilMs: question.expiresAtMs } };
}

/** A short wait is slept through; a longer one is put on record once, so that people see why nothing happens. */
async function holdBack(
  session: RunSession,
  held: {
    readonly request: AdmissionRequest;
    readonly record: StepRecord | undefined;
    readonly outcome: Extract<GateOutcome, { kind: "throttle" }>;
  },
  deps: AdmissionDeps,
): Promise<StepResult | "again"> {
  const { reason, retryAtMs } = held.outcome;
  const waited = await waitForRetry(session, retryAtMs, deps);
  if (waited === "try") return "again";
  if (waited.kind !== "wait") return waited;
  if (held.record?.held?.reason !== reason) {
    await session.append([{ kind: "action.held", step: held.request.stepPath, reason, retryAtMs }]);
  }
  return { kind: "wait", waiting: { kind: "timer", untilMs: retryAtMs, reason: `held back: ${reason}` } };
}

async function recordDenial(
  session: RunSession,
  request: AdmissionRequest,
  outcome: Extract<GateOutcome, { kind: "deny" }>,
): Promise<StepResult> {
  const { finding, resource, decision, judged } = outcome;
  const error: RunError = {
    code: finding.code,
    message: finding.code === "ACTION_DENIED" ? blocked(finding.reason) : finding.reason,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    step: request.stepPath,
  };
  await session.append([
    {
      kind: "action.denied",
      step: request.stepPath,
      tool: request.toolName,
      resource,
      error,
      decision,
      ...(judged === null ? {} : { ...judged, labels: request.labels }),
    },
  ]);
  return failed(error);
}

const blockedByPolicy = "Action blocked by policy";

/** Policy's own sentence says so already; a tool's refusal (an address, our own folders) does not. */
function blocked(reason: string): string {
  return reason.startsWith(blockedByPolicy) ? reason : `${blockedByPolicy}: ${reason}`;
}

async function askPerson(
  session: RunSession,
  request: AdmissionRequest,
  outcome: Extract<GateOutcome, { kind: "ask" }>,
  deps: AdmissionDeps,
): Promise<StepResult> {
  const nowMs = deps.clock.now();
  const wish = { ...approvalDefaults, ...outcome.decision.obligations.approval };
  const approval: Approval = {
    ...questionAbout(session, request.stepPath, nowMs),
    kind: "action",
    action: request.toolName,
    resource: outcome.resolved.resource,
    summary: outcome.resolved.summary,
    message: null,
    args: outcome.resolved.args,
    argsDigest: outcome.argsDigest,
    labels: request.labels,
    risk: outcome.decision.risk,
    reason: reasonWithRisk(outcome.decision),
    matched: outcome.decision.matched,
    policyRevision: outcome.decision.revision,
    by: wish.by,
    quorum: wish.quorum,
    fourEyes: wish.fourEyes === true,
    mayRemember: mayRemember(outcome.decision),
    expiresAtMs: nowMs + wish.expiresMs,
  };
  const { decision, asked } = outcome;
  return await ask(session, approval, { decision, ...(asked === null ? {} : { asked }) });
}
