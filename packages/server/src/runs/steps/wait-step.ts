/** Waiting: for a while, until a time, or for a signal. The run holds no worker meanwhile. */
import type { WaitStep } from "../../workflows/workflow.ts";
import { waitEndsAt } from "../../workflows/wait.ts";
import type { RunError } from "../journal/event.ts";
import { failed } from "../journal/step-result.ts";
import type { StepResult } from "../journal/step-result.ts";
import { scopeOf } from "./place.ts";
import { completeStep, rendering, waitUntil } from "./walk.ts";
import type { Due, Walk } from "./walk.ts";

export async function runWaitStep(walk: Walk, due: Due<WaitStep>): Promise<StepResult> {
  const { wait } = due.step;
  if (wait.kind === "signal") return await waitForSignal(walk, due, wait);
  const { path, place, record, step } = due;
  let untilMs = record?.start?.kind === "wait" ? record.start.untilMs : undefined;
  if (untilMs === undefined) {
    const timed = { wait, place: step.place };
    const ends = await rendering(path, () => waitEndsAt(timed, scopeOf(place), walk.deps.clock.now()));
    if (ends.kind === "failed") return ends;
    untilMs = ends.output as number;
    await walk.session.append([{ kind: "step.started", step: path, start: { kind: "wait", untilMs } }]);
  }
  if (wait.kind === "for") untilMs = await putRight(walk, path, untilMs);
  if (walk.deps.clock.now() < untilMs) return waitUntil({ kind: "timer", untilMs }, place.deadline);
  return await completeStep(walk, path, { until: new Date(untilMs).toISOString() });
}

/**
 * When the clock was set back behind the beginning of a wait, nobody knows how long it has lasted. It then lasts as long as it was
 * meant to from now on, once, and not until the clock has come so far again.
 */
async function putRight({ session, deps }: Walk, path: string, untilMs: number): Promise<number> {
  const { startedAtMs, held } = session.state.steps.get(path)!;
  const nowMs = deps.clock.now();
  const meantMs = untilMs - startedAtMs;
  const endMs = held?.retryAtMs ?? untilMs;
  if (nowMs >= startedAtMs || endMs <= nowMs + meantMs) return endMs;
  const retryAtMs = nowMs + meantMs;
  const reason = "the clock was set back, so the wait begins anew";
  await session.append([{ kind: "action.held", step: path, reason, retryAtMs }]);
  return retryAtMs;
}

type SignalWait = Extract<WaitStep["wait"], { readonly kind: "signal" }>;

async function waitForSignal(walk: Walk, due: Due<WaitStep>, wait: SignalWait): Promise<StepResult> {
  const { session, deps } = walk;
  const { path, place, record } = due;
  const { name } = wait;
  let untilMs =
    record?.start?.kind === "signal" && record.status === "waiting" ? record.start.untilMs : undefined;
  if (untilMs === undefined) {
    untilMs = wait.timeoutMs === null ? null : deps.clock.now() + wait.timeoutMs;
    await session.append([{ kind: "step.started", step: path, start: { kind: "signal", name, untilMs } }]);
  }
  // Another branch may be taking the oldest one at this moment; the journal learns of it a turn later.
  const signal = session.state.signals.find((each) => each.name === name && !walk.takenSignals.has(each.seq));
  if (signal !== undefined) {
    walk.takenSignals.add(signal.seq);
    const output = { data: signal.data, by: signal.by, at: new Date(signal.atMs).toISOString() };
    await session.append([{ kind: "step.completed", step: path, output, signalSeq: signal.seq }]);
    return { kind: "done", output };
  }
  if (untilMs === null || deps.clock.now() < untilMs)
    return waitUntil({ kind: "signal", name, untilMs }, place.deadline);
  return await giveUp(walk, path, wait);
}

async function giveUp({ session }: Walk, path: string, wait: SignalWait): Promise<StepResult> {
  if (wait.onTimeout === "skip") {
    const reason = `the signal ${wait.name} did not come in time`;
    await session.append([{ kind: "step.skipped", step: path, reason }]);
    return { kind: "done", output: null };
  }
  const error: RunError = {
    code: "SIGNAL_TIMEOUT",
    message: `The signal ${wait.name} did not come in time`,
    step: path,
  };
  return failed(error);
}
