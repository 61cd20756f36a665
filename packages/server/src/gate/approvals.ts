/** Approvals as rows: what is asked, bound to the exact arguments and the policy that asked; the first answer wins. */
import type { JsonObject } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { AskedScore } from "./asked-for.ts";
import type { MatchedRule, OriginLabel, RiskLevel } from "../policy/rules/decision.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";

export const approvalsMigration: Migration = {
  id: "0120-approvals",
  statements: () => [
    `CREATE TABLE approvals (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      labels TEXT NOT NULL,
      kind TEXT NOT NULL,
      status TEXT NOT NULL,
      run_id TEXT NOT NULL,
      workflow TEXT NOT NULL,
      step TEXT NOT NULL,
      action TEXT,
      resource TEXT,
      summary TEXT NOT NULL,
      message TEXT,
      args TEXT NOT NULL,
      args_digest TEXT NOT NULL,
      risk TEXT NOT NULL,
      reason TEXT NOT NULL,
      matched TEXT NOT NULL,
      policy_revision TEXT NOT NULL,
      requester TEXT NOT NULL,
      by_roles TEXT NOT NULL,
      requested_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT,
      decided_by TEXT,
      decided_at_ms BIGINT,
      decision_reason TEXT,
      answer TEXT
    )`,
    "CREATE INDEX approvals_status ON approvals (status, requested_at_ms)",
    "CREATE INDEX approvals_run ON approvals (run_id, step)",
  ],
};

export const approvalRunPathMigration: Migration = {
  id: "0211-approval-run-path",
  statements: () => ["ALTER TABLE approvals ADD COLUMN run_path TEXT NOT NULL DEFAULT '[]'"],
};

export const approvalScoreMigration: Migration = {
  id: "0430-approval-score",
  statements: () => [
    // Null in rows of older versions, which did not record them.
    "ALTER TABLE approvals ADD COLUMN risk_score INTEGER",
    "ALTER TABLE approvals ADD COLUMN risk_asked_from INTEGER",
  ],
};

/** A run around the one that asks, and the step of it that waits. */
export interface RunAbove {
  readonly runId: string;
  readonly workflow: string;
  readonly step: string;
}

/** `action`: policy asked; `step`: the workflow asked; `outcome`: a crash lost an unsafe action's outcome. */
export type ApprovalKind = "action" | "step" | "outcome";
export type ApprovalStatus = "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved";
export type DecisionAnswer =
  "approve" | "reject" | "expire" | "cancel" | "happened" | "did-not-happen" | "abandon";

/** One question, handed to somebody more. */
export interface HandOn {
  readonly to: string;
  /** Null in rows of older versions, which did not record who did it. */
  readonly by: string | null;
  readonly atMs: number;
}

export interface Approval {
  readonly id: string;
  readonly tenant: string;
  readonly kind: ApprovalKind;
  readonly status: ApprovalStatus;
  readonly runId: string;
  /** The runs around it, the outermost first; empty for a run that nobody waits for. */
  readonly runPath: readonly RunAbove[];
  readonly workflow: string;
  readonly step: string;
  readonly action: string | null;
  readonly resource: string | null;
  readonly summary: string;
  readonly message: string | null;
  /** Exactly the resolved arguments that will be used. */
  readonly args: JsonObject;
  readonly argsDigest: string;
  readonly labels: readonly OriginLabel[];
  readonly risk: RiskLevel;
  /** Null: nobody weighed it, or an older version did not record it. */
  readonly askedScore: AskedScore | null;
  readonly reason: string;
  readonly matched: readonly MatchedRule[];
  readonly policyRevision: string;
  readonly requester: string;
  /** Roles, and people as `user:NAME`, that may answer; admin always may. */
  readonly by: readonly string[];
  /** People this one question was handed to; whether it still counts says `countingDelegates`. */
  readonly delegates: readonly string[];
  /** The same, with who did it. */
  readonly handOns: readonly HandOn[];
  /** How many must agree, and how many have. */
  readonly quorum: number;
  readonly votes: number;
  /** Who asked for the run may not agree to it. */
  readonly fourEyes: boolean;
  /** Whether a yes may stand for the same again. */
  readonly mayRemember: boolean;
  /** What the answer put in place of `args`; the gate judged it anew. */
  readonly editedArgs: JsonObject | null;
  readonly requestedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly decidedBy: string | null;
  readonly decidedAtMs: number | null;
  readonly decisionReason: string | null;
  readonly answer: DecisionAnswer | null;
}

/** Joins the batch that appends `approval.requested`. */
export function insertApproval(approval: Approval): Statement {
  return {
    sql: `INSERT INTO approvals (id, v, tenant, labels, kind, status, run_id, workflow, step, action, resource, summary, message,
      args, args_digest, risk, reason, matched, policy_revision, requester, by_roles, requested_at_ms, expires_at_ms,
      quorum, four_eyes, may_remember, run_path, risk_score, risk_asked_from)
      VALUES (?,1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
    params: [
      approval.id,
      approval.tenant,
      JSON.stringify(approval.labels),
      approval.kind,
      approval.status,
      approval.runId,
      approval.workflow,
      approval.step,
      approval.action,
      approval.resource,
      approval.summary,
      approval.message,
      JSON.stringify(approval.args),
      approval.argsDigest,
      approval.risk,
      approval.reason,
      JSON.stringify(approval.matched),
      approval.policyRevision,
      approval.requester,
      JSON.stringify(approval.by),
      approval.requestedAtMs,
      approval.expiresAtMs,
      approval.quorum,
      Number(approval.fourEyes),
      Number(approval.mayRemember),
      JSON.stringify(approval.runPath),
      approval.askedScore?.value ?? null,
      approval.askedScore?.askedFrom ?? null,
    ],
  };
}

/** Records what an answer put in place of the arguments; joins the batch of that answer. */
export function editApproval(id: string, args: JsonObject): Statement {
  return { sql: "UPDATE approvals SET edited_args = ? WHERE id = ?", params: [JSON.stringify(args), id] };
}

/** Hands one question to somebody more. The guard `approval-answered` fails when it waits no longer. */
export function delegateApproval(
  { id, handOns }: Pick<Approval, "id" | "handOns">,
  handOn: HandOn,
): Statement {
  return {
    sql: "UPDATE approvals SET delegates = ? WHERE id = ? AND status = 'waiting' AND delegates = ?",
    params: [handOnsText([...handOns, handOn]), id, handOnsText(handOns)],
    expect: { rows: 1, guard: "approval-answered" },
  };
}

/** Older versions wrote the bare name; such a one stays as it was written. */
function handOnsText(handOns: readonly HandOn[]): string {
  return JSON.stringify(handOns.map(({ to, by, atMs }) => (by === null ? to : { to, by, atMs })));
}

const statusAfter: Readonly<Record<DecisionAnswer, ApprovalStatus>> = {
  approve: "approved",
  reject: "rejected",
  expire: "expired",
  cancel: "cancelled",
  happened: "resolved",
  "did-not-happen": "resolved",
  abandon: "resolved",
};

export interface Decided {
  readonly id: string;
  readonly answer: DecisionAnswer;
  readonly by: string;
  readonly atMs: number;
  readonly reason: string | null;
}

/** The first answer wins: the guard `approval-answered` fails the batch of every later one. */
export function decideApproval(decided: Decided): Statement {
  return {
    sql: `UPDATE approvals SET status = ?, answer = ?, decided_by = ?, decided_at_ms = ?, decision_reason = ?
      WHERE id = ? AND status = 'waiting'`,
    params: [
      statusAfter[decided.answer],
      decided.answer,
      decided.by,
      decided.atMs,
      decided.reason,
      decided.id,
    ],
    expect: { rows: 1, guard: "approval-answered" },
  };
}

/** A question whose step was given up. */
export function cancelApproval(id: string, by: string, atMs: number): Statement {
  return {
    sql: `UPDATE approvals SET status = 'cancelled', answer = 'cancel', decided_by = ?, decided_at_ms = ?
      WHERE id = ? AND status = 'waiting'`,
    params: [by, atMs, id],
  };
}

/** A run that ends takes its open questions with it. */
export function cancelApprovals(runId: string, by: string, atMs: number): Statement {
  return {
    sql: `UPDATE approvals SET status = 'cancelled', answer = 'cancel', decided_by = ?, decided_at_ms = ?
      WHERE run_id = ? AND status = 'waiting'`,
    params: [by, atMs, runId],
  };
}

/** Throws APPROVAL_NOT_FOUND, also for one of another tenant when `tenant` is given. */
export async function requireApproval(
  store: Pick<Store, "read">,
  id: string,
  tenant?: string,
): Promise<Approval> {
  const [row] = await store.read("SELECT * FROM approvals WHERE id = ?", [id]);
  if (row === undefined || (tenant !== undefined && row["tenant"] !== tenant))
    throw new HomeostatError("APPROVAL_NOT_FOUND", `There is no approval ${id}`, { id });
  return approvalFromStore(row);
}

/** The score that a question was put with; undefined when it was not recorded. */
export function askedScoreFromStore(row: Row): AskedScore | undefined {
  const value = row["risk_score"] as number | null;
  return value === null ? undefined : { value, askedFrom: row["risk_asked_from"] as number | null };
}

export function approvalFromStore(row: Row): Approval {
  const json = (column: string): unknown => JSON.parse(row[column] as string);
  const handOns = (json("delegates") as (string | HandOn)[]).map(handOnFromStore);
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    kind: row["kind"] as ApprovalKind,
    status: row["status"] as ApprovalStatus,
    runId: row["run_id"] as string,
    runPath: json("run_path") as RunAbove[],
    workflow: row["workflow"] as string,
    step: row["step"] as string,
    action: row["action"] as string | null,
    resource: row["resource"] as string | null,
    summary: row["summary"] as string,
    message: row["message"] as string | null,
    args: json("args") as JsonObject,
    argsDigest: row["args_digest"] as string,
    labels: json("labels") as OriginLabel[],
    risk: row["risk"] as RiskLevel,
    askedScore: askedScoreFromStore(row) ?? null,
    reason: row["reason"] as string,
    matched: json("matched") as MatchedRule[],
    policyRevision: row["policy_revision"] as string,
    requester: row["requester"] as string,
    by: json("by_roles") as string[],
    delegates: [...new Set(handOns.map(({ to }) => to))],
    handOns,
    quorum: row["quorum"] as number,
    votes: row["votes"] as number,
    fourEyes: row["four_eyes"] === 1,
    mayRemember: row["may_remember"] === 1,
    editedArgs: row["edited_args"] === null ? null : (json("edited_args") as JsonObject),
    requestedAtMs: row["requested_at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number | null,
    decidedBy: row["decided_by"] as string | null,
    decidedAtMs: row["decided_at_ms"] as number | null,
    decisionReason: row["decision_reason"] as string | null,
    answer: row["answer"] as DecisionAnswer | null,
  };
}

function handOnFromStore(stored: string | HandOn): HandOn {
  return typeof stored === "string" ? { to: stored, by: null, atMs: 0 } : stored;
}
