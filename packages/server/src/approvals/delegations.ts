/** Delegations: for a time somebody else may answer what I may answer. */
import { HomeostatError } from "../base/error.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";

export const delegationsMigration: Migration = {
  id: "0350-delegations",
  statements: () => [
    `CREATE TABLE delegations (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      from_principal TEXT NOT NULL,
      to_principal TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      until_ms BIGINT NOT NULL,
      revoked_at_ms BIGINT
    )`,
    "CREATE INDEX delegations_to ON delegations (tenant, to_principal)",
  ],
};

export interface Delegation {
  readonly id: string;
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly createdAtMs: number;
  readonly untilMs: number;
}

/** Longer than a long leave it would be a role. */
const longestMs = 92 * 24 * 3_600_000;

/** Throws REQUEST_INVALID: to oneself, in the past, or for too long. */
export function insertDelegation(delegation: Delegation): Statement {
  const { from, to, createdAtMs, untilMs } = delegation;
  const problem =
    from === to
      ? "to yourself"
      : untilMs <= createdAtMs
        ? "until a time that is over"
        : untilMs - createdAtMs > longestMs
          ? "for more than 92 days"
          : undefined;
  if (problem !== undefined)
    throw new HomeostatError("REQUEST_INVALID", `Answers cannot be delegated ${problem}`, { to });
  return {
    sql: `INSERT INTO delegations (id, v, tenant, from_principal, to_principal, created_at_ms, until_ms)
      VALUES (?, 1, ?, ?, ?, ?, ?)`,
    params: [delegation.id, delegation.tenant, from, to, createdAtMs, untilMs],
  };
}

/** Ends one of one's own, or anybody's for an admin. The guard `delegation` fails when there is none. */
export function revokeDelegation(
  key: { readonly id: string; readonly tenant: string; readonly from: string | null },
  atMs: number,
): Statement {
  return {
    sql: `UPDATE delegations SET revoked_at_ms = ? WHERE id = ? AND tenant = ? AND revoked_at_ms IS NULL
      AND (from_principal = ? OR ? = 1)`,
    params: [atMs, key.id, key.tenant, key.from, key.from === null ? 1 : 0],
    expect: { rows: 1, guard: "delegation" },
  };
}

/** Delegations in force in a tenant; with `to`, those to this person. Rights are not handed on a second time. */
export async function listDelegations(
  store: Pick<Store, "read">,
  tenant: string,
  { to, nowMs }: { readonly to?: string; readonly nowMs: number },
): Promise<readonly Delegation[]> {
  const rows = await store.read(
    `SELECT * FROM delegations WHERE tenant = ? AND revoked_at_ms IS NULL AND until_ms > ? AND (to_principal = ? OR ? = 1)
      ORDER BY created_at_ms, id`,
    [tenant, nowMs, to ?? null, to === undefined ? 1 : 0],
  );
  return rows.map(delegationFromStore);
}

function delegationFromStore(row: Row): Delegation {
  return {
    id: row["id"] as string,
    tenant: row["tenant"] as string,
    from: row["from_principal"] as string,
    to: row["to_principal"] as string,
    createdAtMs: row["created_at_ms"] as number,
    untilMs: row["until_ms"] as number,
  };
}
