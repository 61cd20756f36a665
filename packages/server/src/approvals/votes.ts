/** Votes on a question that needs several people: one each, whoever casts it. */
import type { Migration, Row, Statement, Store } from "../store/store.ts";

export const approvalDepthMigration: Migration = {
  id: "0320-approval-depth",
  statements: () => [
    "ALTER TABLE approvals ADD COLUMN quorum INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE approvals ADD COLUMN votes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE approvals ADD COLUMN four_eyes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE approvals ADD COLUMN may_remember INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE approvals ADD COLUMN delegates TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE approvals ADD COLUMN edited_args TEXT",
    `CREATE TABLE approval_votes (
      approval_id TEXT NOT NULL,
      -- Whose vote it is: the voter's own, or that of somebody who delegated to them.
      counts_for TEXT NOT NULL,
      voter TEXT NOT NULL,
      v INTEGER NOT NULL,
      reason TEXT,
      at_ms BIGINT NOT NULL,
      PRIMARY KEY (approval_id, counts_for),
      UNIQUE (approval_id, voter)
    )`,
  ],
};

export interface Vote {
  readonly approvalId: string;
  readonly countsFor: string;
  readonly voter: string;
  readonly reason: string | null;
  readonly atMs: number;
}

/**
 * Casts a vote on a question that has `votesBefore` of them. Guards: `approval-voted` when this person, or the one they vote for,
 * has voted; `approval-votes` when somebody else was counted meanwhile or the question is answered.
 */
export function castVote(vote: Vote, votesBefore: number): readonly Statement[] {
  return [
    {
      sql: "INSERT INTO approval_votes (approval_id, counts_for, voter, v, reason, at_ms) VALUES (?, ?, ?, 1, ?, ?)",
      params: [vote.approvalId, vote.countsFor, vote.voter, vote.reason, vote.atMs],
      expect: { rows: 1, guard: "approval-voted" },
    },
    {
      sql: "UPDATE approvals SET votes = votes + 1 WHERE id = ? AND status = 'waiting' AND votes = ?",
      params: [vote.approvalId, votesBefore],
      expect: { rows: 1, guard: "approval-votes" },
    },
  ];
}

/** Takes votes back from a question that has `votesBefore` of them. The guard `approval-votes` also when one of them is gone already. */
export function withdrawVotes(
  votes: readonly Vote[],
  approvalId: string,
  votesBefore: number,
): readonly Statement[] {
  return [
    // The number alone may be the same again: somebody took these back, and somebody else has voted.
    ...votes.map(({ voter, atMs }) => ({
      sql: "DELETE FROM approval_votes WHERE approval_id = ? AND voter = ? AND at_ms = ?",
      params: [approvalId, voter, atMs],
      expect: { rows: 1, guard: "approval-votes" },
    })),
    {
      sql: "UPDATE approvals SET votes = votes - ? WHERE id = ? AND status = 'waiting' AND votes = ?",
      params: [votes.length, approvalId, votesBefore],
      expect: { rows: 1, guard: "approval-votes" },
    },
  ];
}

/** Votes on a question, in the order they were cast. */
export async function votesOn(store: Pick<Store, "read">, approvalId: string): Promise<readonly Vote[]> {
  const rows = await store.read("SELECT * FROM approval_votes WHERE approval_id = ? ORDER BY at_ms, voter", [
    approvalId,
  ]);
  return rows.map(voteFromStore);
}

function voteFromStore(row: Row): Vote {
  return {
    approvalId: row["approval_id"] as string,
    countsFor: row["counts_for"] as string,
    voter: row["voter"] as string,
    reason: row["reason"] as string | null,
    atMs: row["at_ms"] as number,
  };
}
