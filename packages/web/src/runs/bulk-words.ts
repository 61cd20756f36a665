/** The words of commands for many runs. */
import type { BulkAction, BulkAnswer } from "../api/run-calls.ts";
import { formatCount } from "../format/quantity.ts";

export const bulkActions: readonly {
  readonly action: BulkAction;
  readonly label: string;
  readonly past: string;
}[] = [
  { action: "pause", label: "Pause", past: "paused" },
  { action: "resume", label: "Resume", past: "resumed" },
  { action: "cancel", label: "Cancel", past: "cancelled" },
  { action: "retry", label: "Retry", past: "retried" },
  { action: "discard", label: "Discard", past: "discarded" },
  { action: "rerun", label: "Run again", past: "made again" },
];

/** `3 runs paused`, `2 runs paused, 1 not`, `None paused`. */
export function bulkText(action: BulkAction, { done, failed }: Pick<BulkAnswer, "done" | "failed">): string {
  const past = bulkActions.find((each) => each.action === action)?.past ?? action;
  if (done === 0) return `None ${past}`;
  return `${formatCount(done, "run")} ${past}${failed === 0 ? "" : `, ${failed} not`}`;
}
