/** The only road to a tool: a permit is redeemed, the intent is durable before the act, the outcome after it. */
import type { ArtifactPlan, WorkspaceChange } from "../../artifacts/register.ts";
import type { Clock } from "../../base/clock.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../../base/error.ts";
import type { LetThrough } from "../../gate/further-resource.ts";
import type { Admitted, Gate } from "../../gate/gate.ts";
import { createDeadline } from "../../guards/deadline.ts";
import { classOfCode, recoveryOf } from "../../guards/recovery.ts";
import type { Permit, PermitOffice } from "../../gate/permit.ts";
import { targetsOf } from "../../gate/target-memory.ts";
import type { TargetMemory } from "../../gate/target-memory.ts";
import { reserveLease, shortenLease } from "../../store/lease.ts";
import type { Statement } from "../../store/store.ts";
import type { AnyTool, Root, ToolContext, ToolResult } from "../../tools/tool.ts";
import type { ActionIntent, EventBody, RunError } from "../journal/event.ts";
import type { HeldHere } from "../session/held-here.ts";
import { outboxKey } from "../session/session.ts";
import { requireHeld } from "../session/require-held.ts";
import type { RunSession } from "../session/session.ts";
import type { Workspaces } from "../workspace/workspace.ts";
import { stopGraceMs, untilStopped } from "./until-stopped.ts";

export interface EffectDeps {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly permits: PermitOffice;
  readonly workspaces: Workspaces;
  /** Resolves when the ledger's checkpoint covers the entry; an unsafe act waits for it. */
  readonly published: (outboxKey: string, signal: AbortSignal) => Promise<void>;
  /** Targets used before, for what is new; absent: nobody remembers. */
  readonly targets?: TargetMemory;
  readonly argumentRoles?: (tool: string) => AnyTool["argumentRoles"];
  readonly rootsOf: (runId: string) => readonly Root[];
  readonly runSandboxed: ToolContext["runSandboxed"];
  /** Told of every act under way in this process, also of one that nobody waits for any more. */
  readonly acting: Pick<HeldHere, "hold">;
  /** What changed between two manifests, as registry rows and ledger entries. */
  readonly planArtifacts: (change: WorkspaceChange) => ArtifactPlan;
  /** Live only; must not throw. */
  readonly progress: (runId: string, step: string, text: string, percent?: number) => void;
}

/** What happened to an action; `unknown` when it may or may not have happened and nobody can tell. */
export type ActOutcome =
  | { readonly kind: "completed" }
  | {
      readonly kind: "failed";
      readonly error: RunError;
      readonly transient: boolean;
      /** It acted; only its answer was refused. */
      readonly didHappen?: true;
      /** Where the answer came from that was refused. */
      readonly answered?: ToolResult["labels"];
      /** It was left behind; doing it again is no harm. */
      readonly mayStillAct?: true;
    }
  | { readonly kind: "unknown"; readonly reason: string };

export interface Act {
  readonly stepPath: string;
  readonly attempt: number;
  readonly tool: AnyTool;
  readonly admitted: Admitted;
  readonly permit: Permit;
  readonly labels: ActionIntent["labels"];
  readonly approvalId: string | null;
  /** The same attempt again after a crash, under the same key. */
  readonly resumed: boolean;
}

/** The lease must outlast the tool's deadline by this much, so that a late answer is still ours to record. */
export const leaseMarginMs = 5_000;

export function idempotencyKey(runId: string, stepPath: string, attempt: number): string {
  return `${runId}/${stepPath}/${attempt}`;
}

/**
 * Writes the intent, acts, and records a success. A failure is returned, not recorded: the step decides whether it is
 * tried again. Throws LEASE_LOST and STORE_UNAVAILABLE.
 */
export async function act(session: RunSession, request: Act, deps: EffectDeps): Promise<ActOutcome> {
  let sign: Sign = "released";
  try {
    return await actAndRecord(session, request, {
      deps,
      settle: (seen) => {
        sign = seen;
      },
    });
  } finally {
    // On every way out, or the breaker would wait for a probe that never comes back.
    deps.gate.settled(request.admitted, request.tool.name, sign);
  }
}

/** What an act tells the circuit breaker about its target. */
type Sign = Parameters<Gate["settled"]>[2];

/** An exit code, a limit, a missing file are answers about what was asked: the tool is alive. Only silence and faults count. */
function signOf(executed: Executed, session: RunSession): Sign {
  if (executed.kind === "result") return "succeeded";
  if (session.interrupt.aborted) return "released";
  if (executed.kind === "unknown" || executed.transient) return "failed";
  return recoveryOf(classOfCode(executed.error.code)) === "break" ? "failed" : "succeeded";
}

async function actAndRecord(
  session: RunSession,
  request: Act,
  { deps, settle }: { readonly deps: EffectDeps; readonly settle: (sign: Sign) => void },
): Promise<ActOutcome> {
  const intent = intentOf(session, request, deps);
  const begunMs = deps.clock.monotonic();
  deps.permits.redeem(request.permit, {
    runId: session.runId,
    stepPath: request.stepPath,
    attempt: request.attempt,
    tool: request.tool.name,
    argsDigest: request.admitted.argsDigest,
    epoch: session.lease.epoch,
  });
  // Others wait for the lease's end before they take the run, so it must outlast the act; the intent is fenced by it.
  const reserved = reserveLease(session.lease, intent.deadlineAtMs);
  session.reserved.set(request.stepPath, intent.deadlineAtMs);
  const intended: EventBody = { kind: "action.intended", step: request.stepPath, intent };
  const seq = await session.append([intended], { extra: [reserved] });
  if (request.tool.effect === "unsafe") {
    await deps.published(outboxKey(session.runId, seq), session.lease.signal);
  }
  const startedMs = deps.clock.monotonic();
  const executed = await execute(session, { ...request, begunMs }, intent, deps);
  settle(signOf(executed, session));
  if (executed.kind !== "result") return executed;
  try {
    const durationMs = Math.round(deps.clock.monotonic() - startedMs);
    await recordResult(session, { ...request, durationMs, recovered: false }, executed.result, deps);
    return { kind: "completed" };
  } catch (error) {
    if (!isHomeostatError(error, "OUTPUT_INVALID")) throw error;
    // As after a crash: what stands on no record goes, or a refused file would be in the way of every later step.
    const isOurs = (): void => requireHeld(session.lease);
    if (executed.result.touchedFiles)
      await deps.workspaces.restore(session.runId, session.state.workspace, isOurs);
    return {
      kind: "failed",
      error: runErrorOf(error, request, deps.gate),
      transient: false,
      didHappen: true,
      answered: executed.result.labels,
    };
  }
}

function intentOf(session: RunSession, request: Act, deps: EffectDeps): ActionIntent {
  const { admitted, tool } = request;
  return {
    tool: tool.name,
    effect: tool.effect,
    args: admitted.resolved.args,
    argsDigest: admitted.argsDigest,
    resource: admitted.resolved.resource,
    summary: admitted.resolved.summary,
    labels: request.labels,
    attempt: request.attempt,
    key: idempotencyKey(session.runId, request.stepPath, request.attempt),
    decision: admitted.decision,
    approvalId: request.approvalId,
    deadlineAtMs: deps.clock.now() + admitted.timeoutMs + leaseMarginMs,
    mayTakeMs: admitted.timeoutMs + leaseMarginMs,
    resumed: request.resumed,
    ...(admitted.asked === null ? {} : { asked: admitted.asked }),
  };
}

type Executed =
  { readonly kind: "result"; readonly result: ToolResult } | Exclude<ActOutcome, { kind: "completed" }>;

async function execute(
  session: RunSession,
  request: Act & { readonly begunMs: number },
  intent: ActionIntent,
  deps: EffectDeps,
): Promise<Executed> {
  const { tool, admitted, stepPath } = request;
  session.lease.signal.throwIfAborted();
  // The reserved time runs since the intent; waiting for the ledger has used some of it. A wall clock may jump meanwhile.
  const ms = admitted.timeoutMs - (deps.clock.monotonic() - request.begunMs);
  requireLease(session, { neededMs: ms, reservedMs: intent.deadlineAtMs - deps.clock.now() });
  if (ms <= 0) return tooLate(request);
  const others = [session.lease.signal, session.interrupt];
  const deadline = createDeadline({ clock: deps.clock, ms, others });
  const { signal } = deadline;
  const context = toolContext(session, intent, { stepPath, ...deadline, admitted }, deps);
  try {
    const acting = whileHeld(deps.acting.hold(session.runId), () => tool.execute(admitted.resolved, context));
    const stopped = await untilStopped(acting, { signal, lost: session.lease.signal, clock: deps.clock });
    return stopped.kind === "ended" ? { kind: "result", result: stopped.value } : leftBehind(request);
  } catch (error) {
    if (session.lease.signal.aborted) throw session.lease.signal.reason;
    const stopped = signal.aborted;
    // A stopped or broken-off unsafe act may have happened: only the tool itself can say that it did not.
    if (tool.effect === "unsafe" && !knowsItDidNotHappen(error)) {
      const why = deadline.hasPassed()
        ? `no answer within ${admitted.timeoutMs} ms`
        : deps.gate.cleanText(errorMessage(error), admitted.decision.obligations);
      if (stopped || isTransient(error)) return { kind: "unknown", reason: why };
    }
    if (deadline.hasPassed()) return tooLate(request);
    return { kind: "failed", error: runErrorOf(error, request, deps.gate), transient: isTransient(error) };
  } finally {
    deadline.end();
  }
}

async function whileHeld<T>(end: () => void, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    end();
  }
}

function tooLate({ tool, admitted, stepPath: step }: Act): Extract<Executed, { kind: "failed" }> {
  const message = `${tool.name} took longer than ${admitted.timeoutMs} ms`;
  return { kind: "failed", error: { code: "ACTION_TIMEOUT", message, step }, transient: true };
}

/** Nobody knows what it will still do: only where doing it twice is no harm is it a failure as others. */
function leftBehind(request: Act): Executed {
  const { effect, name } = request.tool;
  if (effect === "pure" || effect === "idempotent") return { ...tooLate(request), mayStillAct: true };
  const reason = `${name} did not stop within ${stopGraceMs} ms after it was told to, and may still be acting`;
  return { kind: "unknown", reason };
}

/**
 * The signal of the lease is set by a timer, and a process that was stopped may come back to the waited-for answer first. So
 * the clocks themselves are asked: another worker may have the run, and a person may have said that this did not happen.
 * The lease's own time is short and renewed on the way; what must cover the act is what the intent reserved in the database.
 */
function requireLease(
  { lease }: RunSession,
  { neededMs, reservedMs }: { readonly neededMs: number; readonly reservedMs: number },
): void {
  const leftMs = lease.remainingMs();
  if (leftMs > 0 && reservedMs >= neededMs) return;
  throw new HomeostatError(
    "LEASE_LOST",
    `Only ${Math.floor(leftMs)} ms are left of the lease ${lease.name}, ${Math.floor(reservedMs)} ms are reserved, and the action may take ${Math.floor(neededMs)} ms`,
    { leftMs, reservedMs, neededMs },
  );
}

export function toolContext(
  session: RunSession,
  intent: Pick<ActionIntent, "attempt" | "key">,
  request: {
    readonly stepPath: string;
    readonly signal: AbortSignal;
    readonly requireTime: () => void;
    readonly admitted: Pick<Admitted, "minimumIsolation" | "timeoutMs"> & LetThrough;
  },
  deps: EffectDeps,
): ToolContext {
  return {
    tenant: session.tenant,
    runId: session.runId,
    stepPath: request.stepPath,
    attempt: intent.attempt,
    idempotencyKey: intent.key,
    roots: deps.rootsOf(session.runId),
    signal: request.signal,
    requireTime: request.requireTime,
    clock: deps.clock,
    minimumIsolation: request.admitted.minimumIsolation,
    timeoutMs: request.admitted.timeoutMs,
    progress(text, percent) {
      // Of an act that nobody waits for any more.
      if (!request.signal.aborted) deps.progress(session.runId, request.stepPath, text, percent);
    },
    requireFurther: (resource) => deps.gate.requireFurther(request.admitted, resource),
    runSandboxed: deps.runSandboxed,
  };
}

/** Output check, redaction, workspace, artifacts and the outcome event: one durable batch. Throws OUTPUT_INVALID. */
export async function recordResult(
  session: RunSession,
  request: {
    readonly stepPath: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly recovered: boolean;
  },
  result: ToolResult,
  deps: EffectDeps,
): Promise<void> {
  const { obligations } = session.state.steps.get(request.stepPath)!.intent!.decision;
  const received = deps.gate.receive(result.output, result.labels, obligations);
  const saved = await saveFiles(session, request.stepPath, result, deps);
  const body: EventBody = {
    kind: "action.completed",
    step: request.stepPath,
    attempt: request.attempt,
    output: received.output,
    labels: received.labels,
    durationMs: request.durationMs,
    workspace: saved.workspace,
    artifacts: saved.records,
    recovered: request.recovered,
  };
  const used = targetsUsed(session, request.stepPath, deps);
  const timeBack = takeBackTime(session, request.stepPath, deps.clock);
  await session.append([body], { extra: () => [...saved.statements, ...used, ...timeBack()] });
}

/**
 * What an act that has ended had reserved, for the batch that records its end. Else a run whose machine is lost would wait for the end
 * of the longest act it ever did, not of what it does now.
 */
export function takeBackTime(
  { lease, reserved }: Pick<RunSession, "lease" | "reserved">,
  stepPath: string,
  clock: EffectDeps["clock"],
): () => readonly Statement[] {
  reserved.delete(stepPath);
  // At the time of writing: another branch may have reserved more until then.
  return () => [shortenLease(lease, Math.max(clock.now() + lease.ttlMs, ...reserved.values()))];
}

/** Written with the success, so that a target counts as known exactly when something was done to it. */
function targetsUsed(
  { state, tenant }: RunSession,
  stepPath: string,
  { targets, clock, argumentRoles }: EffectDeps,
): readonly Statement[] {
  const intent = state.steps.get(stepPath)?.intent;
  if (targets === undefined || intent === null || intent === undefined) return [];
  const owner = { tenant, agent: `workflow:${state.workflow.name}`, tool: intent.tool };
  return targets.remember(owner, targetsOf(intent.args, argumentRoles?.(intent.tool)), clock.now());
}

async function saveFiles(session: RunSession, step: string, result: ToolResult, deps: EffectDeps) {
  const notes = result.artifacts ?? [];
  if (!result.touchedFiles && notes.length === 0) return { workspace: null, records: [], statements: [] };
  const previous = await deps.workspaces.load(session.state.workspace);
  const next = await deps.workspaces.capture(session.runId);
  const plan = deps.planArtifacts({
    runId: session.runId,
    tenant: session.tenant,
    step,
    creator: `workflow:${session.state.workflow.name}`,
    atMs: deps.clock.now(),
    labels: session.state.labels,
    previous,
    next: next.manifest,
    notes,
    known: session.state.artifacts,
  });
  for (const { path } of plan.records) requirePlainName(path, deps.gate);
  return { workspace: next.ref, records: plan.records, statements: plan.statements };
}

/** A name is shown wherever its file is, and a masked one would name no file. Throws OUTPUT_INVALID. */
function requirePlainName(path: string, gate: Pick<Gate, "cleanText">): void {
  const clean = gate.cleanText(path, {});
  if (clean === path) return;
  throw new HomeostatError("OUTPUT_INVALID", `The name of the file ${clean} holds a secret`, { path: clean });
}

function runErrorOf(
  error: unknown,
  { stepPath: step, admitted }: Pick<Act, "stepPath" | "admitted">,
  gate: Pick<Gate, "cleanText">,
): RunError {
  const message = gate.cleanText(errorMessage(error), admitted.decision.obligations);
  if (isHomeostatError(error)) return { code: error.code, message, hint: error.hint, step };
  return { code: "ACTION_FAILED", message, step };
}

function isTransient(error: unknown): boolean {
  return isHomeostatError(error) && error.data["transient"] === true;
}

function knowsItDidNotHappen(error: unknown): boolean {
  return isHomeostatError(error) && error.data["didNotHappen"] === true;
}
