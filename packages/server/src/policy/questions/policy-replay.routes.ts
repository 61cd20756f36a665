/** Routes that put a candidate policy to real actions: those of the past (dry run), and those that come (shadow). */
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { parseDuration } from "../../base/duration.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { SseStream } from "../../http/sse.ts";
import type { ActivePolicy } from "../force/active-policy.ts";
import { compilePolicy } from "../rules/compile.ts";
import { createDryRun } from "./dry-run.ts";
import type { ChangedAction, DryRun } from "./dry-run.ts";
import { parsePolicyFiles, requireGood } from "../file/policy-file.ts";
import { candidateFields, candidateFiles, requireOwner } from "../force/policy-schemas.ts";
import type { RecordedAction } from "../rules/recorded-action.ts";
import type { Shadow } from "../force/shadow.ts";
import type { PolicyVersions } from "../force/versions.ts";

/** What the journals hold; `sinceMs` is milliseconds since 1970. */
export interface RecordedActions {
  countRuns(query: { readonly tenant: string; readonly sinceMs: number }): Promise<number>;
  readRuns(query: { readonly tenant: string; readonly sinceMs: number }): AsyncIterable<{
    readonly actions: readonly RecordedAction[];
    readonly isErased: boolean;
  }>;
}

export interface PolicyReplayDeps {
  readonly policy: Pick<ActivePolicy, "current" | "source">;
  readonly versions: Pick<PolicyVersions, "files">;
  readonly recorded: RecordedActions;
  readonly shadow: Pick<Shadow, "set" | "clear" | "report">;
  readonly clock: Clock;
}

const effect = z.enum(["allow", "ask", "deny"]);
const sampleSchema = z.object({
  at: z.string(),
  action: z.string(),
  resource: z.string(),
  agent: z.string(),
  from: effect,
  to: effect,
  reason: z.string(),
});
const shadowSchema = z
  .object({
    shadow: z
      .object({
        revision: z.string(),
        by: z.string(),
        setAt: z.string(),
        rules: z.number().int(),
        same: z.number().int().meta({ description: "Decisions both policies agreed on" }),
        changes: z.array(
          z.object({ from: effect, to: effect, count: z.number().int(), samples: z.array(sampleSchema) }),
        ),
      })
      .nullable(),
  })
  .meta({ id: "PolicyShadow" });

const common = { tags: ["policy"], bodyLimitBytes: 8 * 1_048_576 } as const;

export function policyReplayRoutes(deps: PolicyReplayDeps): readonly Route[] {
  return [dryRunRoute(deps), ...shadowRoutes(deps)];
}

function dryRunRoute(deps: PolicyReplayDeps): Route {
  const { policy, versions, clock } = deps;
  return route({
    ...common,
    method: "POST",
    path: "/v1/policy/dry-run",
    operationId: "policy.dryRun",
    summary: "Decide recorded actions again under a candidate policy",
    description:
      "Events: `progress` {runs, runsTotal, actions, changed}, `change` for each action whose effect differs (at most 1,000), `report` with groups and hits of every rule, `end`. Nothing is changed.",
    access: "operator",
    body: z.strictObject({
      ...candidateFields,
      version: z.number().int().min(1).optional(),
      since: z
        .string()
        .max(40)
        .default("30d")
        .meta({ description: "A duration before now, or an ISO 8601 time" }),
      against: z.enum(["recorded", "active"]).default("recorded").meta({
        description: "Compare with what was decided then, or with what the policy in force says now",
      }),
      examples: z.number().int().min(0).max(100).default(5),
    }),
    response: "sse",
    handle: async ({ body, principal: { tenant } }, stream) => {
      const sinceMs = sinceOf(body.since, clock.now());
      const files =
        body.version === undefined
          ? candidateFiles(body, policy.source().files)
          : await versions.files(body.version);
      const candidate = compilePolicy(requireGood(parsePolicyFiles(files)));
      const baseline = body.against === "active" ? policy.current() : undefined;
      const dryRun = createDryRun(candidate, { baseline, examples: body.examples });
      await replay({ ...deps, dryRun, query: { tenant, sinceMs } }, stream);
    },
  });
}

/** More changes are counted and not sent: nobody reads them one by one. */
const mostChangesSent = 1_000;
const progressEveryMs = 250;

async function replay(
  {
    recorded,
    dryRun,
    query,
    clock,
  }: PolicyReplayDeps & {
    readonly dryRun: DryRun;
    readonly query: { readonly tenant: string; readonly sinceMs: number };
  },
  stream: SseStream,
): Promise<void> {
  const runsTotal = await recorded.countRuns(query);
  stream.open();
  const tally = { runs: 0, sent: 0, toldAtMs: clock.monotonic() };
  const tell = (): void => {
    const { actions, changed } = dryRun.counts();
    stream.send({ event: "progress", data: { runs: tally.runs, runsTotal, actions, changed } });
  };
  tell();
  for await (const run of recorded.readRuns(query)) {
    if (stream.signal.aborted) return;
    tally.runs += 1;
    if (run.isErased) dryRun.skipErased();
    for (const action of run.actions) {
      const change = dryRun.take(action);
      if (change === undefined || (tally.sent += 1) > mostChangesSent) continue;
      stream.send({ event: "change", data: viewChange(change) });
    }
    if (clock.monotonic() - tally.toldAtMs < progressEveryMs) continue;
    tally.toldAtMs = clock.monotonic();
    tell();
    await stream.drained();
  }
  tell();
  const { groups, ...report } = dryRun.report();
  const shown = groups.map((group) => ({ ...group, examples: group.examples.map(viewChange) }));
  stream.send({ event: "report", data: { ...report, groups: shown } });
  stream.send({ event: "end", data: {} });
  await stream.drained();
}

function viewChange({ atMs, ...change }: ChangedAction): object {
  return { ...change, at: new Date(atMs).toISOString() };
}

function sinceOf(since: string, nowMs: number): number {
  const durationMs = parseDuration(since);
  if (durationMs !== undefined) return nowMs - durationMs;
  const atMs = Date.parse(since);
  if (!Number.isNaN(atMs)) return atMs;
  const hint = "For example 30d, 12h, or 2026-01-31T00:00:00Z.";
  throw new HomeostatError(
    "REQUEST_INVALID",
    `\`since\` ${JSON.stringify(since)} is no duration and no time`,
    {},
    { hint },
  );
}

function shadowRoutes({ policy, versions, shadow }: PolicyReplayDeps): readonly Route[] {
  const view = (): Promise<z.input<typeof shadowSchema>> => viewShadow(shadow);
  return [
    route({
      ...common,
      method: "GET",
      path: "/v1/policy/shadow",
      operationId: "policy.shadow",
      summary: "The shadow policy and where it would decide otherwise",
      access: "viewer",
      response: shadowSchema,
      handle: async ({ principal }) => {
        requireOwner(principal);
        return await view();
      },
    }),
    route({
      ...common,
      method: "POST",
      path: "/v1/policy/shadow",
      operationId: "policy.setShadow",
      summary: "Run a candidate beside the policy in force; it decides nothing",
      access: "admin",
      body: z.strictObject({ ...candidateFields, version: z.number().int().min(1).optional() }),
      response: shadowSchema,
      handle: async ({ body, principal }) => {
        requireOwner(principal);
        const files =
          body.version === undefined
            ? candidateFiles(body, policy.source().files)
            : await versions.files(body.version);
        await shadow.set(files, principal.id);
        return await view();
      },
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/v1/policy/shadow",
      operationId: "policy.clearShadow",
      summary: "Take the shadow policy away, with its counts",
      access: "admin",
      response: "none",
      handle: async ({ principal }) => {
        requireOwner(principal);
        await shadow.clear();
      },
    }),
  ];
}

async function viewShadow(shadow: PolicyReplayDeps["shadow"]): Promise<z.input<typeof shadowSchema>> {
  const report = await shadow.report();
  if (report === null) return { shadow: null };
  const { setAtMs, changes, ...rest } = report;
  return {
    shadow: {
      ...rest,
      setAt: new Date(setAtMs).toISOString(),
      changes: changes.map((change) => ({
        ...change,
        samples: change.samples.map(({ atMs, ...sample }) => ({
          ...sample,
          at: new Date(atMs).toISOString(),
        })),
      })),
    },
  };
}
