/** Every metric of our own, in one list: what /metrics shows and docs/reference/metrics.md is made from. */

export type MetricRow = MetricText &
  (
    | { readonly type: "counter" | "gauge"; readonly buckets?: never }
    | {
        readonly type: "histogram";
        /** Upper bounds of the buckets, in the unit that the name ends with. */
        readonly buckets: readonly number[];
      }
  );

interface MetricText {
  readonly help: string;
  /** Bounded values only: never an id, a path with ids, or text of a user. */
  readonly labels: readonly string[];
}

/** Names follow Prometheus: base units, `_total` for counters, `_info` for facts about the build. */
export const metricTable = {
  homeostat_build_info: {
    type: "gauge",
    help: "Always 1; the labels say which version runs on which Node.js.",
    labels: ["version", "node"],
  },
  homeostat_uptime_seconds: {
    type: "gauge",
    help: "Seconds since this process started to serve.",
    labels: [],
  },
  homeostat_limits_refused_total: {
    type: "counter",
    help: "Actions held back by a rate, a quota or a full bulkhead, by the limit's name.",
    labels: ["kind", "limit"],
  },
  homeostat_part_restarts_total: {
    type: "counter",
    help: "Parts that broke down and were made anew, by their place in the supervision tree.",
    labels: ["part"],
  },
  homeostat_http_requests_total: {
    type: "counter",
    help: "Answered HTTP requests by method, route pattern and status.",
    labels: ["method", "route", "status"],
  },
  homeostat_http_request_duration_seconds: {
    type: "histogram",
    help: "Time from the arrival of a request to the end of its answer; event streams are left out.",
    labels: ["method", "route"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  homeostat_runs: {
    type: "gauge",
    help: "Runs by state, as of now.",
    labels: ["state"],
  },
  homeostat_run_transitions_total: {
    type: "counter",
    help: "Times a run entered a state, counted by this process.",
    labels: ["state"],
  },
  homeostat_task_success_total: {
    type: "counter",
    help: "Runs that ended as COMPLETED.",
    labels: [],
  },
  homeostat_task_failure_total: {
    type: "counter",
    help: "Runs that ended as FAILED, CANCELLED or DEAD.",
    labels: ["state"],
  },
  homeostat_task_duration_seconds: {
    type: "histogram",
    help: "Time from the start of a run to its end, waiting for people included.",
    labels: ["state"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400],
  },
  homeostat_steps_total: {
    type: "counter",
    help: "Ended steps by kind and state.",
    labels: ["kind", "state"],
  },
  homeostat_gate_decisions_total: {
    type: "counter",
    help: "Decisions of the gate about actions, by effect.",
    labels: ["effect"],
  },
  homeostat_policy_shadow_decisions_total: {
    type: "counter",
    help: "Decisions looked at by the shadow policy; `change` is `same`, or what was decided and what it would have decided.",
    labels: ["change"],
  },
  homeostat_approvals_waiting: {
    type: "gauge",
    help: "Approvals that wait for a person.",
    labels: [],
  },
  homeostat_approvals_decided_total: {
    type: "counter",
    help: "Approvals that are settled, by their final status.",
    labels: ["status"],
  },
  homeostat_ledger_size_entries: {
    type: "gauge",
    help: "Entries in the ledger.",
    labels: [],
  },
  homeostat_ledger_pending_entries: {
    type: "gauge",
    help: "Entries in the outbox that the ledger does not hold yet.",
    labels: [],
  },
  homeostat_ledger_published_total: {
    type: "counter",
    help: "Entries that this process has published into the ledger.",
    labels: [],
  },
  homeostat_artifacts_registered_total: {
    type: "counter",
    help: "Registered artifact versions.",
    labels: [],
  },
  homeostat_store_commit_duration_seconds: {
    type: "histogram",
    help: "Time of one database commit, its disk sync included, on the writer thread.",
    labels: ["database"],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
  },
  homeostat_store_commit_batches: {
    type: "histogram",
    help: "Batches that shared one commit.",
    labels: ["database"],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
  },
  homeostat_store_recent_reads_total: {
    type: "counter",
    help: "Reads of lists and counts that people are shown, by the database that answered: primary or replica.",
    labels: ["from"],
  },
  homeostat_store_replica_lag_seconds: {
    type: "gauge",
    help: "How long the replica last took to show what was committed, or has been behind; +Inf while it is away.",
    labels: [],
  },
  homeostat_sandbox_runs_total: {
    type: "counter",
    help: "Programs run in the sandbox, by language and how they ended.",
    labels: ["language", "outcome"],
  },
  homeostat_sandbox_run_duration_seconds: {
    type: "histogram",
    help: "Time of one program in the sandbox, its setting up included.",
    labels: ["language"],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  homeostat_event_loop_delay_seconds: {
    type: "gauge",
    help: "How late the main thread's timers were since the last scrape.",
    labels: ["quantile"],
  },
} as const;
