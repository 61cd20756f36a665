/** All tables of state.db, in the order of their ids. */
import { delegationsMigration } from "../approvals/delegations.ts";
import { approvalLinksMigration } from "../approvals/links.ts";
import { standingApprovalsMigration } from "../approvals/standing.ts";
import { approvalDepthMigration } from "../approvals/votes.ts";
import { artifactsMigration } from "../artifacts/artifact.ts";
import { blobKeysMigration } from "../blobs/keys.ts";
import { approvalRunPathMigration, approvalScoreMigration, approvalsMigration } from "../gate/approvals.ts";
import { targetMemoryMigration } from "../gate/target-memory.ts";
import { idempotencyMigration } from "../http/idempotency.ts";
import { apiKeysMigration, apiKeysOfTenantMigration } from "../identity/api-keys.ts";
import { sessionsMigration } from "../identity/sessions.ts";
import { erasuresMigration } from "../retention/erasure.ts";
import { policyShadowMigration } from "../policy/force/shadow.ts";
import { policyVersionsMigration } from "../policy/force/versions.ts";
import { quotasMigration } from "../limits/quotas.ts";
import { limitReportsMigration } from "../limits/report-rows.ts";
import { inboxMigration } from "../runs/session/inbox.ts";
import { journalMigration, journalOrderMigration } from "../runs/journal/journal.ts";
import { secretsMigration } from "../secrets/secret-rows.ts";
import { leaseMigration } from "../store/lease.ts";
import { marksMigration } from "../store/marks.ts";
import { outboxMigration } from "../store/outbox.ts";
import { sharedFactsMigration } from "../store/shared-facts.ts";
import type { Migration } from "../store/store.ts";
import { hooksMigration } from "../workflows/hooks.ts";
import { workflowsMigration } from "../workflows/registry.ts";
import { queueMigrations } from "../queue/migrations.ts";

export const migrations: readonly Migration[] = [
  outboxMigration,
  leaseMigration,
  idempotencyMigration,
  sessionsMigration,
  blobKeysMigration,
  journalMigration,
  ...queueMigrations,
  approvalsMigration,
  inboxMigration,
  artifactsMigration,
  secretsMigration,
  approvalDepthMigration,
  apiKeysMigration,
  standingApprovalsMigration,
  delegationsMigration,
  approvalLinksMigration,
  quotasMigration,
  marksMigration,
  erasuresMigration,
  sharedFactsMigration,
  targetMemoryMigration,
  workflowsMigration,
  hooksMigration,
  approvalRunPathMigration,
  policyVersionsMigration,
  policyShadowMigration,
  journalOrderMigration,
  approvalScoreMigration,
  limitReportsMigration,
  apiKeysOfTenantMigration,
];
