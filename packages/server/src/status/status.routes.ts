/** Routes that tell how the runtime is: its parts, sandbox, queue, ledger and policy, its tools and its configuration. */
import { z } from "zod";
import { isOwner } from "../http/access.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { taskStates } from "../queue/task.ts";
import type { TaskState } from "../queue/task.ts";
import type { SandboxReport } from "../sandbox/sandbox.ts";
import type { TreeNode } from "../supervision/part.ts";
import { partsOf } from "../supervision/tree-changes.ts";
import { treeSchema, viewTree } from "./tree-view.ts";

export interface ConfigEntry {
  readonly key: string;
  /** Secrets masked. */
  readonly value: unknown;
  readonly origin: string;
  readonly description: string;
  readonly env: string;
}

export interface ToolEntry {
  readonly name: string;
  readonly description: string;
  readonly effect: string;
  readonly risk: string;
  readonly files: "none" | "reads" | "writes";
  readonly defaultTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly schema: object;
  readonly argumentRoles: Readonly<Record<string, string>>;
}

export interface StatusDeps {
  readonly version: string;
  readonly home: string;
  readonly startedAtMs: number;
  readonly now: () => number;
  /** The supervision tree as it is now. */
  readonly tree: () => TreeNode;
  readonly sandbox: () => SandboxReport;
  readonly counts: (tenant?: string) => Promise<Readonly<Record<TaskState, number>>>;
  readonly ledger: () => Promise<LedgerSummary>;
  readonly policy: () => { readonly revision: string; readonly rules: number };
  readonly config: () => readonly ConfigEntry[];
  readonly tools: () => readonly ToolEntry[];
}

export interface LedgerSummary {
  readonly size: number;
  readonly root: string;
  readonly pending: number;
  readonly witnessedTo: number | null;
  readonly lastCheckpointAt: string | null;
}

const healthSchema = z.object({ kind: z.enum(["ok", "degraded", "failed"]), detail: z.string().optional() });
const isolation = z.enum(["full", "standard", "none"]);
const tier = z.enum(["bubblewrap", "quickjs"]);

const sandboxSchema = z.object({
  level: isolation,
  tiers: z.array(tier),
  cgroup: z.enum(["v1", "v2", "none"]),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  remedy: z.string().optional(),
  languages: z.array(
    z.object({
      id: z.string(),
      available: z.boolean(),
      version: z.string().optional(),
      tiers: z.array(tier),
    }),
  ),
});

const statusSchema = z.object({
  version: z.string(),
  startedAt: z.string(),
  uptimeMs: z.number(),
  home: z.string(),
  parts: z.array(z.object({ name: z.string(), health: healthSchema })),
  tree: treeSchema,
  sandbox: sandboxSchema,
  queue: z.object({ counts: z.record(z.enum(taskStates), z.number().int()) }),
  ledger: z.object({
    size: z.number().int(),
    root: z.string(),
    pending: z.number().int(),
    witnessedTo: z.number().int().nullable(),
    lastCheckpointAt: z.string().nullable(),
  }),
  policy: z.object({ revision: z.string(), rules: z.number().int() }),
});

const toolsSchema = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      effect: z.string(),
      risk: z.string(),
      files: z
        .enum(["none", "reads", "writes"])
        .describe("What it does to the run's files; steps that may write act one after the other"),
      defaultTimeoutMs: z.number(),
      maxTimeoutMs: z.number(),
      schema: z.record(z.string(), z.unknown()),
      argumentRoles: z
        .record(z.string(), z.string())
        .describe(
          "What arguments are for (path, host, body ...), by name at any depth: rules on data flow go by these; others are inferred",
        ),
    }),
  ),
});

const configSchema = z.object({
  data: z.array(
    z.object({
      key: z.string(),
      value: z.unknown(),
      origin: z.string(),
      description: z.string(),
      env: z.string(),
    }),
  ),
});

export function statusRoutes(deps: StatusDeps): readonly Route[] {
  const common = { method: "GET", tags: ["status"], access: "viewer" } as const;
  return [
    route({
      ...common,
      path: "/v1/status",
      operationId: "status.get",
      summary: "How every part of the runtime is",
      response: statusSchema,
      description:
        "Another tenant than the one that runs the server sees its own counts, and neither the parts below the whole nor the data folder.",
      handle: async ({ principal }) => ({
        version: deps.version,
        startedAt: new Date(deps.startedAtMs).toISOString(),
        uptimeMs: Math.round(deps.now() - deps.startedAtMs),
        ...placesFor(isOwner(principal), deps),
        sandbox: deps.sandbox(),
        queue: { counts: await deps.counts(isOwner(principal) ? undefined : principal.tenant) },
        ledger: await deps.ledger(),
        policy: deps.policy(),
      }),
    }),
    route({
      ...common,
      path: "/v1/tools",
      operationId: "tools.list",
      summary: "The tools actions may use, with the schema of their arguments",
      response: toolsSchema,
      handle: () => ({
        data: deps
          .tools()
          .map((tool) => ({ ...tool, schema: { ...tool.schema }, argumentRoles: { ...tool.argumentRoles } })),
      }),
    }),
    route({
      ...common,
      path: "/v1/config",
      operationId: "config.get",
      summary: "The effective configuration, with where each value comes from; secrets are masked",
      access: "admin",
      response: configSchema,
      handle: () => ({ data: deps.config() }),
    }),
  ];
}

/** Names of runs, faults' texts and paths are of all tenants. */
function placesFor(owns: boolean, { home, tree }: Pick<StatusDeps, "home" | "tree">) {
  const whole = tree();
  if (!owns) return { home: "", parts: [], tree: viewTree({ ...whole, lastError: null, children: [] }) };
  return {
    home,
    parts: partsOf(whole).map(({ name, health }) => ({ name, health })),
    tree: viewTree(whole),
  };
}
