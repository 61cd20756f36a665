/** The supervision tree of one process: what runs below what, what is made anew when it breaks down, and who is told. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { ChildSpec } from "../supervision/child.ts";
import type { Part, TreeNode } from "../supervision/part.ts";
import type { RestartLimits } from "../supervision/restart-plan.ts";
import { createSupervisor } from "../supervision/supervisor.ts";
import type { SupervisionEvent, Supervisor, SupervisorDeps } from "../supervision/supervisor.ts";

export interface TreeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "count">;
  /** Writes a fact for the ledger. Must not throw. */
  readonly record: (type: string, data: JsonObject) => void;
  readonly limits?: RestartLimits;
  /** In the order of start. */
  readonly children: readonly ChildSpec[];
  /** What no run waits for, below a supervisor of its own that starts last: however often it breaks, runs go on. */
  readonly upkeep?: readonly ChildSpec[];
  readonly upkeepLimits?: RestartLimits;
}

/**
 * Their pauses grow to a minute. When five restarts did not help, all of upkeep is made anew: after half a minute at the soonest,
 * so never five times within the root's minute, and a bug in the housekeeping never ends a process that drives runs.
 */
const upkeepLimits: RestartLimits = {
  maxRestarts: 5,
  windowMs: 5 * 60_000,
  firstDelayMs: 1_000,
  maxDelayMs: 60_000,
};

export interface Tree {
  readonly supervisor: Supervisor;
  now(): TreeNode;
  /** Called when the tree looks different; may call for nothing. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

/** Each child is renewed by itself: they hold no state of one another. What cannot be renewed ends the process in order. */
export function createTree(deps: TreeDeps): Tree {
  const { clock, logger, metrics, record, upkeep = [] } = deps;
  const listeners = new Set<() => void>();
  const shared: SupervisorDeps & { readonly strategy: "one-for-one" } = {
    strategy: "one-for-one",
    clock,
    logger,
    random: Math.random,
    report(event) {
      const { kind, ...data } = event;
      logger[kind === "part.escalated" ? "error" : "warn"](data, kind);
      record(kind, factOf(event));
      if (event.kind === "part.restarted")
        metrics.count("homeostat_part_restarts_total", { part: event.path });
    },
    changed: () => listeners.forEach((listener) => listener()),
  };
  const above = "homeostat";
  const below: ChildSpec = {
    name: "upkeep",
    strategy: shared.strategy,
    create: () =>
      createSupervisor({
        ...{ ...shared, name: "upkeep", above, children: upkeep },
        limits: deps.upkeepLimits ?? upkeepLimits,
      }),
  };
  const supervisor = createSupervisor({
    ...shared,
    name: above,
    ...(deps.limits === undefined ? {} : { limits: deps.limits }),
    children: upkeep.length === 0 ? deps.children : [...deps.children, below],
  });
  return {
    supervisor,
    now: supervisor.tree,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The reason may quote a path or an address: it is in the log, and the ledger holds what everybody may read. */
function factOf(event: SupervisionEvent): JsonObject {
  if (event.kind === "part.escalated") return { part: event.path };
  const { path: part, restarts, affected, delayMs } = event;
  return { part, restarts, affected: [...affected], delayMs };
}

/** For a part that exists once in a process: its breakdown is the process's. */
export function fixed(part: Part): ChildSpec {
  return { name: part.name, create: () => part, isRenewable: false };
}
