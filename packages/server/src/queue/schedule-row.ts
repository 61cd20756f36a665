/** The `schedules` table: what is to run when, on whose behalf, and how far its times have been handled. */
import type { JsonObject } from "../base/canonical-json.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import type { Migration, Row, SqlValue, Statement } from "../store/store.ts";
import type { MissedPolicy, OverlapPolicy } from "./schedule.ts";
import type { Timing } from "./schedule-times.ts";
import type { Priority } from "./task.ts";

export const schedulesMigration: Migration = {
  id: "0420-schedules",
  statements: () => [
    `CREATE TABLE schedules (
      id TEXT PRIMARY KEY,
      tenant TEXT NOT NULL,
      name TEXT NOT NULL,
      timing TEXT NOT NULL,
      source TEXT NOT NULL,
      workflow_name TEXT NOT NULL,
      inputs TEXT NOT NULL,
      priority TEXT NOT NULL,
      labels TEXT NOT NULL,
      missed TEXT NOT NULL,
      missed_cap INTEGER NOT NULL,
      overlap TEXT NOT NULL,
      paused INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      updated_at_ms BIGINT NOT NULL,
      -- The first time that was not handled yet; NULL when none comes any more.
      next_at_ms BIGINT,
      -- A time that waits for the end of the run before.
      waiting_at_ms BIGINT,
      last_at_ms BIGINT,
      last_run_id TEXT,
      last_error TEXT,
      passed INTEGER NOT NULL,
      -- Raised with every change, so that of two who change it one learns of the other.
      revision INTEGER NOT NULL,
      UNIQUE (tenant, name)
    )`,
    "CREATE INDEX schedules_next ON schedules (next_at_ms) WHERE paused = 0",
  ],
};

/** Where the workflow comes from. */
export type ScheduleSource =
  | { readonly kind: "text"; readonly text: string }
  /** The newest version of a registered workflow. */
  | { readonly kind: "registered"; readonly workflow: string }
  /** A trigger in the file of a registered workflow, which comes and goes with it. */
  | { readonly kind: "trigger"; readonly workflow: string; readonly trigger: string };

export interface Schedule {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly timing: Timing;
  readonly source: ScheduleSource;
  readonly workflowName: string;
  readonly inputs: JsonObject;
  readonly priority: Priority;
  readonly labels: readonly string[];
  readonly missed: MissedPolicy;
  readonly missedCap: number;
  readonly overlap: OverlapPolicy;
  readonly isPaused: boolean;
  /** On whose behalf it runs. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly nextAtMs: number | null;
  readonly waitingAtMs: number | null;
  /** The last time that was run, and its run. */
  readonly lastAtMs: number | null;
  readonly lastRunId: string | null;
  /** Why the last time could not be run; null after one that could. */
  readonly lastError: { readonly code: string; readonly message: string; readonly atMs: number } | null;
  /** Times that were passed over. */
  readonly passed: number;
  readonly revision: number;
}

const columns = [
  "tenant",
  "name",
  "timing",
  "source",
  "workflow_name",
  "inputs",
  "priority",
  "labels",
  "missed",
  "missed_cap",
  "overlap",
  "paused",
  "created_by",
  "created_at_ms",
  "updated_at_ms",
  "next_at_ms",
  "waiting_at_ms",
  "last_at_ms",
  "last_run_id",
  "last_error",
  "passed",
  "revision",
] as const;

export const scheduleGuard = "schedule";

/** Fails the batch (guard `schedule`) when the name is taken. */
export function insertSchedule(schedule: Schedule): Statement {
  return {
    sql: `INSERT INTO schedules (id, ${columns.join(", ")}) VALUES (?${", ?".repeat(columns.length)})`,
    params: [schedule.id, ...values(schedule)],
    expect: { rows: 1, guard: scheduleGuard },
  };
}

/** Writes `schedule` over the one with the revision before. Fails the batch (guard `schedule`) when somebody else was faster. */
export function replaceSchedule(schedule: Schedule): Statement {
  return {
    sql: `UPDATE schedules SET ${columns.map((column) => `${column} = ?`).join(", ")}
      WHERE id = ? AND revision = ?`,
    params: [...values(schedule), schedule.id, schedule.revision - 1],
    expect: { rows: 1, guard: scheduleGuard },
  };
}

export function deleteSchedule({ id }: Pick<Schedule, "id">): Statement {
  return {
    sql: "DELETE FROM schedules WHERE id = ?",
    params: [id],
    expect: { rows: 1, guard: scheduleGuard },
  };
}

function values(schedule: Schedule): readonly SqlValue[] {
  return [
    schedule.tenant,
    schedule.name,
    canonicalJson(schedule.timing),
    JSON.stringify(schedule.source),
    schedule.workflowName,
    JSON.stringify(schedule.inputs),
    schedule.priority,
    JSON.stringify(schedule.labels),
    schedule.missed,
    schedule.missedCap,
    schedule.overlap,
    schedule.isPaused ? 1 : 0,
    schedule.createdBy,
    schedule.createdAtMs,
    schedule.updatedAtMs,
    schedule.nextAtMs,
    schedule.waitingAtMs,
    schedule.lastAtMs,
    schedule.lastRunId,
    schedule.lastError && JSON.stringify(schedule.lastError),
    schedule.passed,
    schedule.revision,
  ];
}

export function scheduleFromStore(row: Row): Schedule {
  const lastError = row["last_error"] as string | null;
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    name: row["name"] as string,
    timing: JSON.parse(row["timing"] as string) as Timing,
    source: JSON.parse(row["source"] as string) as ScheduleSource,
    workflowName: row["workflow_name"] as string,
    inputs: JSON.parse(row["inputs"] as string) as JsonObject,
    priority: row["priority"] as Priority,
    labels: JSON.parse(row["labels"] as string) as string[],
    missed: row["missed"] as MissedPolicy,
    missedCap: row["missed_cap"] as number,
    overlap: row["overlap"] as OverlapPolicy,
    isPaused: row["paused"] === 1,
    createdBy: row["created_by"] as string,
    createdAtMs: row["created_at_ms"] as number,
    updatedAtMs: row["updated_at_ms"] as number,
    nextAtMs: row["next_at_ms"] as number | null,
    waitingAtMs: row["waiting_at_ms"] as number | null,
    lastAtMs: row["last_at_ms"] as number | null,
    lastRunId: row["last_run_id"] as string | null,
    lastError: lastError === null ? null : (JSON.parse(lastError) as Schedule["lastError"]),
    passed: row["passed"] as number,
    revision: row["revision"] as number,
  };
}
