/** How long a step took, waiting included, or has taken so far. */
import type { StepView } from "../../api/contract.ts";
import { millisOf } from "../../format/time.ts";

const openStates: ReadonlySet<StepView["state"]> = new Set(["running", "waiting", "retrying"]);

/** Milliseconds; null for a step that has not begun. */
export function stepDurationMs(
  step: Pick<StepView, "startedAt" | "endedAt" | "state">,
  nowMs: number,
): number | null {
  const startedMs = millisOf(step.startedAt);
  if (startedMs === null) return null;
  const endedMs = millisOf(step.endedAt) ?? (openStates.has(step.state) ? nowMs : startedMs);
  return Math.max(0, endedMs - startedMs);
}
