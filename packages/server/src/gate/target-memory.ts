/** Which targets (recipients, payees, hosts ...) each agent has used with each tool before, per tenant; only digests are kept. */
import type { JsonObject } from "../base/canonical-json.ts";
import { digestJson } from "../base/digest.ts";
import { targetRoles } from "../policy/rules/argument-origin.ts";
import type { Migration, Statement, Store } from "../store/store.ts";
import { leavesOf } from "./labels-roles.ts";
import type { ArgumentRoles } from "./labels-roles.ts";
import { normalise } from "./labels-text.ts";

export const targetMemoryMigration: Migration = {
  id: "0230-known-targets",
  statements: () => [
    `CREATE TABLE known_targets (
      tenant TEXT NOT NULL,
      agent TEXT NOT NULL,
      tool TEXT NOT NULL,
      target TEXT NOT NULL,
      first_at_ms BIGINT NOT NULL,
      PRIMARY KEY (tenant, agent, tool, target)
    )`,
  ],
};

/** Whose memory, and of which tool. */
export interface TargetOwner {
  readonly tenant: string;
  /** `workflow:brand-audit` or an agent's id. */
  readonly agent: string;
  readonly tool: string;
}

export interface TargetMemory {
  /** How many of the targets this agent has never used with this tool. */
  countNew(owner: TargetOwner, targets: readonly string[]): Promise<number>;
  /** To be written in the batch that records the action's success. */
  remember(owner: TargetOwner, targets: readonly string[], atMs: number): readonly Statement[];
}

/** At most so many targets of one action are looked up. */
const maxTargets = 64;

/** Digests of the targets among the arguments, each once. */
export function targetsOf(args: JsonObject, roles: ArgumentRoles | undefined): readonly string[] {
  const targets = leavesOf(args, roles)
    .filter(({ role, value }) => targetRoles.has(role) && value !== null && value !== "")
    .map(({ role, value }) => digestJson([role, normalise(String(value))]));
  return [...new Set(targets)].slice(0, maxTargets);
}

export function createTargetMemory({ store }: { readonly store: Pick<Store, "read"> }): TargetMemory {
  return {
    async countNew({ tenant, agent, tool }, targets) {
      if (targets.length === 0) return 0;
      const marks = targets.map(() => "?").join(", ");
      const sql = `SELECT target FROM known_targets WHERE tenant = ? AND agent = ? AND tool = ? AND target IN (${marks})`;
      return targets.length - (await store.read(sql, [tenant, agent, tool, ...targets])).length;
    },
    remember({ tenant, agent, tool }, targets, atMs) {
      return targets.map((target) => ({
        sql: `INSERT INTO known_targets (tenant, agent, tool, target, first_at_ms) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (tenant, agent, tool, target) DO NOTHING`,
        params: [tenant, agent, tool, target, atMs],
      }));
    },
  };
}
