/** The `runs` table with as few indexes as its queries need: each costs a page in every commit that puts a run in or ends it. */
import type { Migration } from "../store/store.ts";

/** Needs all migrations of the table before it. */
export const runIndexesMigration: Migration = {
  id: "0440-run-indexes",
  // Built anew, because SQLite keeps the index of a column declared UNIQUE as long as the table, with an entry for each NULL.
  statements: () => {
    const names = Object.keys(columns).join(", ");
    const declared = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    return [
      `CREATE TABLE runs_rebuilt (${declared.join(", ")})`,
      `INSERT INTO runs_rebuilt (${names}) SELECT ${names} FROM runs`,
      "DROP TABLE runs",
      "ALTER TABLE runs_rebuilt RENAME TO runs",
      "CREATE UNIQUE INDEX runs_dedup ON runs (dedup_key) WHERE dedup_key IS NOT NULL",
      "CREATE INDEX runs_due ON runs (priority, wake_at_ms, id, tenant, workflow_name) WHERE wake_at_ms IS NOT NULL",
      "CREATE INDEX runs_claimed ON runs (claimed_at_ms, tenant, workflow_name) WHERE claimed_at_ms IS NOT NULL",
      "CREATE INDEX runs_change ON runs (change_no)",
      // Also for the state alone. The newest come by id, which sorts by the time of creation.
      "CREATE INDEX runs_ended ON runs (state, ended_at_ms)",
    ];
  },
};

/** See `runPlaces`. What events say is told by the journal; only changes without an event are numbered in the row. */
export const runPlacesMigration: Migration = {
  id: "0446-run-places",
  statements: () => [
    "DROP INDEX runs_due",
    `CREATE INDEX runs_due ON runs (priority, wake_at_ms, id, tenant, workflow_name, state)
      WHERE wake_at_ms IS NOT NULL`,
    "CREATE INDEX runs_waiting ON runs (state, id, tenant) WHERE wake_at_ms IS NULL AND ended_at_ms IS NULL",
    "DROP INDEX runs_ended",
    // Ids sort by the time of creation.
    "CREATE INDEX runs_ended ON runs (state, id, tenant, ended_at_ms) WHERE ended_at_ms IS NOT NULL",
    "CREATE INDEX runs_dead ON runs (tenant, ended_at_ms, id) WHERE state = 'DEAD'",
    "DROP INDEX runs_change",
    "CREATE INDEX runs_change ON runs (change_no) WHERE change_no > 0",
    // A claim looks for what it has just taken among all leases that end in the same millisecond.
    "DROP INDEX leases_held",
    "CREATE INDEX leases_held ON leases (until_ms, claim) WHERE owner <> ''",
  ],
};

/**
 * Conditions on `runs` that divide them all: due some time, waiting for somebody, over. Each is answered by an index that knows state,
 * id and tenant; without one of them a question about states reads the whole table. A run that is over may still be woken.
 */
export const runPlaces = {
  due: "wake_at_ms IS NOT NULL AND state NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'DEAD')",
  waiting: "wake_at_ms IS NULL AND ended_at_ms IS NULL",
  ended: "ended_at_ms IS NOT NULL",
} as const;

const columns = {
  id: "TEXT PRIMARY KEY",
  v: "INTEGER NOT NULL",
  tenant: "TEXT NOT NULL",
  state: "TEXT NOT NULL",
  workflow_name: "TEXT NOT NULL",
  workflow_digest: "TEXT NOT NULL",
  priority: "INTEGER NOT NULL",
  requester: "TEXT NOT NULL",
  labels: "TEXT NOT NULL",
  parent: "TEXT",
  dedup_key: "TEXT",
  attempts: "INTEGER NOT NULL",
  max_attempts: "INTEGER NOT NULL",
  wake_at_ms: "BIGINT",
  waiting: "TEXT",
  error: "TEXT",
  head_seq: "INTEGER NOT NULL",
  head_digest: "TEXT NOT NULL",
  steps_done: "INTEGER NOT NULL",
  steps_total: "INTEGER NOT NULL",
  artifact_count: "INTEGER NOT NULL",
  created_at_ms: "BIGINT NOT NULL",
  started_at_ms: "BIGINT",
  ended_at_ms: "BIGINT",
  change_no: "BIGINT NOT NULL DEFAULT 0",
  claims: "INTEGER NOT NULL DEFAULT 0",
  claimed_steps: "INTEGER NOT NULL DEFAULT 0",
  claimed_at_ms: "BIGINT",
  fault: "TEXT",
  progress: "TEXT",
} as const;
