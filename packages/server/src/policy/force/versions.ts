/** Every policy that was in force, with who put it there and when: rows that are only added. */
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { factInsert } from "../../store/fact.ts";
import type { Migration, Row, Store } from "../../store/store.ts";
import type { PolicyText } from "../file/policy-file.ts";

export const policyVersionsMigration: Migration = {
  id: "0410-policy-versions",
  statements: () => [
    `CREATE TABLE policy_versions (
      number INTEGER PRIMARY KEY,
      revision TEXT NOT NULL,
      files TEXT NOT NULL,
      rules INTEGER NOT NULL,
      -- Who activated it over the API; NULL when files were changed.
      activated_by TEXT,
      note TEXT,
      activated_at_ms BIGINT NOT NULL
    )`,
  ],
};

export interface PolicyVersion {
  /** 1 for the first. */
  readonly number: number;
  readonly revision: string;
  readonly rules: number;
  /** Null: the files were changed. */
  readonly by: string | null;
  readonly note: string | null;
  readonly atMs: number;
}

export type NewVersion = Omit<PolicyVersion, "number"> & { readonly files: readonly PolicyText[] };

export interface PolicyVersions {
  /** With its files, when its number is above `after`; undefined when there is none. */
  newest(after: number): Promise<(PolicyVersion & { readonly files: readonly PolicyText[] }) | undefined>;
  /** Whether a policy of this content was ever in force. */
  has(revision: string): Promise<boolean>;
  /** Makes it the newest version, whose number is given back. Throws POLICY_CONFLICT when the newest is not `expected`. */
  activate(version: NewVersion, expected: string): Promise<number>;
  /** A policy that is the newest version already is not kept again: several processes may tell of the same. */
  add(version: NewVersion): Promise<void>;
  /** Newest first; those before `before`, if given. */
  list(page: { readonly limit: number; readonly before: number | null }): Promise<readonly PolicyVersion[]>;
  /** policy.yaml first. Throws POLICY_NOT_FOUND. */
  files(number: number): Promise<readonly PolicyText[]>;
}

/** `activated` facts go into the ledger in the same batch. */
export function createPolicyVersions(store: Pick<Store, "read" | "write">): PolicyVersions {
  return {
    async newest(after) {
      // Asked every second: the texts are read only when there is something new.
      const [row] = await store.read(
        "SELECT * FROM policy_versions WHERE number > ? ORDER BY number DESC LIMIT 1",
        [after],
      );
      return row === undefined ? undefined : { ...versionOf(row), files: filesOf(row) };
    },
    async has(revision) {
      const rows = await store.read("SELECT number FROM policy_versions WHERE revision = ? LIMIT 1", [
        revision,
      ]);
      return rows.length > 0;
    },
    async activate(version, expected) {
      const [latest] = await store.read(`${selectVersions} ORDER BY number DESC LIMIT 1`);
      const newest = latest === undefined ? expected : String(latest["revision"]);
      if (newest !== expected) throw policyConflict(expected, newest);
      const number = Number(latest?.["number"] ?? 0) + 1;
      try {
        await store.write(insertVersion(version, number));
        return number;
      } catch (error) {
        if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
        throw policyConflict(expected, "another that was activated at the same moment");
      }
    },
    async add(version) {
      for (;;) {
        const [latest] = await store.read(`${selectVersions} ORDER BY number DESC LIMIT 1`);
        if (latest?.["revision"] === version.revision) return;
        try {
          await store.write(insertVersion(version, Number(latest?.["number"] ?? 0) + 1));
          return;
        } catch (error) {
          // Another process took the number: what it kept is looked at anew.
          if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
        }
      }
    },
    async list({ limit, before }) {
      const [where, params] = before === null ? ["", []] : ["WHERE number < ?", [before]];
      const rows = await store.read(`${selectVersions} ${where} ORDER BY number DESC LIMIT ?`, [
        ...params,
        limit,
      ]);
      return rows.map(versionOf);
    },
    async files(number) {
      const [row] = await store.read("SELECT files FROM policy_versions WHERE number = ?", [number]);
      if (row !== undefined) return filesOf(row);
      throw new HomeostatError("POLICY_NOT_FOUND", `There is no version ${number} of the policy`, { number });
    },
  };
}

export function policyConflict(expected: string, revision: string): HomeostatError {
  const message = `The policy in force is ${revision}, not ${expected}: somebody has changed it meanwhile`;
  return new HomeostatError("POLICY_CONFLICT", message, { revision, expected });
}

function filesOf(row: Row): readonly PolicyText[] {
  return JSON.parse(String(row["files"])) as PolicyText[];
}

const selectVersions =
  "SELECT number, revision, rules, activated_by, note, activated_at_ms FROM policy_versions";

function insertVersion({ revision, files, rules, by, note, atMs }: NewVersion, number: number) {
  const fact = factInsert({
    type: "policy.activated",
    tenant: "default",
    actor: by === null ? { kind: "system", id: "files" } : { kind: "user", id: by },
    atMs,
    data: { revision, rules, version: number },
    reason: note,
  });
  const insert = {
    sql: `INSERT INTO policy_versions (number, revision, files, rules, activated_by, note, activated_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    params: [number, revision, JSON.stringify(files), rules, by, note, atMs],
  };
  return [insert, fact];
}

function versionOf(row: Row): PolicyVersion {
  return {
    number: Number(row["number"]),
    revision: String(row["revision"]),
    rules: Number(row["rules"]),
    by: row["activated_by"] as string | null,
    note: row["note"] as string | null,
    atMs: Number(row["activated_at_ms"]),
  };
}
