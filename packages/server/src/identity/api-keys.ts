/** API keys: people and programs besides the admin, each with a role. Only a digest of the key is kept. */
import { randomBytes } from "node:crypto";
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { createId } from "../base/id.ts";
import { ownerTenant, roles } from "../http/access.ts";
import type { Principal, Role } from "../http/access.ts";
import { factInsert } from "../store/fact.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";

export const apiKeysMigration: Migration = {
  id: "0330-api-keys",
  statements: () => [
    `CREATE TABLE api_keys (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      principal TEXT NOT NULL,
      role TEXT NOT NULL,
      digest TEXT NOT NULL UNIQUE,
      created_by TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT,
      revoked_at_ms BIGINT
    )`,
    "CREATE UNIQUE INDEX api_keys_principal ON api_keys (principal) WHERE revoked_at_ms IS NULL",
  ],
};

export const apiKeysOfTenantMigration: Migration = {
  id: "0450-api-keys-of-tenant",
  statements: () => [
    "DROP INDEX api_keys_principal",
    // One key a principal: whoever is told apart by policy and approvals has one name and one role, in their tenant.
    "CREATE UNIQUE INDEX api_keys_tenant_principal ON api_keys (tenant, principal) WHERE revoked_at_ms IS NULL",
  ],
};

export type KeyRole = Exclude<Role, "none">;

export interface ApiKey {
  readonly id: string;
  readonly tenant: string;
  readonly principal: string;
  readonly role: KeyRole;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface CreateApiKey {
  readonly tenant: string;
  readonly principal: string;
  readonly role: KeyRole;
  readonly expiresAtMs: number | null;
  readonly by: string;
  /** Of whoever asks; absent: the key's. */
  readonly byTenant?: string;
}

export interface ApiKeys {
  /** The key itself is in this answer and nowhere else. Throws API_KEY_CONFLICT (the name has one), REQUEST_INVALID. */
  create(request: CreateApiKey): Promise<ApiKey & { readonly key: string }>;
  /** Those that are neither revoked nor expired, by tenant and principal; null: of all tenants. */
  list(tenant: string | null): Promise<readonly ApiKey[]>;
  /**
   * Ends the key and every session that was opened with it. Resolves with what the key was. Throws API_KEY_NOT_FOUND, also for
   * a key of another tenant than `tenant`; null stands for all of them.
   */
  revoke(request: {
    readonly tenant: string | null;
    readonly id: string;
    readonly by: string;
    /** Of whoever asks; absent: the key's. */
    readonly byTenant?: string;
  }): Promise<ApiKey>;
  findByToken(token: string): Promise<Principal | undefined>;
  /** The role a principal has now, for policy; `none` for somebody whose key was revoked or expired. */
  currentRole(tenant: string, principal: string): Promise<Role>;
  /** The same, with the time their key was made, in milliseconds since 1970; 0 for the server's own admin. */
  holderOf(tenant: string, principal: string): Promise<{ readonly role: Role; readonly sinceMs: number }>;
}

/** A prefix of its own, so that secret scanners know it and the admin's token apart. */
const keyShape = /^hsk_[A-Za-z0-9_-]{43}$/;
const principalShape = /^[a-z][a-z0-9._-]{0,63}$/;
/** Names that mean somebody already. */
const reserved: ReadonlySet<string> = new Set(["admin", "system", "anonymous", "schedule"]);

/** SQL that is true for rows of `api_keys` in force; its parameter is the time now. */
export const inForce = "revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?)";

interface ApiKeysDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
}

export function createApiKeys(deps: ApiKeysDeps): ApiKeys {
  const { store, clock } = deps;
  return {
    create: (request) => createKey(deps, request),
    async list(tenant) {
      const rows = await store.read(
        `SELECT * FROM api_keys WHERE (tenant = ? OR ? = 1) AND ${inForce} ORDER BY tenant, principal`,
        [tenant, Number(tenant === null), clock.now()],
      );
      return rows.map(keyFromStore);
    },
    revoke: (request) => revokeKey(deps, request),
    async findByToken(token) {
      if (!keyShape.test(token)) return undefined;
      // Looked up by digest: the time this takes says nothing about the key.
      const [row] = await store.read(`SELECT * FROM api_keys WHERE digest = ? AND ${inForce}`, [
        sha256(token),
        clock.now(),
      ]);
      if (row === undefined) return undefined;
      const { principal: id, role, tenant } = keyFromStore(row);
      return { id, role, tenant };
    },
    currentRole: async (tenant, principal) => (await findHolder(deps, tenant, principal)).role,
    holderOf: (tenant, principal) => findHolder(deps, tenant, principal),
  };
}

async function createKey(
  { store, clock }: ApiKeysDeps,
  request: CreateApiKey,
): Promise<ApiKey & { readonly key: string }> {
  requirePrincipal(request.principal);
  const key = `hsk_${randomBytes(32).toString("base64url")}`;
  const nowMs = clock.now();
  if (request.expiresAtMs !== null && request.expiresAtMs <= nowMs)
    throw new HomeostatError("REQUEST_INVALID", "The key would have expired before it is made");
  const id = createId("key", nowMs);
  const { tenant, principal, role, expiresAtMs, by, byTenant } = request;
  const made: ApiKey = { id, tenant, principal, role, createdBy: by, createdAtMs: nowMs, expiresAtMs };
  try {
    // An expired key of the same name makes room.
    await store.write([
      {
        sql: "UPDATE api_keys SET revoked_at_ms = expires_at_ms WHERE tenant = ? AND principal = ? AND revoked_at_ms IS NULL AND expires_at_ms <= ?",
        params: [tenant, principal, nowMs],
      },
      // Else sessions of the expired key, with its role, would be open again.
      { sql: "DELETE FROM sessions WHERE principal = ? AND tenant = ?", params: [principal, tenant] },
      {
        sql: `INSERT INTO api_keys (id, v, tenant, principal, role, digest, created_by, created_at_ms, expires_at_ms)
          VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)`,
        params: [id, tenant, principal, role, sha256(key), by, nowMs, expiresAtMs],
      },
      keyFact({ type: "api_key.created", tenant, by, byTenant, atMs: nowMs }, { key: id, principal, role }),
    ]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    const text = `${principal} has a key already`;
    throw new HomeostatError("API_KEY_CONFLICT", text, { principal }, { cause: error });
  }
  return { ...made, key };
}

async function revokeKey(
  { store, clock }: ApiKeysDeps,
  { tenant, id, by, byTenant }: Parameters<ApiKeys["revoke"]>[0],
): Promise<ApiKey> {
  const [row] = await store.read(
    "SELECT * FROM api_keys WHERE id = ? AND (tenant = ? OR ? = 1) AND revoked_at_ms IS NULL",
    [id, tenant, Number(tenant === null)],
  );
  if (row === undefined)
    throw new HomeostatError("API_KEY_NOT_FOUND", `There is no key ${id.slice(0, 80)}`, { id });
  const key = keyFromStore(row);
  const { principal, tenant: of } = key;
  const atMs = clock.now();
  await store.write([
    {
      sql: "UPDATE api_keys SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL",
      params: [atMs, id],
    },
    { sql: "DELETE FROM sessions WHERE principal = ? AND tenant = ?", params: [principal, of] },
    keyFact({ type: "api_key.revoked", tenant: of, by, byTenant, atMs }, { key: id, principal }),
  ]);
  return key;
}

async function findHolder(
  { store, clock }: ApiKeysDeps,
  tenant: string,
  principal: string,
): Promise<{ readonly role: Role; readonly sinceMs: number }> {
  // The token of the server's own admin.
  if (principal === "admin") return { role: tenant === ownerTenant ? "admin" : "none", sinceMs: 0 };
  const [row] = await store.read(`SELECT * FROM api_keys WHERE principal = ? AND tenant = ? AND ${inForce}`, [
    principal,
    tenant,
    clock.now(),
  ]);
  if (row === undefined) return { role: "none", sinceMs: 0 };
  const { role, createdAtMs: sinceMs } = keyFromStore(row);
  return { role, sinceMs };
}

interface KeyFact {
  readonly type: string;
  readonly tenant: string;
  readonly by: string;
  readonly byTenant: string | undefined;
  readonly atMs: number;
}

/** The actor may be of another tenant than the key, where somebody else can have the same name: it is told then. */
function keyFact({ by, byTenant, ...fact }: KeyFact, data: JsonObject): Statement {
  const isStranger = byTenant !== undefined && byTenant !== fact.tenant;
  const told = isStranger ? { ...data, byTenant } : data;
  return factInsert({ ...fact, actor: { kind: "user", id: by }, data: told });
}

function requirePrincipal(name: string): void {
  if (principalShape.test(name) && !reserved.has(name)) return;
  const why = reserved.has(name) ? "means somebody already" : "is no name of a principal";
  throw new HomeostatError(
    "REQUEST_INVALID",
    `${JSON.stringify(name.slice(0, 80))} ${why}`,
    {},
    {
      hint: "Lower-case letters, digits, dot, - and _, a letter first; not admin, system, anonymous or schedule.",
      place: { path: "principal" },
    },
  );
}

function keyFromStore(row: Row): ApiKey {
  const role = roles.find((known): known is KeyRole => known === row["role"] && known !== "none");
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    principal: row["principal"] as string,
    // A role this version does not know may do the least.
    role: role ?? "viewer",
    createdBy: row["created_by"] as string,
    createdAtMs: row["created_at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number | null,
  };
}
