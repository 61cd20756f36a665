/** Pages of runs for people, in whatever state, at a cost that does not grow with how many there are in others. */
import type { SqlValue, Store } from "../store/store.ts";
import { runPlaces } from "./run-indexes.ts";
import { runFromStore } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";
import { joined, nothing, plain, sql } from "./sql-part.ts";
import type { SqlPart } from "./sql-part.ts";
import { isEnded } from "./task.ts";
import type { TaskState } from "./task.ts";

export interface RunQuery {
  readonly tenant: string;
  /** Empty: all. */
  readonly states: readonly TaskState[];
  readonly workflow: string | null;
  /** Null: with any label. */
  readonly label?: string | null;
  /** Only runs made from this one or by a step of it; null: all. */
  readonly parent?: string | null;
  /** Older than this run: ids sort by the time of creation. */
  readonly before: string | null;
  readonly limit: number;
}

/** Newest first. */
export async function listRuns(store: Pick<Store, "read">, query: RunQuery): Promise<readonly RunRow[]> {
  const fits = fittingRuns(query);
  const page = sql`${olderThan(query, "id")} ORDER BY id DESC LIMIT ${query.limit}`;
  const found = [
    ...openRuns(query).map((open) => sql`${open} AND ${fits}`),
    ...query.states
      .filter(isEnded)
      .map((state) => sql`${plain(runPlaces.ended)} AND state = ${state} AND ${fits}${page}`),
  ].map(
    (where, index) => sql`SELECT id FROM (SELECT id FROM runs WHERE ${where}) AS ${plain(`place${index}`)}`,
  );
  const { sql: text, params } =
    found.length === 0
      ? sql`SELECT * FROM runs WHERE ${fits}${page}`
      : sql`SELECT * FROM runs WHERE id IN (${joined(found, " UNION ALL ")}) ORDER BY id DESC LIMIT ${query.limit}`;
  return (await store.read(text, params)).map(runFromStore);
}

function fittingRuns(query: RunQuery): SqlPart<SqlValue> {
  const where: SqlPart<SqlValue>[] = [sql`tenant = ${query.tenant}`];
  if (query.workflow !== null) where.push(sql`workflow_name = ${query.workflow}`);
  // Exact and with regard to case on every store, which LIKE is not; the label stands in its JSON form in the list.
  if (query.label != null) where.push(sql`replace(labels, ${JSON.stringify(query.label)}, '') <> labels`);
  if (query.parent != null) where.push(sql`parent = ${query.parent}`);
  return joined(where, " AND ");
}

function olderThan({ before }: RunQuery, id: string): SqlPart<SqlValue> {
  return before === null ? nothing : sql` AND ${plain(id)} < ${before}`;
}

/**
 * All that are open, which are few beside those that are over. Their ids stand in an expression because SQLite would follow the ids of
 * all runs to find them.
 */
function openRuns(query: RunQuery): readonly SqlPart<SqlValue>[] {
  const states = query.states.filter((state) => !isEnded(state)).map((state) => sql`${state}`);
  if (states.length === 0) return [];
  const isAsked = sql`state IN (${joined(states, ", ")})${olderThan(query, "id || ''")}`;
  return [runPlaces.due, runPlaces.waiting].map((place) => sql`${plain(place)} AND ${isAsked}`);
}
