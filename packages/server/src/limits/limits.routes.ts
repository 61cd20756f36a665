/** The route that shows limits: what is configured, how far each is used, and what is held back now. */
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Bulkhead } from "../guards/bulkhead.ts";
import type { CircuitBreaker } from "../guards/circuit-breaker.ts";
import type { BucketLevel, RateLimiter } from "../guards/rate-limit.ts";
import { isOwner } from "../http/access.ts";
import type { Principal } from "../http/access.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { Store } from "../store/store.ts";
import { limitSubjects } from "./limit-rules.ts";
import type { LimitRules } from "./limit-rules.ts";
import { quotaLevels } from "./quotas.ts";
import type { RefusalCount } from "./refusals.ts";

export interface LimitsRoutesDeps {
  readonly rules: LimitRules;
  /** Levels are this process's own; behind Redis they are not known here. */
  readonly limiter: RateLimiter & { readonly levels?: () => readonly BucketLevel[] };
  readonly bulkhead: Bulkhead;
  readonly breaker: CircuitBreaker;
  readonly refusals: Pick<RefusalCount, "all">;
  readonly store: Store;
  readonly clock: Clock;
}

const configured = z.object({
  name: z.string(),
  kind: z.enum(["rate", "quota", "bulkhead"]),
  of: z.enum(limitSubjects),
  action: z.string(),
  count: z.number().int(),
  per: z.string().describe("A time in milliseconds, `day`, `month`, or `at once`"),
});

const limitsSchema = z
  .object({
    configured: z.array(configured),
    buckets: z
      .array(z.object({ key: z.string(), left: z.number(), count: z.number().int(), perMs: z.number() }))
      .describe("Used lately, in this process"),
    quotas: z.array(
      z.object({ key: z.string(), used: z.number().int(), count: z.number().int(), endsAt: z.string() }),
    ),
    bulkheads: z.array(
      z.object({
        key: z.string(),
        inUse: z.number().int(),
        atOnce: z.number().int(),
        waiting: z.number().int(),
        line: z.number().int().describe("How many may wait"),
        refused: z.number().int(),
      }),
    ),
    refusals: z
      .array(
        z.object({
          kind: z.enum(["rate", "quota", "bulkhead"]),
          limit: z.string(),
          count: z.number().int(),
          lastAt: z.string(),
        }),
      )
      .describe("What was held back since this process started, the latest first"),
    breakers: z.array(
      z.object({
        target: z.string(),
        state: z.enum(["counting", "open", "probing"]),
        failures: z.number().int(),
        openUntil: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "Limits" });

export function limitsRoutes(deps: LimitsRoutesDeps): readonly Route[] {
  const { limiter, bulkhead, breaker, store, clock } = deps;
  return [
    route({
      method: "GET",
      path: "/v1/limits",
      operationId: "limits.get",
      summary: "Rates, quotas, places and circuit breakers: what is configured and how far it is used",
      tags: ["status"],
      access: "operator",
      response: limitsSchema,
      description:
        "Another tenant than the one that runs the server sees what is counted for it alone, and neither refusals nor circuit breakers.",
      handle: async ({ principal }) => ({
        configured: describeRules(deps.rules),
        buckets: visible(principal, deps.rules, limiter.levels?.() ?? []).map(({ key, tokens, limit }) => ({
          key,
          left: Math.floor(tokens * 100) / 100,
          ...limit,
        })),
        quotas: visible(principal, deps.rules, await quotaLevels(store, clock.now())).map(
          ({ endsAtMs, ...level }) => ({
            ...level,
            endsAt: new Date(endsAtMs).toISOString(),
          }),
        ),
        bulkheads: visible(principal, deps.rules, bulkhead.levels()),
        refusals: (isOwner(principal) ? deps.refusals.all() : []).map(({ lastAtMs, ...refusal }) => ({
          ...refusal,
          lastAt: new Date(lastAtMs).toISOString(),
        })),
        breakers: (isOwner(principal) ? breaker.states() : []).map(({ openUntilMs, ...state }) => ({
          ...state,
          openUntil: openUntilMs === null ? null : new Date(openUntilMs).toISOString(),
        })),
      }),
    }),
  ];
}

/** Levels whose key says that they are the caller's tenant's own; those of `all`, `tool` and `target` tell of everybody's doing. */
function visible<Level extends { readonly key: string }>(
  principal: Principal,
  { rates, quotas, bulkheads }: LimitRules,
  levels: readonly Level[],
): Level[] {
  if (isOwner(principal)) return [...levels];
  const rules = [rates, quotas, bulkheads].flatMap((each) => Object.entries(each));
  const names = rules.filter(([, { of }]) => of === "tenant" || of === "user" || of === "agent");
  const own = ["policy", ...names.map(([name]) => name)].map((name) => `${name}/${principal.tenant}`);
  return levels.filter(({ key }) => own.some((begin) => key === begin || key.startsWith(`${begin}/`)));
}

function describeRules({ rates, quotas, bulkheads }: LimitRules): z.input<typeof configured>[] {
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
