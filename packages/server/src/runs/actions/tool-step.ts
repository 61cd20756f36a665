/** One tool step: from the gate's answer to the recorded outcome, over questions, retries and lost outcomes. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Approval } from "../../gate/approvals.ts";
import { mayRemember } from "../../gate/consent.ts";
import type { GateTool, Traced } from "../../gate/gate-input.ts";
import type { GateOutcome } from "../../gate/gate.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { reasonWithRisk } from "../../policy/rules/risk.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { msUntilRetry, retryDelay } from "../../guards/retry.ts";
import type { RetryWish } from "../../guards/retry.ts";
import { ask, askAboutOutcome, defaultApprovers, questionAbout } from "./ask.ts";
import { act } from "./effects.ts";
import type { ActOutcome, EffectDeps } from "./effects.ts";
import type { RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { settleLostOutcome } from "./lost-outcome.ts";
import type { RunSession } from "../session/session.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";
import type { InTurn } from "./turns.ts";

export interface ToolStepRequest {
  readonly stepPath: string;
  readonly toolName: string;
  readonly args: JsonObject;
  readonly labels: readonly OriginLabel[];
  readonly timeoutMs: number | null;
  /** When the time of a step around it is over: nothing is begun then, and nothing acts on beyond it. */
  readonly notAfterMs: number | null;
  readonly retry: RetryWish | null;
  /** Where the arguments came from that are judged: these, a person's edit, or what the gate made of them. Absent: nobody knows. */
  readonly trace?: (args: JsonObject) => Promise<Traced>;
  /** Tools that may write the workspace act one after the other. */
  readonly inTurn: InTurn;
}

export interface ToolStepDeps extends EffectDeps {
  readonly tools: ReadonlyMap<string, AnyTool>;
  /** The tool as the gate sees it, with this run's roots bound. */
  readonly gateTool: (tool: AnyTool, runId: string) => GateTool;
  readonly roleOf: (tenant: string, principalId: string) => Promise<string>;
  /** 0 to 1. */
  readonly random: () => number;
}

/** How long a question stays open when policy says nothing. */
const defaultExpiryMs = 24 * 60 * 60_000;

/** Delays up to this long are slept in place; longer ones let go of the worker. */
const sleepInPlaceMs = 2_000;

/** Runs the step as far as it can go now. Throws LEASE_LOST and STORE_UNAVAILABLE only. */
export async function runToolStep(
  session: RunSession,
  request: ToolStepRequest,
  deps: ToolStepDeps,
): Promise<StepResult> {
  const isWriter = (deps.tools.get(request.toolName)?.files ?? "writes") === "writes";
  for (;;) {
    const goOn = (): Promise<StepResult | "again"> => settleOrTry(session, request, deps);
    const outcome = isWriter ? await request.inTurn(goOn) : await goOn();
    if (outcome !== "again") return outcome;
  }
}

async function settleOrTry(
  session: RunSession,
  request: ToolStepRequest,
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const settled = await settle(session, request, deps);
  if (settled !== "try") return settled;
  // The turn may have been long in coming.
  if (session.interrupt.aborted) return { kind: "interrupted" };
  if (deps.clock.now() >= (request.notAfterMs ?? Infinity)) return failed(outOfTime(request));
  return await attemptOnce(session, request, session.state.steps.get(request.stepPath), deps);
}

function outOfTime({ toolName, stepPath }: ToolStepRequest): RunError {
  return { code: "STEP_TIMEOUT", message: `No time was left for ${toolName}`, step: stepPath };
}

/** What the journal already says about the step; "try" when it is time to (re)do it. */
async function settle(
  session: RunSession,
  { stepPath, retry }: ToolStepRequest,
  deps: ToolStepDeps,
): Promise<StepResult | "try"> {
  const record = session.state.steps.get(stepPath);
  if (record === undefined) return "try";
  if (record.status === "completed") return { kind: "done", output: record.output };
  if (record.status === "failed" || record.status === "denied") {
    return failed(record.error ?? unknownError, record.transient);
  }
  if (record.question !== null) return waitForAnswer(record.question);
  if (record.outcomeMissing) {
    const lost = await settleLostOutcome(session, record, deps);
    if (lost !== "repeat") return lost;
  }
  if (record.retryAtMs === null) return "try";
  const nowMs = deps.clock.now();
  return await waitForRetry(session, nowMs + msUntilRetry(retry, record.retryAtMs, nowMs), deps);
}

const unknownError: RunError = { code: "ACTION_FAILED", message: "The step failed" };

function waitForAnswer(question: NonNullable<StepRecord["question"]>): StepResult {
  const kind = question.about === "outcome" ? "outcome" : "approval";
  return { kind: "wait", waiting: { kind, id: question.id, untilMs: question.expiresAtMs } };
}

async function waitForRetry(
  session: RunSession,
  retryAtMs: number,
  deps: ToolStepDeps,
): Promise<StepResult | "try"> {
  const leftMs = retryAtMs - deps.clock.now();
  if (leftMs <= 0) return "try";
  if (leftMs > sleepInPlaceMs) return { kind: "wait", waiting: { kind: "timer", untilMs: retryAtMs } };
  const signal = AbortSignal.any([session.interrupt, session.lease.signal]);
  try {
    await deps.clock.sleep(leftMs, signal);
    return "try";
  } catch {
    // Woken by a cancel, a pause or the lease's end; the interpreter looks at which.
    return { kind: "interrupted" };
  }
}

async function attemptOnce(
  session: RunSession,
  request: ToolStepRequest,
  record: StepRecord | undefined,
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const tool = deps.tools.get(request.toolName);
  const attempt = nextAttempt(record);
  const resumed = record?.outcomeMissing === true || record?.resolution === "did-not-happen";
  const begun = record?.intent?.decision.transformed;
  const outcome = await deps.gate.admit({
    tool: tool && deps.gateTool(tool, session.runId),
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
    stepTimeoutMs: timeLeft(request, tool, deps),
    ...(request.trace === undefined ? {} : { trace: request.trace }),
    ...(resumed && begun !== undefined ? { begun } : {}),
    answer: record?.answer ?? null,
  });
  switch (outcome.kind) {
    case "deny":
      return await recordDenial(session, request, outcome);
    case "throttle":
      return await holdBack(session, { request, record, outcome }, deps);
    case "ask":
      return await askPerson(session, request, outcome, deps);
    case "allow": {
      const done = await act(
        session,
        {
          stepPath: request.stepPath,
          attempt,
          tool: tool!,
          admitted: outcome,
          permit: outcome.permit,
          labels: request.labels,
          approvalId: outcome.standing ?? record?.answer?.approvalId ?? null,
          resumed,
        },
        deps,
      );
      return await afterAct(session, request, { attempt, done }, deps);
    }
  }
}

/** The step's own limit, or what is left for the steps around it when that is less. */
function timeLeft(
  { timeoutMs, notAfterMs }: ToolStepRequest,
  tool: AnyTool | undefined,
  { clock }: ToolStepDeps,
): number | null {
  if (notAfterMs === null || tool === undefined) return timeoutMs;
  return Math.max(1, Math.min(timeoutMs ?? tool.defaultTimeoutMs, notAfterMs - clock.now()));
}

/** The attempt rises only after a recorded failure: a lost or denied outcome keeps its key. */
function nextAttempt(record: StepRecord | undefined): number {
  if (record === undefined || record.intent === null) return 1;
  return record.status === "retrying" ? record.attempt + 1 : record.attempt;
}

async function waitOrAgain(
  session: RunSession,
  retryAtMs: number,
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const waited = await waitForRetry(session, retryAtMs, deps);
  return waited === "try" ? "again" : waited;
}

/** A short wait is slept through; a longer one is put on record once, so that people see why nothing happens. */
async function holdBack(
  session: RunSession,
  held: {
    readonly request: ToolStepRequest;
    readonly record: StepRecord | undefined;
    readonly outcome: Extract<GateOutcome, { kind: "throttle" }>;
  },
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const { reason, retryAtMs } = held.outcome;
  const waited = await waitOrAgain(session, retryAtMs, deps);
  if (waited === "again" || waited.kind !== "wait") return waited;
  if (held.record?.held?.reason !== reason) {
    await session.append([{ kind: "action.held", step: held.request.stepPath, reason, retryAtMs }]);
  }
  return { kind: "wait", waiting: { kind: "timer", untilMs: retryAtMs, reason: `held back: ${reason}` } };
}

async function recordDenial(
  session: RunSession,
  request: ToolStepRequest,
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
  request: ToolStepRequest,
  outcome: Extract<GateOutcome, { kind: "ask" }>,
  deps: ToolStepDeps,
): Promise<StepResult> {
  const nowMs = deps.clock.now();
  const wish = outcome.decision.obligations.approval;
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
    by: wish?.by ?? defaultApprovers,
    quorum: wish?.quorum ?? 1,
    fourEyes: wish?.fourEyes === true,
    mayRemember: mayRemember(outcome.decision),
    expiresAtMs: nowMs + (wish?.expiresMs ?? defaultExpiryMs),
  };
  const { decision, asked } = outcome;
  return await ask(session, approval, { decision, ...(asked === null ? {} : { asked }) });
}

async function afterAct(
  session: RunSession,
  request: ToolStepRequest,
  acted: { readonly attempt: number; readonly done: ActOutcome },
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const { attempt, done } = acted;
  if (done.kind !== "completed" && session.interrupt.aborted)
    return await recordCancelled(session, request, acted);
  if (done.kind === "completed") {
    return { kind: "done", output: session.state.steps.get(request.stepPath)!.output };
  }
  if (done.kind === "unknown")
    return await askAboutOutcome(session, { stepPath: request.stepPath, why: done.reason }, deps);
  const retryAtMs = isToStay(done, deps.tools.get(request.toolName))
    ? null
    : retryTime(request.retry, attempt, done.error, deps);
  await session.append([
    {
      kind: "action.failed",
      step: request.stepPath,
      attempt,
      error: done.error,
      retryAtMs,
      transient: done.transient,
      ...(done.didHappen === true ? { didHappen: true } : {}),
    },
  ]);
  if (retryAtMs === null) return failed(done.error, done.transient);
  return await waitOrAgain(session, retryAtMs, deps);
}

/** The next try has a key of its own, so what happened and may not happen twice is not tried again. */
function isToStay(
  { didHappen }: Extract<ActOutcome, { kind: "failed" }>,
  tool: AnyTool | undefined,
): boolean {
  return didHappen === true && tool?.effect !== "pure" && tool?.effect !== "idempotent";
}

/** A cancel broke the act off; the run ends next, so nobody needs to be asked, but the doubt stays on record. */
async function recordCancelled(
  session: RunSession,
  request: ToolStepRequest,
  { attempt, done }: { readonly attempt: number; readonly done: ActOutcome },
): Promise<StepResult> {
  const doubt = done.kind === "unknown" ? "; it may have happened" : "";
  const error: RunError = {
    code: "RUN_CANCELLED",
    message: `The run was cancelled while ${request.toolName} was acting${doubt}`,
    step: request.stepPath,
  };
  const happened = done.kind === "failed" && done.didHappen === true ? { didHappen: true as const } : {};
  const step = request.stepPath;
  await session.append([
    { kind: "action.failed", step, attempt, error, retryAtMs: null, transient: false, ...happened },
  ]);
  return { kind: "interrupted" };
}

function retryTime(
  retry: RetryWish | null,
  attempt: number,
  error: RunError,
  deps: ToolStepDeps,
): number | null {
  const delayMs = retryDelay(retry, { attempt, code: error.code, random: deps.random() });
  return delayMs === undefined ? null : deps.clock.now() + delayMs;
}
