/** Which runs changed, in whatever process: rows carry a number that rises with every change, and a reader remembers how far it has come. */
import type { Migration, Store } from "../store/store.ts";
import { runFromStore } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";

export const runChangesMigration: Migration = {
  id: "0340-run-changes",
  statements: () => [
    // Set by every statement that writes a projection; writers take turns, so numbers become visible in their order.
    "ALTER TABLE runs ADD COLUMN change_no BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX runs_change ON runs (change_no)",
  ],
};

/** Must not throw or block. Of several changes of one run in quick succession only the last may be told. */
export type RunChangeListener = (row: RunRow) => void;

export interface RunChanges {
  /** Resolves once every later change will be told. Returns the unsubscriber. */
  subscribe(listener: RunChangeListener): Promise<() => void>;
}

const rowsAtATime = 500;

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
        stopCommits = store.onCommit("runs", read);
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
    const sql = "SELECT * FROM runs WHERE change_no > ? ORDER BY change_no LIMIT ?";
    const rows = await store.read(sql, [seen, rowsAtATime]);
    for (const row of rows) {
      seen = row["change_no"] as number;
      const run = runFromStore(row);
      for (const listener of [...listeners]) listener(run);
    }
    if (rows.length === rowsAtATime) readAgain = true;
    // The newest run was deleted: the next change gets its number again.
    else if (rows.length === 0) seen = Math.min(seen, await newest());
  }

  async function newest(): Promise<number> {
    const [row] = await store.read("SELECT MAX(change_no) AS newest FROM runs");
    return (row?.["newest"] as number | null | undefined) ?? 0;
  }
}
