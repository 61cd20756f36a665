/** `workflow.run`: what a `workflow` step does. It stands among the tools so that policy, people and pins know it by name. */
import { z } from "zod";
import type { JsonObject } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { Tool } from "./tool.ts";

/** What the gate and the journal know of it without the tool itself. */
export const runWorkflowAction = {
  name: "workflow.run",
  effect: "idempotent",
  // Beginning a run is one batch; how long the child may take is the step's own `timeout`.
  defaultTimeoutMs: 60_000,
  maxTimeoutMs: 60_000,
} as const;

/**
 * Idempotent: the child exists from the very batch on that records the action, so its outcome is never in doubt. It is begun by a
 * `workflow` step alone; called in any other way it throws ACTION_INVALID.
 */
export function createRunWorkflowTool(): Tool<JsonObject> {
  const refuse = (): Promise<never> => Promise.reject(notByItself());
  return {
    ...runWorkflowAction,
    description:
      "Run another workflow as a run of its own; done by `workflow` steps. The arguments are its inputs.",
    // Which inputs there are is the workflow's to say. Everything comes from JSON; `z.json()` would describe all of it in the list.
    args: z.record(z.string(), z.unknown()) as z.ZodType<JsonObject>,
    files: "none",
    risk: "low",
    stepKind: "workflow",
    resolve: refuse,
    execute: refuse,
  };
}

function notByItself(): HomeostatError {
  return new HomeostatError(
    "ACTION_INVALID",
    `${runWorkflowAction.name} is what a step with \`workflow\` does; it cannot be called by itself`,
  );
}
