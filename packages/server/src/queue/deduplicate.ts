/** Deduplication: within its window a key stands for one run, and whoever submits it again is given that run. */
import type { Migration, Statement, Store } from "../store/store.ts";

export const runKeysMigration: Migration = {
  id: "0410-run-keys",
  statements: () => [
    `CREATE TABLE run_keys (
      tenant TEXT NOT NULL,
      key TEXT NOT NULL,
      run_id TEXT NOT NULL,
      until_ms BIGINT NOT NULL,
      PRIMARY KEY (tenant, key)
    )`,
    "CREATE INDEX run_keys_end ON run_keys (until_ms)",
  ],
};

export interface RunKey {
  readonly tenant: string;
  readonly key: string;
  readonly runId: string;
  readonly nowMs: number;
  /** How long the key stands for this run, from now on, whether the run has ended or not. */
  readonly windowMs: number;
}

const runKeyGuard = "run-key";

/**
 * For the batch that creates the run: takes the key, or fails the batch (guard `run-key`) while it stands for another run. Some of
 * the keys whose time is over go with it, so that the table does not grow.
 */
export function takeRunKey({ tenant, key, runId, nowMs, windowMs }: RunKey): readonly Statement[] {
  return [
    {
      sql: `DELETE FROM run_keys WHERE (tenant, key) IN
        (SELECT tenant, key FROM run_keys WHERE until_ms <= ? ORDER BY until_ms LIMIT 20)`,
      params: [nowMs],
    },
    {
      sql: `INSERT INTO run_keys (tenant, key, run_id, until_ms) VALUES (?, ?, ?, ?)
        ON CONFLICT (tenant, key) DO UPDATE SET run_id = excluded.run_id, until_ms = excluded.until_ms
        WHERE run_keys.until_ms <= ?`,
      params: [tenant, key, runId, nowMs + windowMs, nowMs],
      expect: { rows: 1, guard: runKeyGuard },
    },
  ];
}

/** The run that the key stands for now. */
export async function findRunByKey(
  store: Pick<Store, "read">,
  { tenant, key, nowMs }: Pick<RunKey, "tenant" | "key" | "nowMs">,
): Promise<string | undefined> {
  const [row] = await store.read(
    "SELECT run_id FROM run_keys WHERE tenant = ? AND key = ? AND until_ms > ?",
    [tenant, key, nowMs],
  );
  return row?.["run_id"] as string | undefined;
}
