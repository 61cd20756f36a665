/** Builds what the queue consists of: how runs are claimed, schedules with their part, dead letters. Built for system.ts. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config-schema.ts";
import { limitsOf } from "../config/queue-settings.ts";
import type { Route } from "../http/route.ts";
import type { Need } from "../queue/worker-registry.ts";
import { deadLettersRoutes } from "../runs/control/dead-letters.routes.ts";
import type { EngineDeps } from "../runs/worker/engine.ts";
import { fireSchedules } from "../runs/triggers/fire-schedules.ts";
import type { FoldUnheld } from "../runs/worker/fold-unheld.ts";
import type { ReadBlobText } from "../runs/journal/journal.ts";
import type { Timetable } from "../runs/triggers/registered-workflows.ts";
import { schedulesRoutes } from "../runs/triggers/schedules.routes.ts";
import type { SubmitDeps } from "../runs/submission/submit.ts";
import { createTimetable } from "../runs/triggers/timetable.ts";
import { queueRoutes } from "../status/queue.routes.ts";
import type { LeaseStore } from "../store/lease.ts";
import type { ChildSpec } from "../supervision/child.ts";
import { createSingleton } from "../supervision/singleton.ts";
import type { WorkflowRegistry } from "../workflows/registry.ts";

/** How the worker of this process claims runs. */
export function claimingOf(
  { agingMinutes, maxVainClaims, limits }: Config["queue"],
  offers: readonly Need[],
): Required<Pick<EngineDeps, "claiming" | "maxVainClaims">> {
  return {
    claiming: { offers, limits: limitsOf(limits), agingMs: agingMinutes * 60_000 },
    maxVainClaims,
  };
}

export interface QueueSystemDeps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly submit: SubmitDeps;
  readonly registry: WorkflowRegistry;
  readonly roleOf: (tenant: string, principal: string) => Promise<string>;
  readonly readBlobText: ReadBlobText;
  readonly foldUnheld: FoldUnheld;
  readonly redact: (value: unknown) => unknown;
  readonly settings: Config["queue"];
  /** True where the API is: only such a process makes runs at their time. */
  readonly serves: boolean;
}

export interface QueueSystem {
  readonly upkeep: readonly ChildSpec[];
  readonly routes: readonly Route[];
  readonly timetable: Timetable;
}

export function createQueueSystem(deps: QueueSystemDeps): QueueSystem {
  const { store, clock, submit, registry, settings } = deps;
  const work = (signal: AbortSignal): Promise<void> => fireSchedules(deps, signal);
  const name = "schedules";
  const child: ChildSpec = { name, create: () => createSingleton({ ...deps, name, work }) };
  return {
    upkeep: deps.serves ? [child] : [],
    routes: [
      ...schedulesRoutes({ ...deps, workflows: registry }),
      ...deadLettersRoutes({ ...submit, ...deps }),
      ...queueRoutes({
        ...{ store, now: clock.now, agingMinutes: settings.agingMinutes },
        limits: limitsOf(settings.limits),
      }),
    ],
    timetable: createTimetable({ store, clock }),
  };
}
