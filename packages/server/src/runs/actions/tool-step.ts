/** One tool step: from the gate's answer to the recorded outcome, over questions, retries and lost outcomes. */
import type { GateTool } from "../../gate/gate-input.ts";
import type { Statement } from "../../store/store.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { msUntilRetry, retryDelay } from "../../guards/retry.ts";
import type { RetryWish } from "../../guards/retry.ts";
import { admitAction, nextAttempt, waitForAnswer } from "./admission.ts";
import type { AdmissionRequest, Try } from "./admission.ts";
import { askAboutOutcome } from "./ask.ts";
import { act, takeBackTime } from "./effects.ts";
import type { ActOutcome, EffectDeps } from "./effects.ts";
import type { RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { failureLabels } from "./failure-labels.ts";
import { settleLostOutcome } from "./lost-outcome.ts";
import type { RunSession } from "../session/session.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";
import type { InTurn } from "./turns.ts";
import { waitForRetry } from "./wait-for-retry.ts";

export interface ToolStepRequest extends AdmissionRequest {
  readonly timeoutMs: number | null;
  /** When the time of a step around it is over: nothing is begun then, and nothing acts on beyond it. */
  readonly notAfterMs: number | null;
  readonly retry: RetryWish | null;
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
  const put = { retryAtMs: record.retryAtMs, setAtMs: record.retrySetAtMs };
  return await waitForRetry(session, nowMs + msUntilRetry(retry, put, nowMs), deps);
}

const unknownError: RunError = { code: "ACTION_FAILED", message: "The step failed" };

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
  const each: Try = {
    record,
    tool: tool && deps.gateTool(tool, session.runId),
    attempt,
    timeoutMs: timeLeft(request, tool, deps),
    ...(resumed && begun !== undefined ? { begun } : {}),
  };
  const admitted = await admitAction(session, request, { each, deps });
  if (admitted === "again" || admitted.kind !== "allow") return admitted;
  const done = await act(
    session,
    {
      stepPath: request.stepPath,
      attempt,
      tool: tool!,
      admitted,
      permit: admitted.permit,
      labels: request.labels,
      approvalId: admitted.standing ?? record?.answer?.approvalId ?? null,
      resumed,
    },
    deps,
  );
  return await afterAct(session, request, { attempt, done }, deps);
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

async function afterAct(
  session: RunSession,
  request: ToolStepRequest,
  acted: { readonly attempt: number; readonly done: ActOutcome },
  deps: ToolStepDeps,
): Promise<StepResult | "again"> {
  const { attempt, done } = acted;
  if (done.kind !== "completed" && session.interrupt.aborted)
    return await recordCancelled(session, request, { attempt, done, deps });
  if (done.kind === "completed") {
    return { kind: "done", output: session.state.steps.get(request.stepPath)!.output };
  }
  if (done.kind === "unknown")
    return await askAboutOutcome(session, { stepPath: request.stepPath, why: done.reason }, deps);
  const retryAtMs = isToStay(done, deps.tools.get(request.toolName))
    ? null
    : retryTime(request.retry, attempt, done.error, deps);
  await session.append(
    [
      {
        kind: "action.failed",
        step: request.stepPath,
        attempt,
        error: done.error,
        labels: labelsOf(session, request, { done, deps }),
        retryAtMs,
        transient: done.transient,
        ...(done.didHappen === true ? { didHappen: true } : {}),
      },
    ],
    { extra: timeBack(session, request, { done, clock: deps.clock }) },
  );
  if (retryAtMs === null) return failed(done.error, done.transient);
  const waited = await waitForRetry(session, retryAtMs, deps);
  return waited === "try" ? "again" : waited;
}

function labelsOf(
  { state }: RunSession,
  { stepPath, toolName }: ToolStepRequest,
  {
    done,
    deps,
  }: {
    readonly done: Exclude<ActOutcome, { kind: "completed" }>;
    readonly deps: Pick<ToolStepDeps, "tools">;
  },
): ReturnType<typeof failureLabels> {
  const answered = done.kind === "failed" ? done.answered : undefined;
  return failureLabels(deps.tools.get(toolName), state.steps.get(stepPath)!.intent!, answered);
}

/** An act that may go on keeps its time: who takes the run over waits for its end. */
function timeBack(
  session: RunSession,
  { stepPath }: ToolStepRequest,
  { done, clock }: { readonly done: ActOutcome } & Pick<ToolStepDeps, "clock">,
): () => readonly Statement[] {
  const hasEnded = done.kind === "failed" && done.mayStillAct !== true;
  return hasEnded ? takeBackTime(session, stepPath, clock) : () => [];
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
  {
    attempt,
    done,
    deps,
  }: {
    readonly attempt: number;
    readonly done: Exclude<ActOutcome, { kind: "completed" }>;
    readonly deps: Pick<ToolStepDeps, "clock" | "tools">;
  },
): Promise<StepResult> {
  const doubt = done.kind === "unknown" ? "; it may have happened" : "";
  const error: RunError = {
    code: "RUN_CANCELLED",
    message: `The run was cancelled while ${request.toolName} was acting${doubt}`,
    step: request.stepPath,
  };
  const happened = done.kind === "failed" && done.didHappen === true ? { didHappen: true as const } : {};
  const step = request.stepPath;
  const labels = labelsOf(session, request, { done, deps });
  await session.append(
    [{ kind: "action.failed", step, attempt, error, labels, retryAtMs: null, transient: false, ...happened }],
    { extra: timeBack(session, request, { done, clock: deps.clock }) },
  );
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
