/** Standing approvals: a person's yes that is remembered for the same again, within a scope and until a time. */
import { HomeostatError } from "../base/error.ts";
import { askedScoreFromStore } from "../gate/approvals.ts";
import type { Approval } from "../gate/approvals.ts";
import { askingRules, isCovered, riskRule } from "../gate/asked-for.ts";
import type { AskedFor, AskedScore } from "../gate/asked-for.ts";
import type { RememberedYes } from "../gate/consent.ts";
import type { Migration, Row, Statement } from "../store/store.ts";
import { findVoid } from "./find-void.ts";
import { lookUpPeople } from "./people.ts";
import type { People, PeopleDeps } from "./people.ts";

export const standingApprovalsMigration: Migration = {
  id: "0340-standing-approvals",
  statements: () => [
    `CREATE TABLE standing_approvals (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      action TEXT NOT NULL,
      resource TEXT NOT NULL,
      args_digest TEXT,
      scope TEXT NOT NULL,
      scope_id TEXT NOT NULL,
      approval_id TEXT NOT NULL,
      created_by TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT NOT NULL,
      revoked_at_ms BIGINT
    )`,
    "CREATE INDEX standing_approvals_action ON standing_approvals (tenant, action, resource)",
  ],
};

/** For the rest of this run, for runs of this workflow, or for the whole tenant. */
export const rememberScopes = ["run", "workflow", "tenant"] as const;
export type RememberScope = (typeof rememberScopes)[number];
/** The very same arguments, or the same resource with any arguments. */
export const rememberMatches = ["exact", "resource"] as const;
export type RememberMatch = (typeof rememberMatches)[number];

export interface Remember {
  readonly scope: RememberScope;
  readonly match: RememberMatch;
  readonly forMs: number;
}

export interface StandingApproval {
  readonly id: string;
  readonly tenant: string;
  readonly action: string;
  readonly resource: string;
  /** Null: any arguments. */
  readonly argsDigest: string | null;
  readonly scope: RememberScope;
  /** The run's id, the workflow's name, or empty. */
  readonly scopeId: string;
  /** The question that was answered. */
  readonly approvalId: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** A month: what nobody has looked at for longer is asked again. */
const longestMs = 31 * 24 * 3_600_000;

/** Throws REQUEST_INVALID: what may not be remembered (policy, several people, high risk with any arguments), or not so long. */
export function planStanding(
  approval: Approval,
  remember: Remember,
  made: { readonly id: string; readonly by: string; readonly atMs: number },
): StandingApproval {
  const problem = problemWith(approval, remember);
  if (problem !== undefined)
    throw new HomeostatError(
      "REQUEST_INVALID",
      `This answer cannot be remembered: ${problem}`,
      { id: approval.id },
      {
        place: { path: "body.remember" },
      },
    );
  const { scope, match } = remember;
  return {
    id: made.id,
    tenant: approval.tenant,
    // Only questions about actions get here, and those have both.
    action: approval.action!,
    resource: approval.resource!,
    argsDigest: match === "exact" ? approval.argsDigest : null,
    scope,
    scopeId: { run: approval.runId, workflow: approval.workflow, tenant: "" }[scope],
    approvalId: approval.id,
    createdBy: made.by,
    createdAtMs: made.atMs,
    expiresAtMs: made.atMs + remember.forMs,
  };
}

function problemWith(approval: Approval, { match, forMs }: Remember): string | undefined {
  if (approval.kind !== "action") return "only actions can be approved for another time";
  if (!approval.mayRemember) return "policy asks each time (`remember: false`, a quorum or four eyes)";
  // "Always allow the shell" would allow everything.
  const { risk, askedScore, matched } = approval;
  const isHigh = risk === "high" || isRisky(askedScore) || askingRules(matched).includes(riskRule);
  if (match === "resource" && isHigh) return "with other arguments an action of high risk is another action";
  if (forMs <= 0 || forMs > longestMs) return "it must be for longer than nothing and at most 31 days";
  return undefined;
}

/** The score is a reason to ask. */
function isRisky(score: AskedScore | null | undefined): boolean {
  return (score?.askedFrom ?? null) !== null;
}

export function insertStanding(standing: StandingApproval): Statement {
  return {
    sql: `INSERT INTO standing_approvals (id, v, tenant, action, resource, args_digest, scope, scope_id, approval_id, created_by,
      created_at_ms, expires_at_ms) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    params: [
      standing.id,
      standing.tenant,
      standing.action,
      standing.resource,
      standing.argsDigest,
      standing.scope,
      standing.scopeId,
      standing.approvalId,
      standing.createdBy,
      standing.createdAtMs,
      standing.expiresAtMs,
    ],
  };
}

/** What is about to be asked. */
export interface StandingQuestion {
  readonly tenant: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly argsDigest: string;
  readonly runId: string;
  readonly workflow: string;
  /** Who asked for the run. */
  readonly requester: string;
  /** What policy demands for it now. */
  readonly now: AskedFor;
}

/**
 * A remembered yes for exactly this, if there is one; an action that touches several resources needs the very same arguments. One
 * whose giver may not give it any more is found too, with the reason, when no other stands.
 */
export async function findStanding(
  deps: PeopleDeps,
  question: StandingQuestion,
): Promise<RememberedYes | undefined> {
  const { by, fourEyes } = question.now;
  const people = lookUpPeople(deps, question.tenant);
  let found: RememberedYes | undefined;
  for (const standing of await coveringStanding(deps, question)) {
    const why = await findVoid(people, standing, { by, fourEyes, requester: question.requester });
    if (why === undefined) return { kind: "stands", id: standing.id };
    found ??= { kind: "void", id: standing.id, by: standing.createdBy, why };
  }
  return found;
}

/** The gate waits for them to be judged, and the newest are the likeliest to stand. */
const mostCovering = 100;

/** Remembered for this, and given to no less than policy demands now; the newest first. */
async function coveringStanding(
  { store, clock }: PeopleDeps,
  question: StandingQuestion,
): Promise<readonly StandingApproval[]> {
  const [resource = "", ...others] = question.resources;
  const rows = await store.read(
    `SELECT s.*, a.matched, a.by_roles, a.quorum, a.four_eyes, a.risk, a.risk_score,
      a.risk_asked_from FROM standing_approvals s
      JOIN approvals a ON a.id = s.approval_id
      WHERE s.tenant = ? AND s.action = ? AND s.resource = ? AND s.revoked_at_ms IS NULL AND s.expires_at_ms > ?
      AND (s.args_digest = ? OR (s.args_digest IS NULL AND ? = 0))
      AND ((s.scope = 'tenant') OR (s.scope = 'workflow' AND s.scope_id = ?) OR (s.scope = 'run' AND s.scope_id = ?))
      ORDER BY s.created_at_ms DESC, s.id LIMIT ${mostCovering}`,
    [
      question.tenant,
      question.action,
      resource,
      clock.now(),
      question.argsDigest,
      // With other arguments an action of high risk is another action, also when it was a lesser one before.
      Number(others.length > 0 || question.now.risk === "high" || isRisky(question.now.score)),
      question.workflow,
      question.runId,
    ],
  );
  return rows.filter((row) => isCovered(askedForFromStore(row), question.now)).map(standingFromStore);
}

function askedForFromStore(row: Row): AskedFor {
  const score = askedScoreFromStore(row);
  return {
    ...(score === undefined ? {} : { score }),
    rules: askingRules(JSON.parse(row["matched"] as string) as Approval["matched"]),
    by: JSON.parse(row["by_roles"] as string) as string[],
    quorum: row["quorum"] as number,
    fourEyes: row["four_eyes"] === 1,
    risk: row["risk"] as AskedFor["risk"],
  };
}

/** With `voidBecause`: why it does not count any more, in words; null: it counts. */
export type ListedStanding = StandingApproval & { readonly voidBecause: string | null };

/** Neither over nor forgotten, newest first. Whether each counts is judged by the question it answered. */
export async function listStanding(deps: PeopleDeps, tenant: string): Promise<readonly ListedStanding[]> {
  return await judgeAll(lookUpPeople(deps, tenant), await readInForce(deps, tenant));
}

/** A key that was in force until now. */
export interface EndedKey {
  readonly tenant: string;
  readonly principal: string;
  readonly role: string;
  readonly createdAtMs: number;
}

/** How many remembered answers do not count any more because this key has ended, those given for its holder included. */
export async function countEndedWith(deps: PeopleDeps, key: EndedKey): Promise<number> {
  const { tenant, principal, role, createdAtMs: sinceMs } = key;
  const holderBefore: PeopleDeps["holderOf"] = (of, name) =>
    name === principal ? Promise.resolve({ role, sinceMs }) : deps.holderOf(of, name);
  const rows = await readInForce(deps, tenant);
  const before = await countVoid(lookUpPeople({ ...deps, holderOf: holderBefore }, tenant), rows);
  return (await countVoid(lookUpPeople(deps, tenant), rows)) - before;
}

async function readInForce({ store, clock }: PeopleDeps, tenant: string): Promise<readonly Row[]> {
  return await store.read(
    `SELECT s.*, a.by_roles, a.four_eyes, a.requester FROM standing_approvals s JOIN approvals a ON a.id = s.approval_id
      WHERE s.tenant = ? AND s.revoked_at_ms IS NULL AND s.expires_at_ms > ? ORDER BY s.created_at_ms DESC, s.id LIMIT 1000`,
    [tenant, clock.now()],
  );
}

/** One after the other: all at once would keep every connection of the database busy. */
async function judgeAll(people: People, rows: readonly Row[]): Promise<readonly ListedStanding[]> {
  const judged: ListedStanding[] = [];
  for (const row of rows) {
    const standing = standingFromStore(row);
    const question = {
      by: JSON.parse(row["by_roles"] as string) as string[],
      fourEyes: row["four_eyes"] === 1,
      requester: row["requester"] as string,
    };
    judged.push({ ...standing, voidBecause: (await findVoid(people, standing, question)) ?? null });
  }
  return judged;
}

async function countVoid(people: People, rows: readonly Row[]): Promise<number> {
  return (await judgeAll(people, rows)).filter(({ voidBecause }) => voidBecause !== null).length;
}

/** The guard `standing-approval` fails when there is none in force. */
export function revokeStanding(id: string, tenant: string, atMs: number): Statement {
  return {
    sql: `UPDATE standing_approvals SET revoked_at_ms = ? WHERE id = ? AND tenant = ? AND revoked_at_ms IS NULL`,
    params: [atMs, id, tenant],
    expect: { rows: 1, guard: "standing-approval" },
  };
}

function standingFromStore(row: Row): StandingApproval {
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    action: row["action"] as string,
    resource: row["resource"] as string,
    argsDigest: row["args_digest"] as string | null,
    scope: row["scope"] as RememberScope,
    scopeId: row["scope_id"] as string,
    approvalId: row["approval_id"] as string,
    createdBy: row["created_by"] as string,
    createdAtMs: row["created_at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number,
  };
}
