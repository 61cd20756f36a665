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

/** A number for changes that no event tells, see `projectRun`. Older versions number every change. */
export const runChangesMigration: Migration = {
  id: "0340-run-changes",
  statements: () => [
    // Set by every statement that writes a projection; writers take turns, so numbers become visible in their order.
    "ALTER TABLE runs ADD COLUMN change_no BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX runs_change ON runs (change_no)",
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

/** What went wrong on our side when the run was last driven, for people; nothing of the run itself failed. */
export interface RunFault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly atMs: number;
}

/** How far a run says it is. */
export interface RunProgress {
  /** 0 to 100; null when only the text is known. */
  readonly percent: number | null;
  readonly text: string;
  readonly atMs: number;
}

/** A row as it stands in the table: the projection, and what the queue keeps beside it. */
export interface StoredRun extends RunRow {
  /** Claims in a row that neither finished a step nor let go in good order, the one under way included. */
  readonly claims: number;
  readonly fault: RunFault | null;
  readonly progress: RunProgress | null;
}

/** What a run is made with and keeps. */
const lasting = [
  "id",
  "v",
  "tenant",
  "workflow_name",
  "workflow_digest",
  "priority",
  "requester",
  "labels",
  "parent",
  "max_attempts",
  "created_at_ms",
] as const;

function lastingValues(row: RunRow): (string | number | null)[] {
  return [
    row.id,
    1,
    row.tenant,
    row.workflowName,
    row.workflowDigest,
    priorities[row.priority],
    row.requester,
    JSON.stringify(row.labels),
    row.parent,
    row.maxAttempts,
    row.createdAtMs,
  ];
}

/** What its events change: only these are written again, for each index on a column that is costs a page. */
const changing = [
  "state",
  "attempts",
  "wake_at_ms",
  "waiting",
  "error",
  "head_seq",
  "head_digest",
  "steps_done",
  "steps_total",
  "artifact_count",
  "started_at_ms",
  "ended_at_ms",
] as const;

function changingValues(row: RunRow): (string | number | null)[] {
  return [
    row.state,
    row.attempts,
    row.wakeAtMs,
    row.waiting && JSON.stringify(row.waiting),
    row.error && JSON.stringify(row.error),
    row.headSeq,
    row.headDigest,
    row.stepsDone,
    row.stepsTotal,
    row.artifactCount,
    row.startedAtMs,
    row.endedAtMs,
  ];
}

// Texts are put together once: stores find what they have prepared by them.
const insertText = `INSERT INTO runs (dedup_key, ${[...lasting, ...changing].join(", ")})
  VALUES (?${", ?".repeat(lasting.length + changing.length)})`;
const projectText = (
  alsoSet: string,
): string => `UPDATE runs SET ${alsoSet}${changing.map((column) => `${column} = ?`).join(", ")},
    claims = CASE WHEN ? = 'RUNNING' THEN claims ELSE 0 END, fault = CASE WHEN ? = 'RUNNING' THEN fault END
  WHERE id = ? AND head_seq = ?`;
const projectEvents = projectText("");
const projectNoEvent = projectText(
  "change_no = (SELECT COALESCE(MAX(change_no), 0) + 1 FROM runs WHERE change_no > 0), ",
);

/** Joins the batch that appends `run.created`. A taken `dedupKey` fails the batch. */
export function insertRun(row: RunRow, dedupKey: string | null): Statement {
  return {
    sql: insertText,
    params: [dedupKey, ...lastingValues(row), ...changingValues(row)],
  };
}

/**
 * Writes the projection after events from `previousSeq` on. The guard proves that nobody else appended meanwhile. A run that is
 * let go in good order has a clean slate: no claims in vain, no fault. Readers of changes learn of it by its events; where there are
 * none (it waits from now on) the row gets a number for them.
 */
export function projectRun(row: RunRow, previousSeq: number): Statement {
  return {
    sql: row.headSeq === previousSeq ? projectNoEvent : projectEvents,
    params: [...changingValues(row), row.state, row.state, row.id, previousSeq],
    expect: { rows: 1, guard: "journal-head" },
  };
}

/** Leaves a run alone until `untilMs` after a fault of ours, which is kept for people to see. */
export function setRunAside(
  runId: string,
  fault: RunFault,
  aside: { untilMs: number; counts: boolean },
): Statement {
  return {
    sql: "UPDATE runs SET wake_at_ms = ?, fault = ?, claims = claims - ? WHERE id = ?",
    params: [aside.untilMs, JSON.stringify(fault), aside.counts ? 0 : 1, runId],
  };
}

/** Not fenced and not journalled: what a run says of itself while it runs proves nothing. */
export function setRunProgress(runId: string, progress: RunProgress): Statement {
  return { sql: "UPDATE runs SET progress = ? WHERE id = ?", params: [JSON.stringify(progress), runId] };
}

/** As `wakeRun`, but not before `atMs` either: for a run that is to be left alone for a while. */
export function delayRun(runId: string, atMs: number): Statement {
  return { sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ?", params: [atMs, runId] };
}

/** Asks for a worker's look no later than `atMs`. */
export function wakeRun(runId: string, atMs: number): Statement {
  return {
    sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ? AND (wake_at_ms IS NULL OR wake_at_ms > ?)",
    params: [atMs, runId, atMs],
  };
}

const priorityNames = Object.keys(priorities) as Priority[];

export function runFromStore(row: Row): StoredRun {
  const waiting = row["waiting"] as string | null;
  const error = row["error"] as string | null;
  const fault = row["fault"] as string | null;
  const progress = row["progress"] as string | null;
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
    claims: row["claims"] as number,
    fault: fault === null ? null : (JSON.parse(fault) as RunFault),
    progress: progress === null ? null : (JSON.parse(progress) as RunProgress),
  };
}
