/** How long a run took, or has taken so far. */
import type { RunSummary } from "../api/contract.ts";
import { millisOf } from "../format/time.ts";

/** Milliseconds; null before it starts. */
export function runDurationMs(run: Pick<RunSummary, "startedAt" | "endedAt">, nowMs: number): number | null {
  const startedMs = millisOf(run.startedAt);
  if (startedMs === null) return null;
  return Math.max(0, (millisOf(run.endedAt) ?? nowMs) - startedMs);
}
