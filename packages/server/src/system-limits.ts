/** Limits of actions from their settings, and what people see of them. Built for system.ts. */
import type { Clock } from "./base/clock.ts";
import type { Metrics } from "./base/metrics.ts";
import type { Config } from "./config-schema.ts";
import { createBulkhead } from "./guards/bulkhead.ts";
import type { CircuitBreaker } from "./guards/circuit-breaker.ts";
import type { RateLimiter } from "./guards/rate-limit.ts";
import type { LimitRules } from "./limits/limit-rules.ts";
import { createLimits } from "./limits/limits.ts";
import { createRefusalCount } from "./limits/refusals.ts";
import type { Limits } from "./limits/limits.ts";
import { limitsRoutes } from "./limits/limits.routes.ts";
import type { Route } from "./http/route.ts";
import type { Store } from "./store/store.ts";

export interface LimitSystem {
  readonly limits: Limits;
  readonly routes: readonly Route[];
}

export interface LimitSystemDeps {
  readonly settings: Config["limits"];
  readonly limiter: RateLimiter;
  readonly breaker: CircuitBreaker;
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "count">;
}

export function openLimits({
  settings,
  limiter,
  breaker,
  store,
  clock,
  metrics,
}: LimitSystemDeps): LimitSystem {
  const rules = rulesOf(settings);
  const bulkhead = createBulkhead({ clock });
  const refusals = createRefusalCount(clock);
  const limits = createLimits({
    rules,
    limiter,
    bulkhead,
    store,
    clock,
    observe(kind, limit) {
      refusals.add(kind, limit);
      metrics.count("homeostat_limits_refused_total", { kind, limit });
    },
  });
  return { limits, routes: limitsRoutes({ rules, limiter, bulkhead, breaker, refusals, store, clock }) };
}

function rulesOf({ rates, quotas, atOnce }: Config["limits"]): LimitRules {
  return {
    rates: mapValues(rates, ({ within: perMs, ...rule }) => ({ ...rule, perMs })),
    quotas,
    bulkheads: mapValues(atOnce, ({ count, ...rule }) => ({ ...rule, atOnce: count })),
  };
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
