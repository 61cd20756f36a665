/** The route that erases a run. */
import { z } from "zod";
import { refuseSecret } from "../base/refuse-secret.ts";
import type { HoldsSecret } from "../base/refuse-secret.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { eraseRun } from "./erasure.ts";
import type { ErasureDeps } from "./erasure.ts";

const erasureSchema = z
  .object({
    id: z.string(),
    erasedAt: z.string().describe("ISO 8601, UTC"),
    by: z.string(),
    reason: z.string().nullable(),
  })
  .meta({ id: "Erasure" });

export interface RetentionRoutesDeps extends ErasureDeps {
  readonly holdsSecret: HoldsSecret;
}

export function retentionRoutes(deps: RetentionRoutesDeps): readonly Route[] {
  return [
    route({
      method: "DELETE",
      path: "/v1/runs/{id}",
      operationId: "runs.erase",
      summary: "Erase a run that is over",
      description:
        "Destroys its bodies, files and artifacts for good; digests and proofs stay, and `verify` says `erased`. " +
        "Asking again answers the same.",
      tags: ["runs"],
      access: "admin",
      params: z.object({ id: z.string().min(1).max(64) }),
      query: z.object({ reason: z.string().min(1).max(500).optional().describe("Why, for the record") }),
      response: erasureSchema,
      handle: async ({ params, query, principal }) => {
        const said = query.reason ?? null;
        refuseSecret(deps.holdsSecret, said, { what: "The reason", path: "query.reason" });
        const { atMs, by, reason } = await eraseRun(deps, {
          runId: params.id,
          tenant: principal.tenant,
          actor: { kind: "user", id: principal.id },
          reason: said,
        });
        return { id: params.id, erasedAt: new Date(atMs).toISOString(), by, reason };
      },
    }),
  ];
}
