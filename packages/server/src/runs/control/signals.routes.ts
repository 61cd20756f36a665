/** The route by which the outside wakes a run that waits for a signal. */
import { z } from "zod";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { runSummarySchema } from "../views/api-schemas.ts";
import { requireRun } from "./control.ts";
import { sendSignal } from "./signals.ts";
import type { SignalDeps } from "./signals.ts";
import { viewRun } from "../views/views.ts";

export function signalsRoutes(deps: SignalDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/v1/runs/{id}/signals/{name}",
      operationId: "runs.signal",
      summary: "Send a signal to a run",
      description:
        "A signal that comes before its step is kept. The same Idempotency-Key is the same signal.",
      tags: ["runs"],
      access: "operator",
      params: z.object({ id: z.string().min(1).max(64), name: z.string().min(1).max(64) }),
      body: z.strictObject({ data: z.json().optional() }),
      response: runSummarySchema,
      status: 202,
      idempotent: true,
      handle: async ({ params, body, principal, idempotencyKey }) => {
        await sendSignal(deps, {
          runId: params.id,
          name: params.name,
          data: body.data ?? null,
          caller: principal,
          key: idempotencyKey ?? null,
        });
        return viewRun(await requireRun(deps.store, principal.tenant, params.id));
      },
    }),
  ];
}
