/** What becomes of a run's rows when it is erased: bodies and salts go, digests stay, so that every proof holds. */
import { eraseKey } from "../blobs/keys.ts";
import type { Statement } from "../store/store.ts";

/**
 * Without the salt nobody can try out which body a commitment stands for; the chain of digests needs neither. Works on the live
 * database and on a copy of it, and may be done twice.
 */
export function erasedRows(runId: string, nowMs: number): readonly Statement[] {
  const params = [runId];
  return [
    { sql: "UPDATE journal SET body = NULL, salt = '' WHERE run_id = ?", params },
    {
      sql: "UPDATE runs SET error = NULL, fault = NULL, progress = NULL, dedup_key = NULL WHERE id = ?",
      params,
    },
    { sql: "DELETE FROM run_keys WHERE run_id = ?", params },
    { sql: "DELETE FROM inbox WHERE run_id = ?", params },
    {
      sql: `UPDATE approvals SET summary = '', message = NULL, resource = NULL, args = '{}', edited_args = NULL, reason = '',
        decision_reason = NULL WHERE run_id = ?`,
      params,
    },
    {
      sql: "UPDATE approval_votes SET reason = NULL WHERE approval_id IN (SELECT id FROM approvals WHERE run_id = ?)",
      params,
    },
    { sql: "DELETE FROM standing_approvals WHERE scope = 'run' AND scope_id = ?", params },
    { sql: "UPDATE artifacts SET title = NULL, description = NULL WHERE run_id = ?", params },
    eraseKey(runId, nowMs),
  ];
}
