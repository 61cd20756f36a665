/** The `runs` table: one row per run, the projection of its fold that lists, claims and wakes are made from. */
import type { Migration, Row, Statement } from "../store/store.ts";
import { priorities } from "./task.ts";
import type { Priority, TaskState, WaitingFor } from "./task.ts";

export const runsMigration: Migration = {
  id: "0110-runs",
  statements: () => [
    `CREATE TABLE runs (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      state TEXT NOT NULL,
      workflow_name TEXT NOT NULL,
      workflow_digest TEXT NOT NULL,
      priority INTEGER NOT NULL,
      requester TEXT NOT NULL,
      labels TEXT NOT NULL,
      parent TEXT,
      -- The same key gives the same run; see QUE-2's deduplication.
      dedup_key TEXT UNIQUE,
      attempts INTEGER NOT NULL,
      max_attempts INTEGER NOT NULL,
      -- When a worker should look at the run; NULL means never by itself.
      wake_at_ms BIGINT,
      waiting TEXT,
      error TEXT,
      head_seq INTEGER NOT NULL,
      head_digest TEXT NOT NULL,
      steps_done INTEGER NOT NULL,
      steps_total INTEGER NOT NULL,
      artifact_count INTEGER NOT NULL,
      created_at_ms BIGINT NOT NULL,
      started_at_ms BIGINT,
      ended_at_ms BIGINT
    )`,
    "CREATE INDEX runs_wake ON runs (priority, wake_at_ms) WHERE wake_at_ms IS NOT NULL",
    "CREATE INDEX runs_newest ON runs (created_at_ms, id)",
    "CREATE INDEX runs_state ON runs (state)",
  ],
};

export interface RunRow {
  readonly id: string;
  readonly tenant: string;
  readonly state: TaskState;
  readonly workflowName: string;
  readonly workflowDigest: string;
  readonly priority: Priority;
  readonly requester: string;
  readonly labels: readonly string[];
  readonly parent: string | null;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly wakeAtMs: number | null;
  readonly waiting: WaitingFor | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly step?: string;
  } | null;
  readonly headSeq: number;
  readonly headDigest: string;
  readonly stepsDone: number;
  readonly stepsTotal: number;
  readonly artifactCount: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
}

const columns = [
  "v",
  "tenant",
  "state",
  "workflow_name",
  "workflow_digest",
  "priority",
  "requester",
  "labels",
  "parent",
  "attempts",
  "max_attempts",
  "wake_at_ms",
  "waiting",
  "error",
  "head_seq",
  "head_digest",
  "steps_done",
  "steps_total",
  "artifact_count",
  "created_at_ms",
  "started_at_ms",
  "ended_at_ms",
] as const;

function values(row: RunRow): (string | number | null)[] {
  return [
    1,
    row.tenant,
    row.state,
    row.workflowName,
    row.workflowDigest,
    priorities[row.priority],
    row.requester,
    JSON.stringify(row.labels),
    row.parent,
    row.attempts,
    row.maxAttempts,
    row.wakeAtMs,
    row.waiting && JSON.stringify(row.waiting),
    row.error && JSON.stringify(row.error),
    row.headSeq,
    row.headDigest,
    row.stepsDone,
    row.stepsTotal,
    row.artifactCount,
    row.createdAtMs,
    row.startedAtMs,
    row.endedAtMs,
  ];
}

/** Joins the batch that appends `run.created`. A taken `dedupKey` fails the batch. */
export function insertRun(row: RunRow, dedupKey: string | null): Statement {
  return {
    sql: `INSERT INTO runs (id, dedup_key, ${columns.join(", ")}) VALUES (?, ?${", ?".repeat(columns.length)})`,
    params: [row.id, dedupKey, ...values(row)],
  };
}

/** Writes the projection after events from `previousSeq` on. The guard proves that nobody else appended meanwhile. */
export function projectRun(row: RunRow, previousSeq: number): Statement {
  return {
    sql: `UPDATE runs SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE id = ? AND head_seq = ?`,
    params: [...values(row), row.id, previousSeq],
    expect: { rows: 1, guard: "journal-head" },
  };
}

/** Asks for a worker's look no later than `atMs`. */
export function wakeRun(runId: string, atMs: number): Statement {
  return {
    sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ? AND (wake_at_ms IS NULL OR wake_at_ms > ?)",
    params: [atMs, runId, atMs],
  };
}

const priorityNames = Object.keys(priorities) as Priority[];

export function runFromStore(row: Row): RunRow {
  const waiting = row["waiting"] as string | null;
  const error = row["error"] as string | null;
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    state: row["state"] as TaskState,
    workflowName: row["workflow_name"] as string,
    workflowDigest: row["workflow_digest"] as string,
    priority: priorityNames[row["priority"] as number] ?? "normal",
    requester: row["requester"] as string,
    labels: JSON.parse(row["labels"] as string) as string[],
    parent: row["parent"] as string | null,
    attempts: row["attempts"] as number,
    maxAttempts: row["max_attempts"] as number,
    wakeAtMs: row["wake_at_ms"] as number | null,
    waiting: waiting === null ? null : (JSON.parse(waiting) as WaitingFor),
    error: error === null ? null : (JSON.parse(error) as RunRow["error"]),
    headSeq: row["head_seq"] as number,
    headDigest: row["head_digest"] as string,
    stepsDone: row["steps_done"] as number,
    stepsTotal: row["steps_total"] as number,
    artifactCount: row["artifact_count"] as number,
    createdAtMs: row["created_at_ms"] as number,
    startedAtMs: row["started_at_ms"] as number | null,
    endedAtMs: row["ended_at_ms"] as number | null,
  };
}
