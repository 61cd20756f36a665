/** What the fake server says of queue, schedules, workers, limits, secrets, keys, workflows and versions: fixed facts, typed by the real API. */
import type { Operations, Schedule, WorkflowGraph } from "@homeostat/client/api";
import type { RunSummary } from "../src/api/contract.ts";
import { policy } from "./fake-facts.ts";
import { iso } from "./fake-run.ts";
import { revision } from "./fake-script.ts";
import { workflowText } from "./fake-texts.ts";

type Answer<Id extends keyof Operations> = Operations[Id]["answer"];

const startedMs = Date.now();
const at = (offsetMs: number): string => iso(startedMs + offsetMs);
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export function queueLevels(): Answer<"queue.get"> {
  return {
    lanes: [
      { priority: "high", due: 0, later: 1, held: 1, oldestDueAt: null },
      { priority: "normal", due: 3, later: 4, held: 1, oldestDueAt: at(-4 * minuteMs) },
      { priority: "low", due: 0, later: 0, held: 0, oldestDueAt: null },
    ],
    limits: [
      {
        ...{ scope: "workflow", name: "brand-audit", concurrency: 2, rate: null },
        ...{ held: 2, begun: null, due: 3, isFull: true },
      },
      {
        ...{ scope: "tenant", name: "default", concurrency: null, rate: { count: 100, perMs: hourMs } },
        ...{ held: 2, begun: 12, due: 3, isFull: false },
      },
    ],
    agingMinutes: 10,
  };
}

type LimitProcess = Answer<"limits.get">["processes"][number];

function limitProcess(facts: Partial<LimitProcess> & Pick<LimitProcess, "id">): LimitProcess {
  return {
    ...{ role: "worker", host: "kiln", pid: 4711, state: "running", isAnswering: false, leftOut: 0 },
    ...{ reportedAt: at(-2_000), buckets: [], bulkheads: [], refusals: [], breakers: [], ...facts },
  };
}

const shop = { target: "https://shop.example:443", state: "open", failures: 5 } as const;
const mailHost = { target: "https://mail.example.org:443", state: "counting", failures: 2 } as const;
const browsers = { key: "browsers/browser.open", atOnce: 2, line: 16 } as const;

function limitProcesses(): LimitProcess[] {
  return [
    limitProcess({ id: "wrk_1", role: "gateway", isAnswering: true, reportedAt: at(0) }),
    limitProcess({
      ...{ id: "wrk_2", host: "loom", pid: 812 },
      bulkheads: [{ ...browsers, inUse: 2, waiting: 1, refused: 3 }],
      breakers: [
        { ...shop, openUntil: at(25_000) },
        { ...mailHost, openUntil: null },
      ],
    }),
    limitProcess({
      ...{ id: "wrk_3", host: "loom", pid: 813, leftOut: 4 },
      bulkheads: [{ ...browsers, inUse: 1, waiting: 0, refused: 0 }],
      breakers: [{ ...shop, state: "counting", failures: 3, openUntil: null }],
    }),
    limitProcess({ id: "wrk_4", host: "anvil", pid: 95, state: "silent", reportedAt: at(-50_000) }),
  ];
}

export function limitLevels(): Answer<"limits.get"> {
  return {
    configured: [
      { name: "mail-per-user", kind: "rate", of: "user", action: "message.*", count: 20, per: "3600000" },
      { name: "calls-per-day", kind: "quota", of: "tenant", action: "http.*", count: 1000, per: "day" },
      { name: "browsers", kind: "bulkhead", of: "tool", action: "browser.*", count: 2, per: "at once" },
    ],
    buckets: [
      { key: "mail-per-user/default/ada", left: 0.4, count: 20, perMs: hourMs, processes: null },
      {
        key: "policy/default/workflow:brand-audit/http.get/5/1000",
        left: 4,
        count: 10,
        perMs: 1_000,
        processes: 2,
      },
    ],
    quotas: [{ key: "calls-per-day/default", used: 412, count: 1000, endsAt: at(9 * hourMs) }],
    bulkheads: [{ ...browsers, atOnce: 4, line: 32, inUse: 3, waiting: 1, refused: 3, processes: 2 }],
    refusals: [
      { kind: "rate", limit: "mail-per-user", count: 7, lastAt: at(-20_000) },
      { kind: "bulkhead", limit: "browsers", count: 3, lastAt: at(-3 * minuteMs) },
    ],
    breakers: [
      { ...shop, openUntil: at(25_000), processes: 2 },
      { ...mailHost, openUntil: null, processes: 1 },
    ],
    processes: limitProcesses(),
  };
}

export function workers(): Answer<"workers.list"> {
  const shared = {
    ...{
      state: "running" as const,
      version: "0.1.0",
      languages: ["bash", "javascript", "python"],
      roots: ["brand"],
    },
    ...{ isolation: "standard", concurrency: 4, active: 2, policyRevision: revision },
    ...{ startedAt: at(-3 * hourMs), seenAt: at(-2_000) },
  };
  return {
    data: [
      { ...shared, id: "wrk_1", role: "all", host: "kiln", pid: 4711, url: "http://127.0.0.1:7717" },
      {
        ...shared,
        ...{
          id: "wrk_2",
          role: "worker" as const,
          state: "silent" as const,
          host: "loom",
          pid: 812,
          active: 0,
        },
        ...{ url: "http://10.0.0.7:40111", seenAt: at(-50_000) },
      },
    ],
    nextCursor: null,
    unmet: [{ need: "language:ruby", runs: 1 }],
  };
}

function schedule(name: string, facts: Partial<Schedule>): Schedule {
  return {
    ...{ id: `sch_${name}`, name, cron: null, timezone: null, every: null, source: "registered" },
    ...{ workflowName: "brand-audit", inputs: {}, priority: "normal", labels: [], missed: "once" },
    ...{ missedCap: 24, overlap: "allow", paused: false, createdBy: "admin", createdAt: at(-9 * dayMs) },
    ...{ updatedAt: at(-9 * dayMs), nextAt: at(2 * hourMs), waitingAt: null, lastAt: null, lastRunId: null },
    ...{ lastError: null, passed: 0, ...facts },
  };
}

export const schedules: readonly Schedule[] = [
  schedule("morning", { cron: "30 7 * * 1-5", timezone: "America/New_York", inputs: { folder: "assets" } }),
  schedule("each-quarter", { every: "15m", paused: true, nextAt: null }),
  schedule("nightly/audit", {
    ...{ cron: "0 2 * * *", timezone: "Europe/Berlin", source: "trigger" },
    lastError: { code: "WORKFLOW_INPUT_INVALID", message: "folder must be given", at: at(-hourMs) },
  }),
];

export function scheduleDetail(name: string): Answer<"schedules.get"> | undefined {
  const found = schedules.find((each) => each.name === name);
  if (found === undefined) return undefined;
  const upcoming = found.paused ? [] : [2, 26, 50, 74, 98].map((hours) => at(hours * hourMs));
  return { ...found, upcoming, workflowText };
}

export function deadLetters(runs: readonly RunSummary[]): Answer<"deadLetters.list"> {
  const data = runs.filter(({ state }) => state === "DEAD");
  const groups = data.map(({ workflow, error }) => ({
    workflow: workflow.name,
    code: error?.code ?? null,
    count: 1,
  }));
  return { data, groups, nextCursor: null } as Answer<"deadLetters.list">;
}

export function deadLetter(run: RunSummary): Answer<"deadLetters.get"> {
  const entry = { seq: run.headSeq, kind: "run.died", step: run.error?.step ?? null, attempt: run.attempts };
  return { run, history: [{ ...entry, at: run.endedAt ?? at(0), error: run.error }] };
}

export const secrets: Answer<"secrets.list"> = {
  data: [
    {
      ...{ name: "shop-token", handle: "secret://shop-token", version: 2, source: "store" },
      uses: [{ action: "http.*", resource: "https://shop.example:443/**" }],
      ...{ description: "Token of the shop's API", createdBy: "admin", createdAt: at(-dayMs) },
    },
  ],
};

export const apiKeys: Answer<"keys.list"> = {
  data: ["ada", "ben"].map((principal, index) => ({
    ...{ id: `key_${principal}`, principal, role: index === 0 ? "approver" : "operator" },
    ...{
      tenant: "default",
      createdBy: "admin",
      createdAt: at(-dayMs),
      expiresAt: index === 0 ? null : at(3 * dayMs),
    },
  })),
} as Answer<"keys.list">;

const registered = {
  ...{ name: "brand-audit", version: 2, digest: "b".repeat(64), addedBy: "admin", addedAt: at(-dayMs) },
  description: "Looks at every brand asset and asks before it deletes what is stale.",
  triggers: [{ kind: "cron", name: "nightly", detail: "0 2 * * * (Europe/Berlin)" }],
} as const;

export const workflows: Answer<"workflows.list"> = { data: [registered] } as Answer<"workflows.list">;

export function workflowDetail(): Answer<"workflows.get"> {
  const versions = [2, 1].map((version) => ({
    ...{ version, digest: "b".repeat(64), addedAt: at(-version * dayMs) },
  }));
  return { ...registered, workflowText, versions, hooks: [] } as Answer<"workflows.get">;
}

/** Steps of the first level, one below the other. */
export function graphOf(
  name: string,
  steps: readonly { path: string; state: string | null }[],
): WorkflowGraph {
  const size = { nodeWidth: 190, nodeHeight: 52, width: 206, height: 106 * (steps.length + 2) };
  const ids = ["start", ...steps.map(({ path }) => path), "end"];
  const nodes = ids.map((id, index) => ({
    ...{ id, kind: id === "start" || id === "end" ? id : "tool", label: id === "start" ? name : id },
    ...{ detail: null, state: steps[index - 1]?.state ?? null, times: null, x: 8, y: 106 * index },
  }));
  const edges = ids.slice(1).map((to, index) => ({
    ...{ from: ids[index] ?? "start", to, label: null, kind: "next" },
    points: [
      [103, 106 * index + 52],
      [103, 106 * (index + 1)],
    ],
  }));
  return { name, nodes, edges, size, boxes: [], mermaid: "", svg: "" } as WorkflowGraph;
}

export const policyVersions: Answer<"policy.versions"> = {
  data: [
    {
      ...{ number: 2, revision, at: at(-hourMs), by: "ada", note: "Deleting asks", isActive: true },
      rules: policy.rules.length,
    },
    {
      ...{ number: 1, revision: "a".repeat(64), at: at(-9 * dayMs), by: null, note: null, isActive: false },
      rules: policy.rules.length - 1,
    },
  ],
  nextCursor: null,
} as Answer<"policy.versions">;

export const delegations: Answer<"delegations.list"> = {
  data: [{ id: "dlg_1", from: "admin", to: "zoe", createdAt: at(-dayMs), until: at(13 * dayMs) }],
};

export const standingApprovals: Answer<"standingApprovals.list"> = {
  data: [
    {
      ...{ id: "sta_1", action: "file_ops.write", resource: "workspace/report.md", match: "exact" },
      ...{ scope: "workflow", scopeId: "brand-audit", approvalId: "apr_1", createdBy: "admin" },
      ...{ createdAt: at(-hourMs), expiresAt: at(7 * hourMs), voidBecause: null },
    },
    {
      ...{ id: "sta_2", action: "file_ops.move", resource: "workspace/stale", match: "resource" },
      ...{ scope: "tenant", scopeId: "", approvalId: "apr_2", createdBy: "cyd" },
      ...{ createdAt: at(-dayMs), expiresAt: at(6 * dayMs) },
      voidBecause: "cyd may not use this server any more",
    },
  ],
};
