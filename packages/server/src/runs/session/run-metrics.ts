/** Counts what runs do, for /metrics; everything is derived from events as they are appended. */
import type { Metrics } from "../../base/metrics.ts";
import type { Queue } from "../../queue/local-queue.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { isEnded } from "../../queue/task.ts";
import type { Store } from "../../store/store.ts";
import type { RunEvent } from "../journal/event.ts";

/** Must not throw: it runs inside an append. */
export function observeEvents(metrics: Metrics, events: readonly RunEvent[], row: RunRow): void {
  for (const { body } of events) {
    switch (body.kind) {
      case "action.completed":
        metrics.count("homeostat_steps_total", { kind: "tool", state: "completed" });
        if (body.artifacts.length > 0) {
          metrics.count("homeostat_artifacts_registered_total", {}, body.artifacts.length);
        }
        break;
      case "action.failed":
        if (body.retryAtMs === null)
          metrics.count("homeostat_steps_total", { kind: "tool", state: "failed" });
        break;
      case "action.denied":
        metrics.count("homeostat_steps_total", { kind: "tool", state: "denied" });
        break;
      case "approval.decided":
        metrics.count("homeostat_approvals_decided_total", { status: body.answer });
        break;
      default:
        break;
    }
  }
  if (events.length > 0) metrics.count("homeostat_run_transitions_total", { state: row.state });
  if (!isEnded(row.state) || row.endedAtMs === null || row.endedAtMs !== events.at(-1)?.atMs) return;
  if (row.state === "COMPLETED") metrics.count("homeostat_task_success_total", {});
  else metrics.count("homeostat_task_failure_total", { state: row.state });
  const durationSeconds = (row.endedAtMs - (row.startedAtMs ?? row.createdAtMs)) / 1000;
  metrics.observe("homeostat_task_duration_seconds", { state: row.state }, durationSeconds);
}

/** Gauges that are cheaper to read on a scrape than to follow. */
export function readQueueGauges(
  metrics: Metrics,
  deps: { readonly queue: Queue; readonly store: Pick<Store, "recent"> },
): void {
  metrics.beforeScrape(async () => {
    for (const [state, count] of Object.entries(await deps.queue.counts())) {
      metrics.set("homeostat_runs", { state }, count);
    }
    const [row] = await deps.store.recent.read(
      "SELECT COUNT(*) AS n FROM approvals WHERE status = 'waiting'",
    );
    metrics.set("homeostat_approvals_waiting", {}, (row?.["n"] as number | undefined) ?? 0);
  });
}
