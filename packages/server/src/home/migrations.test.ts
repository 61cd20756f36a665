import { expect, test } from "vitest";
import { migrationDigest, renderMigrations } from "../store/migrate.ts";
import { sqliteDialect } from "../store/sqlite/migrate-sqlite.ts";
import { migrations } from "./migrations.ts";

/**
 * A database remembers the text of each change that was made to it and opens for no other. So a change that somebody may have is never
 * edited: what comes later is a new one, with a new line here.
 */
test("no schema change has another text than the one databases have", () => {
  const texts = renderMigrations(migrations, sqliteDialect).map(
    (migration) => `${migration.id} ${migrationDigest(migration).slice(0, 16)}`,
  );
  expect(texts).toMatchInlineSnapshot(`
    [
      "0001-ledger-outbox ffbe3054542742da",
      "0002-leases 88f45eaf4ba2f611",
      "0003-idempotency-keys d44917b97adeac50",
      "0004-sessions f09274407f2d0fff",
      "0005-blob-keys f2e7ed6d96204a42",
      "0100-journal 322950abda0393f9",
      "0110-runs 23fae6a1fe9f8d77",
      "0120-approvals 673a7c25c1e769d1",
      "0130-inbox 1913cf66449f6917",
      "0140-artifacts c03b81f331ea68de",
      "0210-workflows 68896fb4b3a50293",
      "0211-approval-run-path 9e7233869fd7ce96",
      "0212-hooks 512a0d93f4b1978e",
      "0230-known-targets 55f99d5f454dca94",
      "0300-store-marks c1b198cb4a2ca577",
      "0310-erasures 6200003f7ee6f473",
      "0310-secrets 555dada9e9fefaef",
      "0320-approval-depth 21be7a1ebc8e9ac2",
      "0320-workers 027c0bf81f9301f6",
      "0330-api-keys 8e2778b9738c6ddb",
      "0330-shared-facts 91d00a69b030d196",
      "0340-run-changes 36ba17aa7341406e",
      "0340-standing-approvals d46f1b654420b343",
      "0350-delegations dda1a5d7da89ad1a",
      "0360-approval-links 6210d86cfc0edb04",
      "0370-quotas dea666319d13edee",
      "0400-queue-claims c1cc68d9d7334134",
      "0410-policy-versions 456b1cdf146b7ec3",
      "0410-run-keys ef393e67916a6494",
      "0411-policy-shadow 45c36316e3eac7c3",
      "0420-schedules 19498658ea512f9e",
      "0430-approval-score e2fe494145ecd8b8",
      "0430-limit-reports 18eb4416310e5d4f",
      "0440-run-indexes b4e6ebb67154e063",
      "0445-journal-order e3b0c44298fc1c14",
      "0446-run-places 4dd1b216bc0eef15",
      "0450-api-keys-of-tenant 9d11c35849b30dda",
    ]
  `);
});
