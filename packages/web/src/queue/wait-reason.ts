/** Why a run is not being worked on at this moment, in words. Pure. */
import type { RunSummary } from "../api/contract.ts";
import type { QueueLevels } from "../api/operations-calls.ts";
import { formatCountdown, formatSpan } from "../format/duration.ts";
import { millisOf } from "../format/time.ts";
import { waitingText } from "../runs/waiting-text.ts";

type Levels = Pick<QueueLevels, "limits">;
export type LimitLevel = QueueLevels["limits"][number];

/** Null for a run that a worker has. */
export function waitReason(run: RunSummary, { limits }: Levels, nowMs: number): string | null {
  if (run.fault !== null) {
    const nextMs = millisOf(run.fault.nextTryAt);
    const when = nextMs === null ? "" : `; tried again in ${formatCountdown(nextMs - nowMs)}`;
    return `${run.fault.message}${when}`;
  }
  if (run.waitingFor !== null) {
    const { reason, more } = run.waitingFor;
    const also = more === undefined || more === 0 ? "" : ` and ${more} more`;
    return `${waitingText(run.waitingFor, nowMs)}${also}${reason === undefined ? "" : ` (${reason})`}`;
  }
  if (run.state === "RUNNING") return null;
  const full = limits.find(
    ({ scope, name, isFull }) => isFull && (scope === "tenant" || name === run.workflow.name),
  );
  return full === undefined ? "Waits for a free worker" : `Held back by ${limitText(full)}`;
}

/** What is full of it: `the limit of the workflow mail: 2 of 2 at once`. */
export function limitText({ scope, name, concurrency, rate, held, begun }: LimitLevel): string {
  const atOnce = concurrency !== null && held >= concurrency ? [`${held} of ${concurrency} at once`] : [];
  const inTime =
    rate !== null && (begun ?? 0) >= rate.count
      ? [`${begun} of ${rate.count} begun within ${formatSpan(rate.perMs)}`]
      : [];
  const full = [...atOnce, ...inTime];
  return `the limit of the ${scope} ${name}${full.length === 0 ? "" : `: ${full.join(", ")}`}`;
}

/** Runs in the order in which they would be taken: by lane, then the longest waiting first; those under way in front. */
export function queueOrder(runs: readonly RunSummary[]): readonly RunSummary[] {
  const lanes = { high: 0, normal: 1, low: 2 } as const;
  const place = (run: RunSummary): number =>
    run.state === "RUNNING" ? 0 : run.waitingFor === null ? 1 + lanes[run.priority] : 4;
  return runs.toSorted((a, b) => place(a) - place(b) || a.createdAt.localeCompare(b.createdAt));
}
