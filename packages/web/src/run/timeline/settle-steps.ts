/** Closes the steps a run left open: nothing runs on in a run that has ended, for example around a step that failed. */
import type { RunDetail, StepView } from "../../api/contract.ts";
import { endedStates } from "../../ui/state.ts";

const openStates: ReadonlySet<StepView["state"]> = new Set(["running", "waiting", "retrying"]);

/** The same run while it goes on or when nothing was left open. */
export function settleSteps(run: RunDetail): RunDetail {
  if (!endedStates.has(run.state) || !run.steps.some((step) => openStates.has(step.state))) return run;
  const steps = run.steps.map((step) =>
    openStates.has(step.state)
      ? { ...step, state: "cancelled" as const, endedAt: step.endedAt ?? run.endedAt }
      : step,
  );
  return { ...run, steps };
}
