/** Builds what the queue consists of: schedules with their part, dead letters, what people see of it. Built for system.ts. */
import { limitsOf } from "../config/queue-settings.ts";
import type { Route } from "../http/route.ts";
import type { ApiKeys } from "../identity/api-keys.ts";
import { deadLettersRoutes } from "../runs/control/dead-letters.routes.ts";
import { fireSchedules } from "../runs/triggers/fire-schedules.ts";
import type { Timetable } from "../runs/triggers/registered-workflows.ts";
import { schedulesRoutes } from "../runs/triggers/schedules.routes.ts";
import { createTimetable } from "../runs/triggers/timetable.ts";
import { queueRoutes } from "../status/queue.routes.ts";
import type { ChildSpec } from "../supervision/child.ts";
import { createSingleton } from "../supervision/singleton.ts";
import type { Foundation } from "./foundation.ts";
import type { RunSystem } from "./runs.ts";

export interface QueueSystemDeps {
  readonly running: RunSystem;
  readonly keys: Pick<ApiKeys, "currentRole">;
}

export interface QueueSystem {
  readonly upkeep: readonly ChildSpec[];
  readonly routes: readonly Route[];
  readonly timetable: Timetable;
}

export function createQueueSystem(foundation: Foundation, { running, keys }: QueueSystemDeps): QueueSystem {
  const { config, serves, store, clock, redactors } = foundation;
  const { submit, reader, engine, workflows } = running;
  const { limits, agingMinutes } = config.queue;
  const redact = redactors.shown.value;
  const common = { ...foundation, submit, registry: workflows, roleOf: keys.currentRole, redact };
  const name = "schedules";
  const work = (signal: AbortSignal): Promise<void> => fireSchedules(common, signal);
  // Only a process with the API makes runs at their time.
  const child: ChildSpec = { name, create: () => createSingleton({ ...foundation, name, work }) };
  return {
    upkeep: serves ? [child] : [],
    routes: [
      ...schedulesRoutes({ ...common, workflows }),
      ...deadLettersRoutes({ ...submit, ...common, ...reader, foldUnheld: engine.foldUnheld }),
      ...queueRoutes({ store, now: clock.now, agingMinutes, limits: limitsOf(limits) }),
    ],
    timetable: createTimetable({ store, clock }),
  };
}
