/** Reads a run for people: its folded state, its events. */
import type { Store } from "../../store/store.ts";
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
