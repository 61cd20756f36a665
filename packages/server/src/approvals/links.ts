/** Links to a question for mail and chat: each for one person, for one answer, for a time. Opening one decides nothing. */
import { randomBytes } from "node:crypto";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { Migration, Row, Statement } from "../store/store.ts";
import type { PeopleDeps } from "./people.ts";

export const approvalLinksMigration: Migration = {
  id: "0360-approval-links",
  statements: () => [
    `CREATE TABLE approval_links (
      digest TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      approval_id TEXT NOT NULL,
      principal TEXT NOT NULL,
      created_by TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT NOT NULL,
      used_at_ms BIGINT
    )`,
  ],
};

/**
 * What it takes to answer by a link. `session`: its addressee, signed in or with their key; the link only leads to the question.
 * `token`: the link alone, so that whoever reads the mail can answer.
 */
const linkCredentials = ["session", "token"] as const;
export type LinkCredential = (typeof linkCredentials)[number];

export interface ApprovalLink {
  readonly tenant: string;
  readonly approvalId: string;
  /** Whose answer it carries. */
  readonly principal: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** 256 random bits: nobody guesses one, and a leaked database opens none, for it holds digests. */
export function createLinkToken(): string {
  return `hsl_${randomBytes(32).toString("base64url")}`;
}

export function insertLink(token: string, link: ApprovalLink): Statement {
  return {
    sql: `INSERT INTO approval_links (digest, v, tenant, approval_id, principal, created_by, created_at_ms, expires_at_ms)
      VALUES (?, 1, ?, ?, ?, ?, ?, ?)`,
    params: [
      sha256(token),
      link.tenant,
      link.approvalId,
      link.principal,
      link.createdBy,
      link.createdAtMs,
      link.expiresAtMs,
    ],
  };
}

/**
 * Throws APPROVAL_LINK_INVALID for a link that was used, has expired or never was, and for one that is older than a key of whoever
 * made it or whom it is for; which of them it is says the message.
 */
export async function requireLink(deps: PeopleDeps, token: string): Promise<ApprovalLink> {
  const [row] = await deps.store.read("SELECT * FROM approval_links WHERE digest = ?", [sha256(token)]);
  if (row === undefined) throw invalid("is not one of this server");
  if (row["used_at_ms"] !== null) throw invalid("was used");
  const link = linkFromStore(row);
  if (link.expiresAtMs <= deps.clock.now()) throw invalid("has expired");
  for (const name of new Set([link.createdBy, link.principal])) {
    const { role, sinceMs } = await deps.holderOf(link.tenant, name);
    if (role === "none") throw invalid(`has ended: ${name} may not use this server any more`);
    // It may have been made, or read, with a stolen key: a new one brings it back no more than the key itself.
    if (sinceMs > link.createdAtMs) throw invalid(`has ended: ${name} has a new key since`);
  }
  return link;
}

/** Joins the batch of the answer: of two uses at the same time one fails with the guard `approval-link`. */
export function useLink(token: string, atMs: number): Statement {
  return {
    sql: "UPDATE approval_links SET used_at_ms = ? WHERE digest = ? AND used_at_ms IS NULL AND expires_at_ms > ?",
    params: [atMs, sha256(token), atMs],
    expect: { rows: 1, guard: "approval-link" },
  };
}

function invalid(why: string): HomeostatError {
  return new HomeostatError("APPROVAL_LINK_INVALID", `This link ${why}`);
}

function linkFromStore(row: Row): ApprovalLink {
  return {
    tenant: row["tenant"] as string,
    approvalId: row["approval_id"] as string,
    principal: row["principal"] as string,
    createdBy: row["created_by"] as string,
    createdAtMs: row["created_at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number,
  };
}
