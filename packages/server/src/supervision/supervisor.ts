/** A supervisor: starts children in order, renews those that break down, gives up upwards when that does not help, stops in reverse. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { createChild } from "./child.ts";
import type { Child, ChildSpec } from "./child.ts";
import { watchHealth } from "./health-watch.ts";
import type { Health, Part, Strategy, TreeNode } from "./part.ts";
import { defaultRestartLimits, planRestart } from "./restart-plan.ts";
import type { RestartLimits, RestartPlan } from "./restart-plan.ts";

/** `path` is the names from the root down, joined by `/`. */
export type SupervisionEvent =
  | {
      readonly kind: "part.restarted";
      readonly path: string;
      readonly reason: string;
      /** Of this child since the process started. */
      readonly restarts: number;
      /** Names of all children that began anew. */
      readonly affected: readonly string[];
      readonly delayMs: number;
    }
  | { readonly kind: "part.escalated"; readonly path: string; readonly reason: string };

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1, for the jitter of restarts. */
  readonly random: () => number;
  /** Told of every restart that succeeded and of every escalation. Must not throw. */
  readonly report: (event: SupervisionEvent) => void;
  /** Told that the tree looks different now. Must not throw. */
  readonly changed: () => void;
}

export interface SupervisorOptions extends SupervisorDeps {
  readonly name: string;
  /** Path of the supervisor above, empty for the root. */
  readonly above?: string;
  readonly strategy: Strategy;
  /** In the order of start. */
  readonly children: readonly ChildSpec[];
  readonly limits?: RestartLimits;
  /** A child whose health stays `failed` for this long has broken down. */
  readonly healthPatienceMs?: number;
  readonly healthEveryMs?: number;
}

export interface Supervisor extends Part {
  tree(): TreeNode;
}

/** What one that gives up leaves the parts that still run, to end in order. */
const giveUpMs = 2_000;
/** Even the last part gets this long: it may be the one that syncs to disk. */
const leastMs = 200;

/** `start` rejects with the first child's error, after stopping those before it: what cannot even begin is not restarted. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { name, clock, report, changed } = options;
  const path = options.above === undefined || options.above === "" ? name : `${options.above}/${name}`;
  const children = options.children.map((spec) => createChild(spec, { ...options, broke: handle }));
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  const repairs = new Set<Promise<void>>();
  let lastRepair: Promise<void> = Promise.resolve();
  let restartsAtMs: readonly number[] = [];
  let gaveUp: string | undefined;
  let stopped: Promise<void> | undefined;

  /** A child of its own strategy is repaired beside others; where repairs touch siblings, one comes after the other. */
  function handle(child: Child, part: Part, reason: unknown): void {
    const repair = options.strategy === "one-for-one" ? mend() : lastRepair.then(mend);
    lastRepair = repair;
    repairs.add(repair);
    void repair.finally(() => repairs.delete(repair));

    async function mend(): Promise<void> {
      // A breakdown of a part that was replaced meanwhile is history.
      if (isOver() || !child.isCurrent(part)) return;
      await repairFrom(child, reason);
    }
  }

  function isOver(): boolean {
    return stopping.signal.aborted || gaveUp !== undefined;
  }

  async function repairFrom(first: Child, firstReason: unknown): Promise<void> {
    let broken = first;
    let reason = firstReason;
    for (;;) {
      broken.noteError(errorMessage(reason));
      options.logger.error({ part: `${path}/${broken.name}`, error: reason }, "a part broke down");
      const plan = decide(broken);
      if (plan.kind === "escalate") return escalate(broken, reason, plan.why);
      restartsAtMs = plan.restartsAtMs;
      const outcome = await renew(plan);
      if (outcome === "over") return;
      if (outcome === "renewed") {
        return report({
          kind: "part.restarted",
          path: `${path}/${broken.name}`,
          reason: errorMessage(reason),
          restarts: broken.node().restarts,
          affected: plan.affected.map((index) => children[index]!.name),
          delayMs: plan.delayMs,
        });
      }
      ({ broken, reason } = outcome);
    }
  }

  function decide(broken: Child): RestartPlan {
    const facts = {
      strategy: options.strategy,
      children: children.length,
      failed: children.indexOf(broken),
      isRenewable: broken.isRenewable,
      restartsAtMs,
      nowMs: clock.monotonic(),
      random: options.random(),
    };
    return planRestart(facts, options.limits ?? defaultRestartLimits);
  }

  async function renew(
    plan: Extract<RestartPlan, { kind: "restart" }>,
  ): Promise<"renewed" | "over" | { readonly broken: Child; readonly reason: unknown }> {
    const affected = plan.affected.map((index) => children[index]!);
    for (const child of affected) child.prepareRestart();
    changed();
    for (const child of affected.toReversed()) await child.stop(giveUpMs);
    await clock.sleep(plan.delayMs, stopping.signal).catch(() => undefined);
    for (const child of affected) {
      if (isOver()) return "over";
      try {
        await child.restart();
      } catch (reason) {
        return { broken: child, reason };
      }
    }
    changed();
    return "renewed";
  }

  function escalate(broken: Child, reason: unknown, why: "not-renewable" | "too-often"): void {
    const what = why === "too-often" ? "broke down too often" : "broke down and cannot be made anew";
    gaveUp = `${path}/${broken.name} ${what}: ${errorMessage(reason)}`;
    broken.noteFailed();
    report({ kind: "part.escalated", path: `${path}/${broken.name}`, reason: gaveUp });
    changed();
    failed.resolve(new HomeostatError("PART_FAILED", gaveUp, { part: broken.name }, { cause: reason }));
  }

  async function startAll(): Promise<void> {
    for (const [index, child] of children.entries()) {
      try {
        await child.start();
      } catch (error) {
        stopping.abort();
        await stopInReverse(children.slice(0, index), giveUpMs, clock);
        throw error;
      }
    }
    void watchHealth(children, {
      clock,
      signal: stopping.signal,
      everyMs: options.healthEveryMs ?? 1_000,
      patienceMs: options.healthPatienceMs ?? 10_000,
      changed,
    });
  }

  async function stopAll(deadlineMs: number): Promise<void> {
    const endMs = clock.monotonic() + deadlineMs;
    stopping.abort(new HomeostatError("SERVER_STOPPING", `${path} is stopping`));
    // A repair under way ends at its next step; a part it has just started is stopped below like all others.
    const timer = new AbortController();
    const late = clock.sleep(Math.max(leastMs, deadlineMs / 2), timer.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(repairs), late]);
    timer.abort();
    await stopInReverse(children, endMs - clock.monotonic(), clock);
    changed();
  }

  function health(): Health {
    if (gaveUp !== undefined) return { kind: "failed", detail: gaveUp };
    const ill = children.map((child) => child.node()).find((node) => node.health.kind !== "ok");
    if (ill === undefined) return { kind: "ok" };
    // Not `failed`: this supervisor deals with it, and the one above has no reason to interfere.
    return { kind: "degraded", detail: `${ill.name}: ${ill.health.detail ?? ill.state}` };
  }

  return {
    name,
    failed: failed.promise,
    start: startAll,
    stop: (deadlineMs) => (stopped ??= stopAll(deadlineMs)),
    health,
    inspect: () => ({ children: children.map((child) => child.node()) }),
    tree: () => ({
      name,
      kind: "supervisor",
      state: gaveUp !== undefined ? "failed" : stopped !== undefined ? "stopped" : "running",
      health: health(),
      restarts: 0,
      lastError: gaveUp ?? null,
      uptimeMs: null,
      strategy: options.strategy,
      mailbox: null,
      children: children.map((child) => child.node()),
    }),
  };
}

/** The deadline is for all together; each gets what the ones before it left. */
async function stopInReverse(children: readonly Child[], deadlineMs: number, clock: Clock): Promise<void> {
  const endMs = clock.monotonic() + deadlineMs;
  for (const child of children.toReversed()) {
    await child.stop(Math.max(leastMs, endMs - clock.monotonic()));
  }
}
