/** What to do about an intent without an outcome, by the tool's effect class. Never a silent second execution. */
import { isHomeostatError } from "../../base/error.ts";
import type { HomeostatError } from "../../base/error.ts";
import type { Admitted } from "../../gate/gate.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { askAboutOutcome } from "./ask.ts";
import { recordResult, toolContext } from "./effects.ts";
import type { EffectDeps } from "./effects.ts";
import { failureLabels } from "./failure-labels.ts";
import type { ActionIntent, RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";
import type { RunSession } from "../session/session.ts";
import { untilStopped } from "./until-stopped.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";

export interface LostOutcomeDeps extends EffectDeps {
  readonly tools: ReadonlyMap<string, AnyTool>;
}

/** "repeat": the same attempt may run again under the same key, after the gate has judged it anew. */
export async function settleLostOutcome(
  session: RunSession,
  record: StepRecord,
  deps: LostOutcomeDeps,
): Promise<StepResult | "repeat"> {
  const intent = record.intent!;
  const untilMs = actsUntil(record, { ...session, nowMs: deps.clock.now() });
  if (untilMs !== null) {
    const waiting = { kind: "timer", untilMs, reason: mayStillAct } as const;
    if (record.held?.retryAtMs !== untilMs)
      await session.append([
        { kind: "action.held", step: record.path, reason: mayStillAct, retryAtMs: untilMs },
      ]);
    return { kind: "wait", waiting };
  }
  switch (intent.effect) {
    case "pure":
    case "idempotent":
      return "repeat";
    case "checkable":
      return await checkOutcome(session, record, intent, deps);
    case "unsafe":
      return await askAboutOutcome(
        session,
        { stepPath: record.path, why: "The runtime stopped in the middle of this action" },
        deps,
      );
  }
}

/** Why such a run waits; stands in its row. */
export const mayStillAct = "the process that had the run may still be acting";

/**
 * Until when whoever had the run may still be acting; null: no longer. Who sees the lost outcome first puts the time on record, so
 * that a message that wakes the run meanwhile does not end the wait. The intent's deadline is by a clock that may have jumped
 * ahead: the act was begun before now, so from now on it takes no longer than it may take. Pure.
 */
export function actsUntil(
  { intent, held }: Pick<StepRecord, "intent" | "held">,
  now: { readonly nowMs: number; readonly previousOwnerGone: boolean },
): number | null {
  if (held === null && now.previousOwnerGone) return null;
  const byIntent = held?.retryAtMs ?? intent!.deadlineAtMs;
  if (byIntent <= now.nowMs) return null;
  return Math.min(byIntent, now.nowMs + (intent!.mayTakeMs ?? Infinity));
}

async function checkOutcome(
  session: RunSession,
  record: StepRecord,
  intent: ActionIntent,
  deps: LostOutcomeDeps,
): Promise<StepResult | "repeat"> {
  const tool = deps.tools.get(intent.tool);
  if (tool?.check === undefined) {
    return failed({
      code: "ACTION_UNKNOWN",
      message: `There is no tool ${intent.tool} to check with`,
      step: record.path,
    });
  }
  const timeoutMs = tool.defaultTimeoutMs;
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), session.interrupt, session.lease.signal]);
  const admitted: Pick<Admitted, "minimumIsolation" | "timeoutMs"> = { minimumIsolation: "none", timeoutMs };
  // It only looks: one that comes late changes nothing.
  const requireTime = (): void => signal.throwIfAborted();
  const looking = { stepPath: record.path, signal, requireTime, admitted };
  const context = toolContext(session, intent, looking, deps);
  const stopping = { signal, lost: session.lease.signal, clock: deps.clock };
  const found = await checkSafely(async () => {
    const looked = await untilStopped(tool.check!(intent, context), stopping);
    return looked.kind === "ended" ? looked.value : ({ kind: "unknown" } as const);
  });
  switch (found.kind) {
    case "did-not-happen":
      return "repeat";
    case "unknown":
      return await askAboutOutcome(
        session,
        { stepPath: record.path, why: "The tool itself could not tell whether it happened" },
        deps,
      );
    case "happened": {
      const request = { stepPath: record.path, attempt: record.attempt, durationMs: 0, recovered: true };
      try {
        await recordResult(session, request, found.result, deps);
      } catch (error) {
        if (!isHomeostatError(error, "OUTPUT_INVALID")) throw error;
        const labels = failureLabels(tool, intent, found.result.labels);
        return await recordRefused(session, record, { error, labels });
      }
      return { kind: "done", output: session.state.steps.get(record.path)!.output };
    }
  }
}

async function recordRefused(
  session: RunSession,
  { path: step, attempt }: StepRecord,
  refused: { readonly error: HomeostatError; readonly labels: ActionIntent["labels"] },
): Promise<StepResult> {
  const { code, message, hint } = refused.error;
  const error: RunError = { code, message, hint, step };
  await session.append([
    {
      ...{ kind: "action.failed", step, attempt, error, labels: refused.labels },
      ...{ retryAtMs: null, transient: false, didHappen: true },
    },
  ]);
  return failed(error);
}

async function checkSafely<T extends { readonly kind: string }>(
  check: () => Promise<T>,
): Promise<T | { kind: "unknown" }> {
  try {
    return await check();
  } catch {
    // A check that fails knows nothing; a person is asked, which loses no information.
    return { kind: "unknown" };
  }
}
