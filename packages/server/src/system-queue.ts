/** Builds what the queue consists of from its section of the configuration. */
import type { Config } from "./config-schema.ts";
import { limitsOf } from "./config-queue.ts";
import type { Need } from "./queue/worker-registry.ts";
import type { EngineDeps } from "./runs/engine.ts";

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
