/** Reads runs for people: rows in pages, a run's folded state, its events. */
import type { Store } from "../../store/store.ts";
import { runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import type { TaskState } from "../../queue/task.ts";
import type { RunEvent } from "./event.ts";
import { fold, initialState } from "./fold.ts";
import type { RunState } from "./fold.ts";
import { decodeRow, emptyHead, readJournal, rowFromStore } from "./journal.ts";
import type { ReadBlobText } from "./journal.ts";
import { createSharing } from "./share-values.ts";

export interface RunReaderDeps {
  readonly store: Store;
  readonly readBlobText: ReadBlobText;
}

/** Folds the whole journal. An empty journal gives the initial state. */
export async function readState(deps: RunReaderDeps, runId: string): Promise<RunState> {
  let state = initialState(runId, emptyHead(runId).digest);
  const share = createSharing();
  for await (const event of readJournal(deps.store, deps.readBlobText, runId))
    state = fold(state, share(event));
  return state;
}

/** At most `limit` events after `afterSeq`. */
export async function readEvents(
  deps: { readonly store: Pick<Store, "read">; readonly readBlobText: ReadBlobText },
  page: { readonly runId: string; readonly afterSeq: number; readonly limit: number },
): Promise<readonly RunEvent[]> {
  const rows = await deps.store.read(
    "SELECT * FROM journal WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
    [page.runId, page.afterSeq, page.limit],
  );
  return await Promise.all(rows.map((row) => decodeRow(rowFromStore(row), deps.readBlobText)));
}

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
  const where = ["tenant = ?"];
  const params: (string | number)[] = [query.tenant];
  if (query.states.length > 0) {
    where.push(`state IN (${query.states.map(() => "?").join(", ")})`);
    params.push(...query.states);
  }
  if (query.workflow !== null) {
    where.push("workflow_name = ?");
    params.push(query.workflow);
  }
  if (query.label != null) {
    // Exact and with regard to case on every store, which LIKE is not; the label stands in its JSON form in the list.
    where.push("replace(labels, ?, '') <> labels");
    params.push(JSON.stringify(query.label));
  }
  if (query.parent != null) {
    where.push("parent = ?");
    params.push(query.parent);
  }
  if (query.before !== null) {
    where.push("id < ?");
    params.push(query.before);
  }
  const sql = `SELECT * FROM runs WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ?`;
  return (await store.read(sql, [...params, query.limit])).map(runFromStore);
}
