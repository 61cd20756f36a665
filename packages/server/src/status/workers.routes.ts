/** The route that tells which processes work on this database, and what waiting runs need that none of them has. */
import { z } from "zod";
import { sha256 } from "../base/digest.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { findUnmetNeeds, listWorkers } from "../queue/worker-registry.ts";
import type { WorkerRow } from "../queue/worker-registry.ts";
import type { Store } from "../store/store.ts";

export interface WorkersRoutesDeps {
  readonly store: Pick<Store, "recent">;
  readonly now: () => number;
  readonly isOwnerDead: (owner: string) => boolean;
}

const workerSchema = z
  .object({
    id: z.string(),
    role: z.enum(["all", "gateway", "worker"]),
    state: z.enum(["running", "stopping", "silent", "gone"]),
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    url: z.string(),
    languages: z.array(z.string()),
    roots: z.array(z.string()),
    isolation: z.string(),
    concurrency: z.number().int(),
    active: z.number().int(),
    policyRevision: z.string(),
    startedAt: z.string(),
    seenAt: z.string(),
  })
  .meta({ id: "Worker" });

export type WorkerView = z.output<typeof workerSchema>;

export function workersRoutes(deps: WorkersRoutesDeps): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/workers",
      operationId: "workers.list",
      summary: "The processes that work on this database",
      description:
        "`silent` were not heard of for 15 s; `gone` ended, and are listed for 7 days with `all`. `unmet` names languages and roots that due runs need and no running process has.",
      tags: ["status"],
      access: "viewer",
      query: z.object({ all: z.stringbool().default(false) }),
      response: z.object({
        data: z.array(workerSchema),
        nextCursor: z.null(),
        unmet: z.array(z.object({ need: z.string(), runs: z.number().int() })),
      }),
      handle: async ({ query }) => {
        const nowMs = deps.now();
        const known = await listWorkers(deps.store.recent, { nowMs, isOwnerDead: deps.isOwnerDead });
        const shown = known.filter(({ state }) => query.all || state !== "gone");
        const unmet = await findUnmetNeeds(deps.store.recent, known, nowMs);
        return { data: shown.map(viewWorker), nextCursor: null, unmet: [...unmet] };
      },
    }),
  ];
}

/** The identity names the machine's boot; a digest of it is as good to tell processes apart. */
export function workerViewId(identity: string): string {
  return `wrk_${sha256(identity).slice(0, 16)}`;
}

/** Pure. */
function viewWorker({ id, offers, startedAtMs, seenAtMs, ...facts }: WorkerRow): WorkerView {
  const named = (kind: string): string[] =>
    offers.filter((offer) => offer.startsWith(`${kind}:`)).map((offer) => offer.slice(kind.length + 1));
  return {
    ...facts,
    id: workerViewId(id),
    languages: named("language"),
    roots: named("root"),
    startedAt: new Date(startedAtMs).toISOString(),
    seenAt: new Date(seenAtMs).toISOString(),
  };
}
