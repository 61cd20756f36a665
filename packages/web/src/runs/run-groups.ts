/** The filters of the run list: states as people sort them. */
import type { QueueCounts, RunState } from "../api/contract.ts";

export const runGroupNames = ["active", "waiting", "completed", "failed", "cancelled"] as const;
export type RunGroupName = (typeof runGroupNames)[number];

export interface RunGroup {
  readonly label: string;
  /** Empty: all. */
  readonly states: readonly RunState[];
  /** Said when the list is empty. */
  readonly emptyText: string;
}

export const everyRun: RunGroup = { label: "All", states: [], emptyText: "Nothing has run yet" };

export const runGroups: Readonly<Record<RunGroupName, RunGroup>> = {
  active: {
    label: "Active",
    states: ["PENDING", "QUEUED", "RUNNING", "RETRYING"],
    emptyText: "Nothing is running",
  },
  waiting: { label: "Waiting", states: ["WAITING"], emptyText: "Nothing waits" },
  completed: { label: "Completed", states: ["COMPLETED"], emptyText: "Nothing has completed yet" },
  failed: { label: "Failed", states: ["FAILED", "DEAD"], emptyText: "Nothing has failed" },
  cancelled: { label: "Cancelled", states: ["CANCELLED"], emptyText: "Nothing was cancelled" },
};

/** How many runs are in a group; undefined while the counts are unknown. */
export function countGroup(group: RunGroup, counts: QueueCounts | undefined): number | undefined {
  if (counts === undefined) return undefined;
  const states = group.states.length === 0 ? Object.keys(counts) : group.states;
  return states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}
