/** `wait.for`: does nothing for a while; longer waits are the workflow's own `wait` step, which holds no worker. */
import { z } from "zod";
import type { Tool } from "./tool.ts";

const args = z.strictObject({
  seconds: z.number().min(0).max(60).describe("How long; for more than a minute use a `wait` step."),
});

export interface WaitArgs {
  readonly seconds: number;
}

export function createWaitTool(): Tool<WaitArgs> {
  return {
    name: "wait.for",
    description: "Wait for up to a minute.",
    args,
    effect: "pure",
    files: "none",
    risk: "low",
    argumentRoles: { seconds: "option" },
    // The wait itself may take 60 s; the rest is slack for a busy machine.
    defaultTimeoutMs: 75_000,
    maxTimeoutMs: 120_000,
    async resolve(given) {
      return { resource: "clock", args: { ...given }, summary: `wait ${given.seconds} s` };
    },
    async execute(resolved, context) {
      const { seconds } = args.parse(resolved.args);
      await context.clock.sleep(seconds * 1000, context.signal);
      return { output: { seconds }, labels: [], touchedFiles: false };
    },
  };
}
