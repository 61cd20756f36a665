/** Tells other processes what this one knows of limits, and resets its circuit breakers when they ask. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isProgrammingError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { CircuitBreaker } from "../guards/circuit-breaker.ts";
import type { Store } from "../store/store.ts";
import type { Health, Part } from "../supervision/part.ts";
import type { LimitReport } from "./limit-report.ts";
import { createPacedLoop } from "./paced-loop.ts";
import type { PacedLoop } from "./paced-loop.ts";
import { answerReset, forgetReport, listUnanswered, writeReport } from "./report-rows.ts";

export interface LimitReporterDeps {
  readonly store: Pick<Store, "read" | "write" | "onCommit">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This process (`processIdentity`). */
  readonly owner: string;
  readonly report: () => LimitReport;
  readonly breaker: Pick<CircuitBreaker, "reset">;
}

export interface LimitReporter extends Part {
  /** A breaker opened or closed: others are told at once. */
  changed(): void;
}

/** As long as workers' heartbeats. */
const everyMs = 5_000;
/** However fast breakers change: a commit for each would cost more than the news is worth. */
const leastMs = 250;
/** A report that stays the same is written again this often, long before others forget it. */
const repeatMs = 15 * 60_000;

/** A report is written when it changed; nothing that depends on one is lost when that fails, so it is only said. */
export function createLimitReporter(deps: LimitReporterDeps): LimitReporter {
  const { store, clock, logger, owner } = deps;
  const failed = Promise.withResolvers<unknown>();
  let told = { report: "", atMs: Number.NEGATIVE_INFINITY };
  let removeListener = (): void => undefined;

  // Each has a fault of its own: that one works says nothing of the other.
  const loops = { clock, logger, onBroken: failed.resolve };
  const reports = createGuardedLoop(loops, tell, "limits could not be told to other processes");
  const resets = createGuardedLoop(loops, obey, "breakers could not be reset for other processes");

  async function tell(): Promise<void> {
    const report = JSON.stringify(deps.report());
    const nowMs = clock.now();
    if (report === told.report && nowMs - told.atMs < repeatMs) return;
    await store.write(writeReport(owner, report, nowMs));
    told = { report, atMs: nowMs };
  }

  /** What was reset is part of the answer; when that cannot be written, the next turn forgets what failed meanwhile, too. */
  async function obey(): Promise<void> {
    for (const { id, target } of await listUnanswered(store, owner))
      await store.write([answerReset(id, owner, deps.breaker.reset(target))]);
  }

  return {
    name: "limits",
    failed: failed.promise,
    changed: reports.wake,
    start() {
      removeListener = store.onCommit("breaker_resets", resets.wake);
      reports.start();
      resets.start();
      return Promise.resolve();
    },
    async stop() {
      removeListener();
      await Promise.all([reports.stop(), resets.stop()]);
      // Where this cannot be written, the end of the process says it.
      await store.write([forgetReport(owner)]).catch(() => undefined);
    },
    health(): Health {
      const detail = reports.fault() ?? resets.fault();
      return detail === undefined ? { kind: "ok" } : { kind: "degraded", detail };
    },
  };
}

interface GuardedLoop extends PacedLoop {
  /** Why the last turn failed; undefined when it did not. */
  fault(): string | undefined;
}

interface GuardedLoopDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** An error of our own code. */
  readonly onBroken: (error: unknown) => void;
}

function createGuardedLoop(
  { clock, logger, onBroken }: GuardedLoopDeps,
  work: () => Promise<void>,
  failure: string,
): GuardedLoop {
  let fault: string | undefined;
  const guarded = async (): Promise<void> => {
    try {
      await work();
      fault = undefined;
    } catch (error) {
      fault = errorMessage(error);
      if (isProgrammingError(error)) return onBroken(error);
      logger.warn({ error: fault }, failure);
    }
  };
  return { ...createPacedLoop({ clock, everyMs, leastMs, work: guarded }), fault: () => fault };
}
