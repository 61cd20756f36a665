/** The routes of limits: what is configured, how far all processes have used it, what is held back; and resetting circuit breakers. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { refuseSecret } from "../base/refuse-secret.ts";
import type { HoldsSecret } from "../base/refuse-secret.ts";
import type { VisibleRateLimiter } from "../guards/rate-limit.ts";
import { isOwner } from "../http/access.ts";
import type { Principal } from "../http/access.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { Store } from "../store/store.ts";
import { listLimitProcesses } from "./limit-processes.ts";
import type { LimitProcess, LimitProcessesDeps, ReportingProcess } from "./limit-processes.ts";
import { bucketsInUse } from "./limit-report.ts";
import type { LimitReport } from "./limit-report.ts";
import type { LimitRules } from "./limit-rules.ts";
import { totalsOf } from "./limit-totals.ts";
import { limitsSchema, resetAnswerSchema, resetSchema } from "./limits-schemas.ts";
import type { ConfiguredLimit, LimitsView } from "./limits-schemas.ts";
import { quotaLevels } from "./quotas.ts";
import { resetBreakers } from "./reset-breakers.ts";

export interface LimitsRoutesDeps extends LimitProcessesDeps {
  readonly rules: LimitRules;
  readonly limiter: Pick<VisibleRateLimiter, "sharedLevels">;
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
  /** Writes down a fact for the ledger. Must not throw. */
  readonly record: (type: string, data: JsonObject) => void;
  readonly holdsSecret: HoldsSecret;
}

export function limitsRoutes(deps: LimitsRoutesDeps): readonly Route[] {
  return [getRoute(deps), resetRoute(deps)];
}

function getRoute(deps: LimitsRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/limits",
    operationId: "limits.get",
    summary: "Rates, quotas, places and circuit breakers: what is configured and how far it is used",
    tags: ["status"],
    access: "operator",
    response: limitsSchema,
    description:
      "Totals of all processes that were heard of lately, and what each of them knows; rates in Redis and quotas are common to all. Another tenant than the one that runs the server sees what is counted for it alone, and neither refusals nor circuit breakers.",
    handle: ({ principal }) => viewLimits(deps, principal),
  });
}

function resetRoute(deps: LimitsRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/limits/breakers/reset",
    operationId: "limits.resetBreakers",
    summary: "Forget failures, so that calls go again: of one target or all, in one process or all",
    tags: ["status"],
    access: "operator",
    body: resetSchema,
    response: resetAnswerSchema,
    description:
      "Reaches every process and answers when each has said whose failures it forgot, or after 3 s. Steps that wait for a breaker come again at the time they were told. For the tenant that runs the server.",
    handle: async ({ principal, body: { target, process }, signal }) => {
      requireOwner(principal);
      refuseSecret(deps.holdsSecret, target ?? null, { what: "The target", path: "body.target" });
      const asked = await findProcesses(deps, process);
      const owners = asked.map(({ owner }) => owner);
      const request = {
        target,
        process: process === undefined ? undefined : owners[0],
        askedBy: principal.id,
      };
      deps.record("breaker.reset", { target: target ?? "*", process: process ?? "*", by: principal.id });
      const answers = await resetBreakers(deps, { ...request, processes: owners }, signal);
      return {
        processes: asked.map((each) => ({ ...viewProcess(each), targets: answers.get(each.owner) ?? null })),
      };
    },
  });
}

/** Those that can answer now: the one named, or all. Throws REQUEST_INVALID. */
async function findProcesses(
  { self, listProcesses }: LimitsRoutesDeps,
  wanted: string | undefined,
): Promise<readonly LimitProcess[]> {
  const others = (await listProcesses()).filter(
    ({ owner, state }) => owner !== self.owner && state !== "silent",
  );
  const known = [self, ...others];
  if (wanted === undefined) return known;
  const found = known.filter(({ id }) => id === wanted);
  if (found.length > 0) return found;
  throw new HomeostatError(
    "REQUEST_INVALID",
    `No process ${wanted} is running`,
    { process: wanted },
    {
      hint: "`homeostat limits --json` and GET /v1/limits name the processes.",
    },
  );
}

/** Processes act for all tenants: only those of the tenant that runs the server may change what they do. */
function requireOwner(principal: Principal): void {
  if (isOwner(principal)) return;
  const { tenant } = principal;
  throw new HomeostatError(
    "AUTHORIZATION_DENIED",
    `Circuit breakers are for all tenants; tenant ${tenant} cannot reset them`,
    { tenant },
  );
}

async function viewLimits(deps: LimitsRoutesDeps, principal: Principal): Promise<LimitsView> {
  const { rules, store, clock, limiter } = deps;
  const [processes, shared, quotas] = await Promise.all([
    listLimitProcesses(deps),
    limiter.sharedLevels(),
    quotaLevels(store, clock.now()),
  ]);
  const isSeen = visibleTo(principal, rules);
  const seen = processes.map((each) => ({ ...each, report: reportFor(principal, each.report, isSeen) }));
  const current = seen.filter(({ state }) => state !== "silent").map(({ report }) => report);
  const totals = totalsOf(current, bucketsInUse(shared).filter(isSeen));
  return {
    configured: describeRules(rules),
    buckets: [...totals.buckets],
    quotas: quotas.filter(isSeen).map(({ endsAtMs, ...level }) => ({ ...level, endsAt: iso(endsAtMs) })),
    bulkheads: [...totals.bulkheads],
    refusals: totals.refusals.map(viewRefusal),
    breakers: totals.breakers.map(viewBreaker),
    processes: seen.map(viewReporting),
  };
}

/** Whether a key says that it is the caller's tenant's own; those of `all`, `tool` and `target` tell of everybody's doing. */
function visibleTo(
  principal: Principal,
  { rates, quotas, bulkheads }: LimitRules,
): (level: { readonly key: string }) => boolean {
  if (isOwner(principal)) return () => true;
  const rules = [rates, quotas, bulkheads].flatMap((each) => Object.entries(each));
  const names = rules.filter(([, { of }]) => of === "tenant" || of === "user" || of === "agent");
  const own = ["policy", ...names.map(([name]) => name)].map((name) => `${name}/${principal.tenant}`);
  return ({ key }) => own.some((begin) => key === begin || key.startsWith(`${begin}/`));
}

function reportFor(
  principal: Principal,
  report: LimitReport,
  isSeen: (level: { readonly key: string }) => boolean,
): LimitReport {
  if (isOwner(principal)) return report;
  const { buckets, bulkheads } = report;
  return {
    buckets: buckets.filter(isSeen),
    bulkheads: bulkheads.filter(isSeen),
    refusals: [],
    breakers: [],
    leftOut: 0,
  };
}

function viewProcess({
  id,
  role,
  host,
  pid,
}: LimitProcess): Pick<LimitProcess, "id" | "role" | "host" | "pid"> {
  return { id, role, host, pid };
}

function viewReporting(process: ReportingProcess): LimitsView["processes"][number] {
  const { state, isAnswering, reportedAtMs, report } = process;
  const { buckets, bulkheads, leftOut } = report;
  return {
    ...viewProcess(process),
    ...{ state, isAnswering, leftOut, buckets, bulkheads },
    reportedAt: reportedAtMs === null ? null : iso(reportedAtMs),
    refusals: report.refusals.map(viewRefusal),
    breakers: report.breakers.map(viewBreaker),
  };
}

type Viewed<From, Gone extends keyof From, More> = Omit<From, Gone> & More;

function viewRefusal<Refusal extends { readonly lastAtMs: number }>({
  lastAtMs,
  ...refusal
}: Refusal): Viewed<Refusal, "lastAtMs", { readonly lastAt: string }> {
  return { ...refusal, lastAt: iso(lastAtMs) };
}

function viewBreaker<Breaker extends { readonly openUntilMs: number | null }>({
  openUntilMs,
  ...breaker
}: Breaker): Viewed<Breaker, "openUntilMs", { readonly openUntil: string | null }> {
  return { ...breaker, openUntil: openUntilMs === null ? null : iso(openUntilMs) };
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function describeRules({ rates, quotas, bulkheads }: LimitRules): ConfiguredLimit[] {
  return [
    ...Object.entries(rates).map(([name, { of, action, count, perMs }]) => ({
      ...{ name, of, action, count, per: String(perMs) },
      kind: "rate" as const,
    })),
    ...Object.entries(quotas).map(([name, { of, action, count, window }]) => ({
      ...{ name, of, action, count, per: window },
      kind: "quota" as const,
    })),
    ...Object.entries(bulkheads).map(([name, { of, action, atOnce }]) => ({
      ...{ name, of, action, count: atOnce, per: "at once" },
      kind: "bulkhead" as const,
    })),
  ];
}
