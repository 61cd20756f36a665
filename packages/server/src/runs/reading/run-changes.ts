/** Which runs changed, in whatever process: events are numbered, changes without one too, and a reader remembers how far it has come. */
import { runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import type { Row, Store } from "../../store/store.ts";

/** Must not throw or block. Of several changes of one run in quick succession only the last may be told. */
export type RunChangeListener = (row: RunRow) => void;

export interface RunChanges {
  /** Resolves once every later change will be told. Returns the unsubscriber. */
  subscribe(listener: RunChangeListener): Promise<() => void>;
}

const rowsAtATime = 500;

interface Position {
  /** Number of the journal's last row. */
  readonly event: number;
  /** Of the last change that no event tells. */
  readonly change: number;
}

/** One reader for all listeners of this process; it reads only while there are some. */
export function createRunChanges(deps: { readonly store: Pick<Store, "read" | "onCommit"> }): RunChanges {
  const { store } = deps;
  const listeners = new Set<RunChangeListener>();
  let seen: Position = { event: 0, change: 0 };
  let beginning: Promise<void> | undefined;
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let stopCommits: (() => void) | undefined;
  return {
    async subscribe(listener) {
      listeners.add(listener);
      // Whoever comes while the first is joining waits for the same position.
      beginning ??= begin();
      try {
        await beginning;
      } catch (error) {
        leave(listener);
        throw error;
      }
      return () => leave(listener);
    },
  };

  function leave(listener: RunChangeListener): void {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    beginning = undefined;
    stopCommits?.();
    stopCommits = undefined;
  }

  async function begin(): Promise<void> {
    stopCommits = store.onCommit("runs", read);
    seen = await newest();
  }

  /** Coalesces commits: one reading at a time, and one more if told meanwhile. */
  function read(): void {
    readAgain = true;
    // Begun a moment later: ended at once, with no listener yet, it would set `reading` only after it was over, for good.
    reading ??= Promise.resolve().then(async () => {
      await beginning?.catch(() => {});
      while (readAgain && listeners.size > 0) {
        readAgain = false;
        // The database is away for a moment; its return tells again.
        await readOn().catch(() => {});
      }
      reading = undefined;
    });
  }

  async function readOn(): Promise<void> {
    const upto = await nextEvent();
    const changed = upto === undefined ? [] : await runsOf(upto);
    const sql = "SELECT * FROM runs WHERE change_no > 0 AND change_no > ? ORDER BY change_no LIMIT ?";
    const silent = await store.read(sql, [seen.change, rowsAtATime]);
    const last = silent.at(-1)?.["change_no"] as number | undefined;
    if (upto !== undefined || last !== undefined) readAgain = true;
    seen = { event: upto ?? seen.event, change: last ?? seen.change };
    for (const row of [...changed, ...silent]) {
      const run = runFromStore(row);
      for (const listener of [...listeners]) listener(run);
    }
  }

  async function nextEvent(): Promise<number | undefined> {
    const sql = `SELECT MAX(number) AS upto
      FROM (SELECT rowid AS number FROM journal WHERE rowid > ? ORDER BY rowid LIMIT ?) AS next`;
    const [next] = await store.read(sql, [seen.event, rowsAtATime]);
    return (next?.["upto"] as number | null | undefined) ?? undefined;
  }

  async function runsOf(upto: number): Promise<readonly Row[]> {
    const changed = "SELECT run_id FROM journal WHERE rowid > ? AND rowid <= ?";
    return await store.read(`SELECT * FROM runs WHERE id IN (${changed})`, [seen.event, upto]);
  }

  async function newest(): Promise<Position> {
    const sql = `SELECT (SELECT MAX(rowid) FROM journal) AS event,
      (SELECT MAX(change_no) FROM runs WHERE change_no > 0) AS change`;
    const [row] = await store.read(sql);
    return { event: numberIn(row, "event"), change: numberIn(row, "change") };
  }
}

function numberIn(row: Row | undefined, column: string): number {
  return (row?.[column] as number | null | undefined) ?? 0;
}
