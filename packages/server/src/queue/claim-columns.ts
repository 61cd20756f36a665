/** What the queue itself keeps beside a run's projection: how often it was claimed, when it first was, and what went wrong. */
import type { Migration } from "../store/store.ts";

export const claimsMigration: Migration = {
  id: "0400-queue-claims",
  statements: () => [
    // Claims in a row that neither finished a step nor let go in good order; see `claim.ts`.
    "ALTER TABLE runs ADD COLUMN claims INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN claimed_steps INTEGER NOT NULL DEFAULT 0",
    // When a worker took it for the first time: what rates count.
    "ALTER TABLE runs ADD COLUMN claimed_at_ms BIGINT",
    // JSON: the last fault of ours while it was driven; NULL after it was let go in good order.
    "ALTER TABLE runs ADD COLUMN fault TEXT",
    // JSON: how far it says it is.
    "ALTER TABLE runs ADD COLUMN progress TEXT",
    // Whom the lease was taken from, for who took it; and which claim of its owner took it.
    "ALTER TABLE leases ADD COLUMN previous_owner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE leases ADD COLUMN claim BIGINT",
    "CREATE INDEX leases_held ON leases (until_ms) WHERE owner <> ''",
    "DROP INDEX runs_wake",
    // Tenant and workflow stand in it so that those at their limit are passed over without reading their rows.
    `CREATE INDEX runs_due ON runs (priority, wake_at_ms, id, tenant, workflow_name) WHERE wake_at_ms IS NOT NULL`,
    `CREATE INDEX runs_claimed ON runs (claimed_at_ms, tenant, workflow_name) WHERE claimed_at_ms IS NOT NULL`,
  ],
};
