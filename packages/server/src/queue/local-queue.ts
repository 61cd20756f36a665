/** The queue on one machine: rows say what is due, a commit notification and a timer say when to look. */
import type { SqlValue, Store } from "../store/store.ts";
import { runPlaces } from "./run-indexes.ts";
import { runFromStore } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";
import { joined, nothing, plain, sql } from "./sql-part.ts";
import { taskStates } from "./task.ts";
import type { TaskState } from "./task.ts";
import { needsMet } from "./worker-registry.ts";
import type { Need } from "./worker-registry.ts";

export interface Queue {
  /** Runs due at `nowMs`, most urgent lane first, longest due first within a lane. They may still be leased by others. */
  due(nowMs: number, limit: number): Promise<readonly RunRow[]>;
  /** When the next run falls due after `nowMs`; undefined if none will by itself. */
  nextDueMs(nowMs: number): Promise<number | undefined>;
  /**
   * Calls back when runs may have fallen due; may call for nothing. A queue that wakes one of several processes passes over those
   * that say they have no room. Returns the unsubscriber.
   */
  onWake(listener: () => void, hasRoom?: () => boolean): () => void;
  /** Of all tenants when none is named. */
  counts(tenant?: string): Promise<Readonly<Record<TaskState, number>>>;
}

/** `offers` is what this process has for runs that need something; those that need more are not due here. */
export function createLocalQueue(deps: {
  readonly store: Store;
  readonly offers?: readonly Need[];
  /** This process; "" for one that drives nothing. */
  readonly owner?: string;
}): Queue {
  const { store } = deps;
  const met = needsMet({ owner: deps.owner ?? "", offers: deps.offers ?? [] });
  return {
    async due(nowMs, limit) {
      const rows = await store.read(
        `SELECT * FROM runs WHERE wake_at_ms <= ? AND ${met.sql} ORDER BY priority, wake_at_ms, id LIMIT ?`,
        [nowMs, ...met.params, limit],
      );
      return rows.map(runFromStore);
    },
    async nextDueMs(nowMs) {
      const rows = await store.read("SELECT MIN(wake_at_ms) AS next FROM runs WHERE wake_at_ms > ?", [nowMs]);
      return (rows[0]?.["next"] as number | null | undefined) ?? undefined;
    },
    // Whoever has no room looks again by itself once it has.
    onWake: (listener) => store.onCommit("runs", listener),
    async counts(tenant) {
      const counts = Object.fromEntries(taskStates.map((state) => [state, 0])) as Record<TaskState, number>;
      const ofTenant = tenant === undefined ? nothing : sql` AND tenant = ${tenant}`;
      const places = Object.values(runPlaces).map(
        (place) => sql`SELECT state, COUNT(*) AS n FROM runs WHERE ${plain(place)}${ofTenant} GROUP BY state`,
      );
      const { sql: text, params } = joined<SqlValue>(places, " UNION ALL ");
      for (const row of await store.recent.read(text, params))
        counts[row["state"] as TaskState] += row["n"] as number;
      return counts;
    },
  };
}
