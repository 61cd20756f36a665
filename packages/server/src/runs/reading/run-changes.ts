/** Which runs changed, in whatever process: every change is an event, events are numbered, and a reader remembers how far it has come. */
import { runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import type { Store } from "../../store/store.ts";

/** Must not throw or block. Of several changes of one run in quick succession only the last may be told. */
export type RunChangeListener = (row: RunRow) => void;

export interface RunChanges {
  /** Resolves once every later change will be told. Returns the unsubscriber. */
  subscribe(listener: RunChangeListener): Promise<() => void>;
}

const eventsAtATime = 500;

/** One reader for all listeners of this process; it reads only while there are some. */
export function createRunChanges(deps: { readonly store: Pick<Store, "read" | "onCommit"> }): RunChanges {
  const { store } = deps;
  const listeners = new Set<RunChangeListener>();
  let seen = 0;
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let stopCommits: (() => void) | undefined;
  return {
    async subscribe(listener) {
      if (listeners.size === 0) {
        stopCommits = store.onCommit("journal", read);
        seen = await newest();
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stopCommits?.();
        stopCommits = undefined;
      };
    },
  };

  /** Coalesces commits: one reading at a time, and one more if told meanwhile. */
  function read(): void {
    readAgain = true;
    // Begun a moment later: ended at once, with no listener yet, it would set `reading` only after it was over, for good.
    reading ??= Promise.resolve().then(async () => {
      while (readAgain && listeners.size > 0) {
        readAgain = false;
        // The database is away for a moment; its return tells again.
        await readOn().catch(() => {});
      }
      reading = undefined;
    });
  }

  async function readOn(): Promise<void> {
    const sql = `SELECT MAX(number) AS upto, COUNT(*) AS events
      FROM (SELECT rowid AS number FROM journal WHERE rowid > ? ORDER BY rowid LIMIT ?) AS next`;
    const [next] = await store.read(sql, [seen, eventsAtATime]);
    const events = next?.["events"] as number;
    if (events === 0) return;
    const upto = next?.["upto"] as number;
    const changed = "SELECT run_id FROM journal WHERE rowid > ? AND rowid <= ?";
    const rows = await store.read(`SELECT * FROM runs WHERE id IN (${changed})`, [seen, upto]);
    seen = upto;
    for (const row of rows) {
      const run = runFromStore(row);
      for (const listener of [...listeners]) listener(run);
    }
    if (events === eventsAtATime) readAgain = true;
  }

  async function newest(): Promise<number> {
    const [row] = await store.read("SELECT MAX(rowid) AS newest FROM journal");
    return (row?.["newest"] as number | null | undefined) ?? 0;
  }
}
