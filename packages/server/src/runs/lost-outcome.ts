/** What to do about an intent without an outcome, by the tool's effect class. Never a silent second execution. */
import type { Admitted } from "../gate/gate.ts";
import type { AnyTool } from "../tools/tool.ts";
import { askAboutOutcome } from "./ask.ts";
import { recordResult, toolContext } from "./effects.ts";
import type { EffectDeps } from "./effects.ts";
import type { ActionIntent } from "./event.ts";
import type { StepRecord } from "./step-record.ts";
import type { RunSession } from "./session.ts";
import { failed } from "./step-result.ts";
import type { StepResult } from "./step-result.ts";

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
  const mayStillAct = !session.previousOwnerGone && deps.clock.now() < intent.deadlineAtMs;
  if (mayStillAct) return { kind: "wait", waiting: { kind: "timer", untilMs: intent.deadlineAtMs } };
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
  const context = toolContext(session, intent, { stepPath: record.path, signal, admitted }, deps);
  const found = await checkSafely(() => tool.check!(intent, context));
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
      await recordResult(session, request, found.result, deps);
      return { kind: "done", output: session.state.steps.get(record.path)!.output };
    }
  }
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
