import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { approvalsMigration } from "../gate/approvals.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { approvalDepthMigration, castVote, votesOn, withdrawVotes } from "./votes.ts";
import type { Vote } from "./votes.ts";

let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-votes-"));
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [approvalsMigration, approvalDepthMigration],
    clock,
    logger: createSilentLogger(),
  });
  await store.write([
    {
      sql: `INSERT INTO approvals (id, v, tenant, labels, kind, status, run_id, workflow, step, summary, args, args_digest, risk, reason,
        matched, policy_revision, requester, by_roles, requested_at_ms)
        VALUES ('apr_1', 1, 'default', '[]', 'action', 'waiting', 'r', 'w', 's', '', '{}', '', 'low', '', '[]', '', 'olga', '[]', 0)`,
    },
  ]);
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const voteOf = (voter: string, atMs = 1): Vote => ({
  ...{ approvalId: "apr_1", countsFor: voter, voter, reason: null, atMs },
});

async function counted(): Promise<unknown> {
  const [row] = await store.read("SELECT votes FROM approvals");
  const voters = (await votesOn(store, "apr_1")).map(({ voter }) => voter);
  return { votes: row!["votes"], voters };
}

test("a vote that two people saw as ended is taken back once, also when another was cast meanwhile", async () => {
  await store.write(castVote(voteOf("ada"), 0));
  const seen = await votesOn(store, "apr_1");
  await store.write(withdrawVotes(seen, "apr_1", 1));
  await store.write(castVote(voteOf("bob"), 0));
  await expect(store.write(withdrawVotes(seen, "apr_1", 1))).rejects.toMatchObject({
    code: "STORE_CONFLICT",
    data: { guard: "approval-votes" },
  });
  expect(await counted()).toEqual({ votes: 1, voters: ["bob"] });
});

test("a vote that its voter has cast anew meanwhile is not the one that ended", async () => {
  await store.write(castVote(voteOf("ada"), 0));
  const seen = await votesOn(store, "apr_1");
  await store.write([...withdrawVotes(seen, "apr_1", 1), ...castVote(voteOf("ada", 2), 0)]);
  await expect(store.write(withdrawVotes(seen, "apr_1", 1))).rejects.toMatchObject({
    data: { guard: "approval-votes" },
  });
  expect(await counted()).toEqual({ votes: 1, voters: ["ada"] });
});
