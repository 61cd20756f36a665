/** The rows in which processes tell each other of their limits, and ask each other to reset breakers. */
import { createId } from "../base/id.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";
import { parseReport } from "./limit-report.ts";
import type { LimitReport } from "./limit-report.ts";

export const limitReportsMigration: Migration = {
  id: "0430-limit-reports",
  statements: () => [
    // One row a process, written again when it changes; the process is an identity as in `workers`.
    "CREATE TABLE limit_reports (process TEXT PRIMARY KEY, report TEXT NOT NULL, reported_at_ms BIGINT NOT NULL)",
    // Target and process are null for all of them.
    "CREATE TABLE breaker_resets (id TEXT PRIMARY KEY, target TEXT, process TEXT, asked_by TEXT NOT NULL, asked_at_ms BIGINT NOT NULL)",
    // What each process forgot: a JSON list of targets.
    `CREATE TABLE breaker_reset_answers (
      reset_id TEXT NOT NULL, process TEXT NOT NULL, targets TEXT NOT NULL, PRIMARY KEY (reset_id, process)
    )`,
  ],
};

/** A process that is not heard of for so long is not asked about any more. */
const keptMs = 3_600_000;
/** Whoever does not see a request within this time was away for longer than any breaker stays open. */
const resetKeptMs = 10 * 60_000;

export interface StoredReport {
  readonly process: string;
  readonly report: LimitReport;
  readonly reportedAtMs: number;
}

/** Old ones of others go with it. */
export function writeReport(process: string, report: string, nowMs: number): readonly Statement[] {
  return [
    { sql: "DELETE FROM limit_reports WHERE reported_at_ms < ?", params: [nowMs - keptMs] },
    {
      sql: `INSERT INTO limit_reports (process, report, reported_at_ms) VALUES (?, ?, ?)
        ON CONFLICT (process) DO UPDATE SET report = excluded.report, reported_at_ms = excluded.reported_at_ms`,
      params: [process, report, nowMs],
    },
  ];
}

export function forgetReport(process: string): Statement {
  return { sql: "DELETE FROM limit_reports WHERE process = ?", params: [process] };
}

export async function listReports(store: Pick<Store, "read">): Promise<readonly StoredReport[]> {
  const rows = await store.read(
    "SELECT process, report, reported_at_ms FROM limit_reports ORDER BY reported_at_ms DESC LIMIT 1000",
  );
  return rows.flatMap(storedReport);
}

function storedReport(row: Row): readonly StoredReport[] {
  const report = parseReport(row["report"] as string);
  if (report === undefined) return [];
  return [{ process: row["process"] as string, report, reportedAtMs: Number(row["reported_at_ms"]) }];
}

export interface ResetRequest {
  /** All targets without. */
  readonly target: string | undefined;
  /** All processes without. */
  readonly process: string | undefined;
  readonly askedBy: string;
}

/** Old requests and their answers go with it. */
export function askReset(
  request: ResetRequest,
  nowMs: number,
): { readonly id: string; readonly batch: readonly Statement[] } {
  const id = createId("rst", nowMs);
  const { target = null, process = null, askedBy } = request;
  const before = [nowMs - resetKeptMs];
  return {
    id,
    batch: [
      {
        sql: "DELETE FROM breaker_reset_answers WHERE reset_id IN (SELECT id FROM breaker_resets WHERE asked_at_ms < ?)",
        params: before,
      },
      { sql: "DELETE FROM breaker_resets WHERE asked_at_ms < ?", params: before },
      {
        sql: "INSERT INTO breaker_resets (id, target, process, asked_by, asked_at_ms) VALUES (?, ?, ?, ?, ?)",
        params: [id, target, process, askedBy, nowMs],
      },
    ],
  };
}

/** What this process was asked and has not answered, the oldest first; a target that is undefined means all. */
export async function listUnanswered(
  store: Pick<Store, "read">,
  process: string,
): Promise<readonly { readonly id: string; readonly target: string | undefined }[]> {
  const rows = await store.read(
    `SELECT id, target FROM breaker_resets WHERE (process IS NULL OR process = ?)
      AND NOT EXISTS (SELECT 1 FROM breaker_reset_answers WHERE reset_id = breaker_resets.id AND process = ?)
      ORDER BY id LIMIT 1000`,
    [process, process],
  );
  return rows.map((row) => ({
    id: row["id"] as string,
    target: (row["target"] as string | null) ?? undefined,
  }));
}

/** Said twice, the first word counts. */
export function answerReset(id: string, process: string, targets: readonly string[]): Statement {
  return {
    sql: `INSERT INTO breaker_reset_answers (reset_id, process, targets) VALUES (?, ?, ?)
      ON CONFLICT (reset_id, process) DO NOTHING`,
    params: [id, process, JSON.stringify(targets)],
  };
}

/** Which targets each process forgot, by process. */
export async function listAnswers(
  store: Pick<Store, "read">,
  id: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await store.read("SELECT process, targets FROM breaker_reset_answers WHERE reset_id = ?", [
    id,
  ]);
  return new Map(
    rows.map((row) => [row["process"] as string, JSON.parse(row["targets"] as string) as readonly string[]]),
  );
}
