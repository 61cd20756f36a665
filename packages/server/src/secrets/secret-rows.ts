/** The `secrets` table: one row per version of a name, its value sealed, or a reference to where the value is kept. */
import type { Migration, Row, Statement } from "../store/store.ts";

export const secretsMigration: Migration = {
  id: "0310-secrets",
  statements: () => [
    `CREATE TABLE secrets (
      tenant TEXT NOT NULL,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      v INTEGER NOT NULL,
      -- NULL when it was removed, or when the value is kept elsewhere.
      sealed TEXT,
      reference TEXT,
      uses TEXT NOT NULL,
      description TEXT,
      created_by TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      retired_at_ms BIGINT,
      PRIMARY KEY (tenant, name, version)
    )`,
  ],
};

/** Where a value lies that is not kept here. */
export type Reference =
  | { readonly kind: "vault"; readonly path: string; readonly field: string; readonly version?: number }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "file"; readonly name: string };

/** What a secret may be used for: an action and the resources of it, both globs. */
export interface SecretUse {
  readonly action: string;
  readonly resource: string;
}

export interface SecretRow {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  readonly sealed: string | null;
  readonly reference: Reference | null;
  readonly uses: readonly SecretUse[];
  readonly description: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly retiredAtMs: number | null;
}

/** A taken version fails the batch with the guard `secret-version`: somebody else wrote at the same time. */
export function insertSecret(row: SecretRow): Statement {
  return {
    sql: `INSERT INTO secrets (tenant, name, version, v, sealed, reference, uses, description, created_by, created_at_ms, retired_at_ms)
      VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    params: [
      row.tenant,
      row.name,
      row.version,
      row.sealed,
      row.reference && JSON.stringify(row.reference),
      JSON.stringify(row.uses),
      row.description,
      row.createdBy,
      row.createdAtMs,
      row.retiredAtMs,
    ],
    expect: { rows: 1, guard: "secret-version" },
  };
}

/** Destroys the value of every version; the rows stay, so that journals that name them still mean something. */
export function retireSecret(
  key: { readonly tenant: string; readonly name: string },
  atMs: number,
): Statement {
  return {
    sql: `UPDATE secrets SET sealed = NULL, reference = NULL, retired_at_ms = ?
      WHERE tenant = ? AND name = ? AND retired_at_ms IS NULL`,
    params: [atMs, key.tenant, key.name],
  };
}

/** The same for the versions before `version`, once nothing pins them any more. */
export function retireBefore(
  key: { readonly tenant: string; readonly name: string; readonly version: number },
  atMs: number,
): Statement {
  return {
    sql: `UPDATE secrets SET sealed = NULL, reference = NULL, retired_at_ms = ?
      WHERE tenant = ? AND name = ? AND version < ? AND retired_at_ms IS NULL`,
    params: [atMs, key.tenant, key.name, key.version],
  };
}

export function secretFromStore(row: Row): SecretRow {
  const reference = row["reference"] as string | null;
  return {
    tenant: row["tenant"] as string,
    name: row["name"] as string,
    version: row["version"] as number,
    sealed: row["sealed"] as string | null,
    reference: reference === null ? null : (JSON.parse(reference) as Reference),
    uses: JSON.parse(row["uses"] as string) as SecretUse[],
    description: row["description"] as string | null,
    createdBy: row["created_by"] as string,
    createdAtMs: row["created_at_ms"] as number,
    retiredAtMs: row["retired_at_ms"] as number | null,
  };
}
