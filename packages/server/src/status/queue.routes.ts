/** The route that tells how full the queue is: lanes, how long the oldest waits, and which limits hold runs back. */
import { z } from "zod";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { QueueLimits } from "../queue/limits.ts";
import { readQueueLevels } from "../queue/queue-levels.ts";
import type { LimitLevel } from "../queue/queue-levels.ts";
import type { Store } from "../store/store.ts";

export interface QueueRoutesDeps {
  readonly store: Pick<Store, "recent">;
  readonly now: () => number;
  readonly limits: QueueLimits;
  readonly agingMinutes: number;
}

const count = z.number().int();

const laneSchema = z.object({
  priority: z.enum(["high", "normal", "low"]),
  due: count.describe("Could be taken now, were there a free worker and no limit"),
  later: count.describe("Have a time that is still to come: a retry, a timer, a delay"),
  held: count.describe("A worker has them"),
  oldestDueAt: z.string().nullable().describe("Since when the longest due one has been due"),
});

const limitSchema = z.object({
  scope: z.enum(["tenant", "workflow"]),
  name: z.string(),
  concurrency: count.nullable().describe("How many may be held at once"),
  rate: z.object({ count, perMs: count }).nullable().describe("How many may begin within a time"),
  held: count,
  begun: count.nullable().describe("How many began within the rate's time"),
  due: count,
  isFull: z.boolean().describe("Nothing more of it is taken at the moment"),
});

const queueSchema = z
  .object({ lanes: z.array(laneSchema), limits: z.array(limitSchema), agingMinutes: z.number() })
  .meta({ id: "QueueLevels" });

export function queueRoutes(deps: QueueRoutesDeps): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/queue",
      operationId: "queue.get",
      summary: "How full the queue is: its lanes, and the limits that hold runs back",
      tags: ["status"],
      access: "viewer",
      response: queueSchema,
      handle: async ({ principal: { tenant } }) => {
        const { store, limits, agingMinutes } = deps;
        const levels = await readQueueLevels(store.recent, { tenant, limits, nowMs: deps.now() });
        return {
          lanes: levels.lanes.map(({ oldestDueAtMs, ...lane }) => ({
            ...lane,
            oldestDueAt: oldestDueAtMs === null ? null : new Date(oldestDueAtMs).toISOString(),
          })),
          limits: levels.limits.map(viewLimit),
          agingMinutes,
        };
      },
    }),
  ];
}

function viewLimit({ limit, ...level }: LimitLevel): z.input<typeof limitSchema> {
  const { concurrency = null, rate } = limit;
  const isFullByNumber = concurrency !== null && level.held >= concurrency;
  const isFullByRate = rate !== undefined && (level.begun ?? 0) >= rate.count;
  return {
    ...level,
    concurrency,
    rate: rate === undefined ? null : { count: rate.count, perMs: rate.windowMs },
    isFull: isFullByNumber || isFullByRate,
  };
}
