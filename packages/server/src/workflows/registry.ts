/** Registered workflows: texts by name and version in the database, each change on record in the ledger. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { suggestName } from "../base/nearest.ts";
import { factInsert } from "../store/fact.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";

export const workflowsMigration: Migration = {
  id: "0210-workflows",
  statements: () => [
    `CREATE TABLE workflows (
      tenant TEXT NOT NULL,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      digest TEXT NOT NULL,
      text TEXT NOT NULL,
      added_by TEXT NOT NULL,
      added_at_ms BIGINT NOT NULL,
      -- A removed version stays readable: runs that pinned it go on.
      removed_at_ms BIGINT,
      PRIMARY KEY (tenant, name, version)
    )`,
    "CREATE INDEX workflows_digest ON workflows (tenant, name, digest)",
  ],
};

export interface RegisteredWorkflow {
  readonly tenant: string;
  readonly name: string;
  /** 1 for the first; each other text under the same name is the next. */
  readonly version: number;
  readonly digest: string;
  readonly text: string;
  readonly addedBy: string;
  readonly addedAtMs: number;
}

/** Which one: the newest of the name, or exactly the pinned one, removed or not. */
export interface WorkflowQuery {
  readonly name: string;
  readonly digest?: string;
  readonly version?: number;
}

export interface FindWorkflow {
  find(tenant: string, query: WorkflowQuery): Promise<RegisteredWorkflow | undefined>;
}

export interface WorkflowRegistry extends FindWorkflow {
  /** The newest version of each name, by name. */
  list(tenant: string): Promise<readonly RegisteredWorkflow[]>;
  versions(tenant: string, name: string): Promise<readonly RegisteredWorkflow[]>;
  /** The same digest as the newest version changes nothing and gives that one. `extra` joins the batch. */
  add(workflow: NewWorkflow, extra?: readonly Statement[]): Promise<RegisteredWorkflow>;
  /** Takes all versions of the name away from new runs. Throws WORKFLOW_NOT_FOUND. */
  remove(
    workflow: { readonly tenant: string; readonly name: string; readonly by: string },
    extra?: readonly Statement[],
  ): Promise<void>;
  /** Throws WORKFLOW_NOT_FOUND with the nearest name. */
  require(tenant: string, query: WorkflowQuery): Promise<RegisteredWorkflow>;
}

export type NewWorkflow = Pick<RegisteredWorkflow, "tenant" | "name" | "digest" | "text" | "addedBy">;

export function createWorkflowRegistry(deps: {
  readonly store: Store;
  readonly clock: Clock;
}): WorkflowRegistry {
  const { store, clock } = deps;
  const find: WorkflowRegistry["find"] = (tenant, query) => findRegistered(store, tenant, query);
  const require: WorkflowRegistry["require"] = (tenant, query) => requireRegistered(store, tenant, query);
  return {
    find,
    list: (tenant) => listRegistered(store, tenant),
    require,
    async versions(tenant, name) {
      const sql =
        "SELECT * FROM workflows WHERE tenant = ? AND name = ? AND removed_at_ms IS NULL ORDER BY version DESC";
      return (await store.read(sql, [tenant, name])).map(fromStore);
    },
    async add(workflow, extra = []) {
      const { tenant, name, digest } = workflow;
      const newest = await find(tenant, { name });
      // The same text by somebody else is a version of its own: what it triggers runs on their behalf from now on.
      if (newest?.digest === digest && newest.addedBy === workflow.addedBy) {
        if (extra.length > 0) await store.write(extra);
        return newest;
      }
      const sql = "SELECT MAX(version) AS version FROM workflows WHERE tenant = ? AND name = ?";
      const last = (await store.read(sql, [tenant, name]))[0]?.["version"] as number | null | undefined;
      const row: RegisteredWorkflow = { ...workflow, version: (last ?? 0) + 1, addedAtMs: clock.now() };
      await insert(store, row, extra);
      return row;
    },
    async remove({ tenant, name, by }, extra = []) {
      const { version } = await require(tenant, { name });
      const nowMs = clock.now();
      await store.write([
        {
          sql: "UPDATE workflows SET removed_at_ms = ? WHERE tenant = ? AND name = ? AND removed_at_ms IS NULL",
          params: [nowMs, tenant, name],
        },
        proof("workflow.removed", { tenant, name, version, by, atMs: nowMs }),
        ...extra,
      ]);
    },
  };
}

async function findRegistered(store: Store, tenant: string, { name, digest, version }: WorkflowQuery) {
  const [which, params] =
    digest !== undefined
      ? [" AND digest = ?", [digest]]
      : version !== undefined
        ? [" AND version = ?", [version]]
        : [" AND removed_at_ms IS NULL", []];
  const sql = `SELECT * FROM workflows WHERE tenant = ? AND name = ?${which} ORDER BY version DESC LIMIT 1`;
  const [row] = await store.read(sql, [tenant, name, ...params]);
  return row && fromStore(row);
}

async function listRegistered(store: Store, tenant: string) {
  const rows = await store.read(
    `SELECT * FROM workflows AS w WHERE tenant = ? AND removed_at_ms IS NULL AND version =
      (SELECT MAX(version) FROM workflows WHERE tenant = w.tenant AND name = w.name AND removed_at_ms IS NULL)
      ORDER BY name`,
    [tenant],
  );
  return rows.map(fromStore);
}

async function requireRegistered(store: Store, tenant: string, query: WorkflowQuery) {
  const found = await findRegistered(store, tenant, query);
  if (found !== undefined) return found;
  const names = (await listRegistered(store, tenant)).map(({ name }) => name);
  const hint = suggestName(query.name, names);
  const version = query.version === undefined ? "" : ` version ${query.version}`;
  throw new HomeostatError(
    "WORKFLOW_NOT_FOUND",
    `There is no registered workflow ${query.name}${version}`,
    { name: query.name },
    hint === undefined ? {} : { hint },
  );
}

async function insert(store: Store, row: RegisteredWorkflow, extra: readonly Statement[]): Promise<void> {
  const { tenant, name, version, digest, text, addedBy, addedAtMs } = row;
  try {
    await store.write([
      {
        sql: `INSERT INTO workflows (tenant, name, version, digest, text, added_by, added_at_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?)`,
        params: [tenant, name, version, digest, text, addedBy, addedAtMs],
        expect: { rows: 1, guard: "workflow-version" },
      },
      proof("workflow.registered", { tenant, name, version, digest, by: addedBy, atMs: addedAtMs }),
      ...extra,
    ]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT") || error.data["guard"] !== "workflow-version") throw error;
    throw new HomeostatError(
      "WORKFLOW_CONFLICT",
      `Somebody registered ${name} at the same moment`,
      { name },
      { cause: error },
    );
  }
}

interface Change {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  readonly digest?: string;
  readonly by: string;
  readonly atMs: number;
}

function proof(type: string, { tenant, name, version, digest, by, atMs }: Change): Statement {
  const data = { name, version, ...(digest === undefined ? {} : { digest }) };
  return factInsert({ type, tenant, actor: { kind: "user", id: by }, atMs, data });
}

function fromStore(row: Row): RegisteredWorkflow {
  return {
    tenant: row["tenant"] as string,
    name: row["name"] as string,
    version: row["version"] as number,
    digest: row["digest"] as string,
    text: row["text"] as string,
    addedBy: row["added_by"] as string,
    addedAtMs: row["added_at_ms"] as number,
  };
}
