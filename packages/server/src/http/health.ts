/** Probes for machines: /livez (the event loop turns), /readyz and /healthz (every part serves), /metrics. */
import { z } from "zod";
import type { Metrics } from "../base/metrics.ts";
import type { Health, TreeNode } from "../supervision/part.ts";
import { route } from "./route.ts";
import type { Route } from "./route.ts";

/** A part as probes see it. */
export type Checked = Pick<TreeNode, "name" | "health">;

export interface HealthDeps {
  /** The parts as they are now; empty until the system has started. */
  readonly parts: () => readonly Checked[];
  /** False while starting and stopping: balancers then send nobody here. */
  readonly isReady: () => boolean;
  readonly metrics: Pick<Metrics, "scrape">;
}

export interface Readiness {
  readonly status: "ok" | "degraded" | "failed";
  readonly checks: readonly { readonly name: string; readonly kind: Health["kind"] }[];
}

/** Failed parts make the whole fail; degraded ones do not: the rest still serves. No details: probes are unauthenticated. */
export function judgeReadiness(parts: readonly Checked[], isReady: boolean): Readiness {
  const checks = parts.map((part) => ({ name: part.name, kind: part.health.kind }));
  const status =
    !isReady || checks.some(({ kind }) => kind === "failed")
      ? "failed"
      : checks.some(({ kind }) => kind === "degraded")
        ? "degraded"
        : "ok";
  return { status, checks };
}

export function healthRoutes(deps: HealthDeps): readonly Route[] {
  const probe = (path: "/readyz" | "/healthz", operationId: string): Route =>
    route({
      method: "GET",
      path,
      operationId,
      summary: path === "/readyz" ? "Whether every part serves" : "The same as /readyz",
      description: "503 when a part has failed or the server is starting or stopping.",
      tags: ["health"],
      access: "public",
      anyHost: true,
      response: readinessSchema(),
      handle: ({ setStatus }) => {
        const readiness = judgeReadiness(deps.parts(), deps.isReady());
        if (readiness.status === "failed") setStatus(503);
        return readiness;
      },
    });
  return [
    route({
      method: "GET",
      path: "/livez",
      operationId: "health.live",
      summary: "Whether the process answers at all",
      tags: ["health"],
      access: "public",
      anyHost: true,
      response: "text",
      handle: () => ({ body: "ok\n" }),
    }),
    probe("/readyz", "health.ready"),
    probe("/healthz", "health.get"),
    route({
      method: "GET",
      path: "/metrics",
      operationId: "health.metrics",
      summary: "Metrics in Prometheus' text format",
      tags: ["health"],
      access: "public",
      response: "text",
      handle: async () => {
        const { contentType, text } = await deps.metrics.scrape();
        return { contentType, body: text };
      },
    }),
  ];
}

function readinessSchema(): z.ZodType<Readiness> {
  const kind = z.enum(["ok", "degraded", "failed"]);
  return z
    .object({ status: kind, checks: z.array(z.object({ name: z.string(), kind })) })
    .meta({ id: "Readiness" });
}
