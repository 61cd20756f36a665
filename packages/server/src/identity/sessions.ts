/** Browser sessions: a random cookie value whose digest is kept, so that a stolen database opens no session. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { roles } from "../http/access.ts";
import type { Principal, Role } from "../http/access.ts";
import type { Migration, Store } from "../store/store.ts";
import { inForce } from "./api-keys.ts";

export const sessionsMigration: Migration = {
  id: "0004-sessions",
  statements: () => [
    `CREATE TABLE sessions (
      digest TEXT PRIMARY KEY,
      credential TEXT NOT NULL,
      principal TEXT NOT NULL,
      role TEXT NOT NULL,
      tenant TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL
    )`,
    "CREATE INDEX sessions_expiry ON sessions (expires_at)",
  ],
};

export interface Session {
  /** The cookie's value; it exists nowhere else. */
  readonly value: string;
  readonly expiresAt: number;
}

export interface Sessions {
  create(principal: Principal): Promise<Session>;
  find(value: string): Promise<Principal | undefined>;
  end(value: string): Promise<void>;
}

export interface SessionsDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Digest of the token the sessions descend from: a new token ends every session of the old one. */
  readonly credential: string;
  readonly lifetimeMs: number;
  readonly random?: (bytes: number) => Buffer;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { store, clock, credential, lifetimeMs, random = randomBytes } = deps;
  return {
    async create(principal) {
      const value = random(32).toString("base64url");
      const nowMs = clock.now();
      const expiresAt = nowMs + lifetimeMs;
      await store.write([
        { sql: "DELETE FROM sessions WHERE expires_at <= ? OR credential <> ?", params: [nowMs, credential] },
        {
          sql: `INSERT INTO sessions (digest, credential, principal, role, tenant, created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)`,
          params: [
            sha256(value),
            credential,
            principal.id,
            principal.role,
            principal.tenant,
            nowMs,
            expiresAt,
          ],
        },
      ]);
      return { value, expiresAt };
    },
    async find(value) {
      // Looked up by digest: the time this takes says nothing about the value itself.
      const rows = await store.read(
        `SELECT principal, role, tenant FROM sessions WHERE digest = ? AND credential = ? AND expires_at > ? AND ${holderInForce}`,
        [sha256(value), credential, clock.now(), clock.now()],
      );
      const row = rows[0];
      const role = roles.find((known) => known === row?.["role"]);
      return row === undefined || role === undefined
        ? undefined
        : toPrincipal(row["principal"], role, row["tenant"]);
    },
    async end(value) {
      await store.write([{ sql: "DELETE FROM sessions WHERE digest = ?", params: [sha256(value)] }]);
    },
  };
}

/** A session never outlives the key it was opened with; its parameter is the time now. */
const holderInForce = `(principal = 'admin' OR EXISTS (
  SELECT 1 FROM api_keys WHERE api_keys.principal = sessions.principal AND api_keys.tenant = sessions.tenant AND ${inForce}))`;

function toPrincipal(id: unknown, role: Role, tenant: unknown): Principal {
  return { id: String(id), role, tenant: String(tenant) };
}
