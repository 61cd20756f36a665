/** The supervision tree of one process: what runs below what, what is made anew when it breaks down, and who is told. */
import type { JsonObject } from "./base/canonical-json.ts";
import type { Clock } from "./base/clock.ts";
import type { Logger } from "./base/log.ts";
import type { Metrics } from "./base/metrics.ts";
import type { ChildSpec } from "./supervision/child.ts";
import type { Part, TreeNode } from "./supervision/part.ts";
import type { RestartLimits } from "./supervision/restart-plan.ts";
import { createSupervisor } from "./supervision/supervisor.ts";
import type { SupervisionEvent, Supervisor } from "./supervision/supervisor.ts";

export interface TreeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "count">;
  /** Writes a fact for the ledger. Must not throw. */
  readonly record: (type: string, data: JsonObject) => void;
  readonly limits?: RestartLimits;
  /** In the order of start. */
  readonly children: readonly ChildSpec[];
}

export interface Tree {
  readonly supervisor: Supervisor;
  now(): TreeNode;
  /** Called when the tree looks different; may call for nothing. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

/** Each child is renewed by itself: they hold no state of one another. What cannot be renewed ends the process in order. */
export function createTree(deps: TreeDeps): Tree {
  const { clock, logger, metrics, record, children } = deps;
  const listeners = new Set<() => void>();
  const supervisor = createSupervisor({
    name: "homeostat",
    strategy: "one-for-one",
    ...(deps.limits === undefined ? {} : { limits: deps.limits }),
    children,
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
