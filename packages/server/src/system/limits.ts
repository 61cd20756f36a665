/** Limits of actions from their settings, and what people see of them. Built for gate.ts. */
import { hostname } from "node:os";
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { HoldsSecret } from "../base/refuse-secret.ts";
import type { Config } from "../config/config-schema.ts";
import { createBulkhead } from "../guards/bulkhead.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import type { CircuitBreaker } from "../guards/circuit-breaker.ts";
import type { VisibleRateLimiter } from "../guards/rate-limit.ts";
import type { LimitProcess } from "../limits/limit-processes.ts";
import { reportOf } from "../limits/limit-report.ts";
import type { LimitReport } from "../limits/limit-report.ts";
import { createLimitReporter } from "../limits/limit-reporter.ts";
import type { LimitRules } from "../limits/limit-rules.ts";
import { createLimits } from "../limits/limits.ts";
import { createRefusalCount } from "../limits/refusals.ts";
import type { Limits } from "../limits/limits.ts";
import { limitsRoutes } from "../limits/limits.routes.ts";
import type { Route } from "../http/route.ts";
import { listWorkers } from "../queue/worker-registry.ts";
import { workerViewId } from "../status/workers.routes.ts";
import type { Store } from "../store/store.ts";
import type { ChildSpec } from "../supervision/child.ts";
import { createRenewable } from "../supervision/renewable.ts";

export interface LimitSystem {
  readonly limits: Limits;
  readonly breaker: CircuitBreaker;
  readonly routes: readonly Route[];
  /** Tells other processes; its state is in the database and in the parts it tells of. */
  readonly upkeep: ChildSpec;
}

export interface LimitSystemDeps {
  readonly config: Pick<Config, "limits" | "role">;
  readonly limiter: VisibleRateLimiter;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "count">;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly record: (type: string, data: JsonObject) => void;
  readonly holdsSecret: HoldsSecret;
}

export function openLimits(deps: LimitSystemDeps): LimitSystem {
  const { limiter, store, clock, metrics, owner } = deps;
  const rules = rulesOf(deps.config.limits);
  const breaker = createCircuitBreaker({ clock, onChange: () => reporter.current().changed() });
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
  const report = (): LimitReport =>
    reportOf({
      buckets: limiter.levels(),
      bulkheads: bulkhead.levels(),
      refusals: refusals.all(),
      breakers: breaker.states(),
    });
  const reporter = createRenewable(() => createLimitReporter({ ...deps, report, breaker }));
  const { role } = deps.config;
  const self: LimitProcess = {
    ...{ owner, id: workerViewId(owner), role, host: hostname(), pid: process.pid, state: "running" },
  };
  const listProcesses = async (): Promise<readonly LimitProcess[]> =>
    (await listWorkers(store, { nowMs: clock.now(), isOwnerDead: deps.isOwnerDead })).flatMap(
      ({ id, state, ...facts }) =>
        state === "gone" ? [] : [{ ...facts, state, owner: id, id: workerViewId(id) }],
    );
  const routes = limitsRoutes({ ...deps, rules, report, self, listProcesses });
  return { limits, breaker, routes, upkeep: reporter.child };
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
