/** Dead letters: runs that used up their attempts and wait for a person; found by workflow, error and time, with what happened to them. */
import type { Store } from "../../store/store.ts";
import { runFromStore } from "../../queue/run-row.ts";
import type { StoredRun } from "../../queue/run-row.ts";
import type { RunError } from "../journal/event.ts";
import { readEvents } from "../journal/run-reader.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";

export interface DeadLetterFilter {
  readonly tenant: string;
  readonly workflow: string | null;
  /** Code of the error it died of. */
  readonly code: string | null;
  /** It died at or after the first and before the second. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

/** The last to die first; older than `before` (time, id). */
export async function listDeadLetters(
  store: Pick<Store, "read">,
  filter: DeadLetterFilter,
  page: {
    readonly before: readonly [number, string] | null;
    readonly limit: number;
    readonly isOldestFirst?: boolean;
  },
): Promise<readonly StoredRun[]> {
  const where = ["tenant = ?", "state = 'DEAD'"];
  const params: (string | number)[] = [filter.tenant];
  const add = (condition: string, ...values: readonly (string | number)[]): void => {
    where.push(condition);
    params.push(...values);
  };
  if (filter.workflow !== null) add("workflow_name = ?", filter.workflow);
  // The error is kept as JSON text, in which quotes of a message are escaped, so the member can be told by its text. With regard to case
  // on every store, which LIKE is not.
  if (filter.code !== null) add("replace(error, ?, '') <> error", `"code":${JSON.stringify(filter.code)}`);
  if (filter.sinceMs !== null) add("ended_at_ms >= ?", filter.sinceMs);
  if (filter.untilMs !== null) add("ended_at_ms < ?", filter.untilMs);
  if (page.before !== null) {
    const [atMs, id] = page.before;
    add("(ended_at_ms < ? OR (ended_at_ms = ? AND id < ?))", atMs, atMs, id);
  }
  const order = page.isOldestFirst === true ? "ASC" : "DESC";
  const sql = `SELECT * FROM runs WHERE ${where.join(" AND ")} ORDER BY ended_at_ms ${order}, id ${order} LIMIT ?`;
  return (await store.read(sql, [...params, page.limit])).map(runFromStore);
}

/** How often runs died of what, the most frequent first: where to begin. */
export async function countDeadLetters(
  store: Pick<Store, "read">,
  filter: DeadLetterFilter,
): Promise<readonly { readonly workflow: string; readonly code: string; readonly count: number }[]> {
  const counts = new Map<string, { workflow: string; code: string; count: number }>();
  let before: readonly [number, string] | null = null;
  for (let seen = 0; seen < mostCounted; seen += pageSize) {
    const rows: readonly StoredRun[] = await listDeadLetters(store, filter, { before, limit: pageSize });
    for (const { workflowName: workflow, error } of rows) {
      const code = error?.code ?? "";
      const entry = counts.get(`${workflow} ${code}`) ?? { workflow, code, count: 0 };
      entry.count += 1;
      counts.set(`${workflow} ${code}`, entry);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) break;
    before = [last.endedAtMs ?? 0, last.id];
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}

const pageSize = 500;
const mostCounted = 10_000;

export interface HistoryEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: string;
  readonly step: string | null;
  readonly attempt: number | null;
  readonly error: RunError | null;
}

/** What led to its end: attempts, what failed in them, and who revived it. The latest 200. */
export async function historyOf(deps: RunReaderDeps, runId: string): Promise<readonly HistoryEntry[]> {
  const kinds = [
    "run.started",
    "run.retrying",
    "run.died",
    "run.revived",
    "step.failed",
    "action.failed",
    "action.denied",
  ];
  const rows = await deps.store.read(
    `SELECT seq FROM journal WHERE run_id = ? AND kind IN (${kinds.map(() => "?").join(", ")})
      ORDER BY seq DESC LIMIT 200`,
    [runId, ...kinds],
  );
  const events = await Promise.all(
    rows.map((row) => readEvents(deps, { runId, afterSeq: (row["seq"] as number) - 1, limit: 1 })),
  );
  return events
    .flat()
    .toReversed()
    .map(({ seq, atMs, body }) => ({
      seq,
      atMs,
      kind: body.kind,
      step: "step" in body ? body.step : null,
      attempt: "attempt" in body ? body.attempt : null,
      error: "error" in body ? body.error : null,
    }));
}
