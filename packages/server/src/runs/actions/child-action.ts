/** Beginning a run of another workflow, as an action: what the gate judges of it, and what the journal keeps. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import type { GateTool } from "../../gate/gate-input.ts";
import { runWorkflowAction } from "../../tools/run-workflow.ts";
import type { AnyTool } from "../../tools/tool.ts";
import type { ChildStep } from "../../workflows/workflow.ts";
import type { ActionIntent } from "../journal/event.ts";
import type { RunSession } from "../session/session.ts";
import type { LetThrough } from "./admission.ts";
import { idempotencyKey } from "./effects.ts";

/**
 * Stands beside the inputs in what is judged, approved and recorded: a yes to a workflow is not one to what its name stands for
 * later. No input can be called so.
 */
const digestName = "@digest";

/** The workflow that a step would run. */
export interface ChildWorkflow {
  readonly name: string;
  readonly digest: string;
  readonly source: ChildStep["source"];
  /** The inputs with their defaults. Throws INPUTS_INVALID. */
  readonly requireInputs: (given: JsonObject) => JsonObject;
}

/**
 * A registered name is the operator's; a file may call itself what it likes, so it is known by its path among the task's files,
 * and patterns without `/` never match it.
 */
function childResource({ kind, value }: ChildStep["source"]): string {
  return kind === "name" ? value : `task/${value}`;
}

export function createChildGateTool(child: ChildWorkflow): GateTool {
  const { name, defaultTimeoutMs, maxTimeoutMs } = runWorkflowAction;
  const { digest, source } = child;
  const resource = childResource(source);
  return {
    name,
    defaultTimeoutMs,
    maxTimeoutMs,
    passesSecretsOn: true,
    parse(args) {
      if (Object.hasOwn(args, digestName) && args[digestName] !== digest)
        throw new HomeostatError(
          "ACTION_INVALID",
          `${resource} has the digest ${digest}; another cannot be put in its place`,
        );
      return { ...child.requireInputs(inputsOf(args)), [digestName]: digest };
    },
    // What `parse` gave.
    resolve: (parsed) =>
      Promise.resolve({
        resource,
        args: parsed as JsonObject,
        summary: `run the workflow ${child.name}${source.kind === "file" ? ` (${source.value})` : ""}`,
      }),
  };
}

/** The child's inputs among the arguments that were judged. */
export function inputsOf(args: JsonObject): JsonObject {
  const { [digestName]: _, ...inputs } = args;
  return inputs;
}

/**
 * Inputs are texts of the new run, not yet a target, and beginning it changes nothing by itself: what they are for and what is done
 * with them is judged where the child does it, which knows where they came from.
 */
export function childTraceTool(inputs: JsonObject): Pick<AnyTool, "name" | "argumentRoles" | "effect"> {
  const roles = Object.keys(inputs).map((name) => [name, "body"] as const);
  return { name: runWorkflowAction.name, effect: "pure", argumentRoles: Object.fromEntries(roles) };
}

/** Goes into the batch that creates the child: nothing acts after it, and its outcome is never in doubt. */
export function childIntent(
  { runId }: Pick<RunSession, "runId">,
  begun: {
    readonly stepPath: string;
    readonly attempt: number;
    readonly admitted: LetThrough;
    readonly labels: ActionIntent["labels"];
    readonly approvalId: string | null;
    readonly nowMs: number;
  },
): ActionIntent {
  const { stepPath, attempt, admitted, labels, approvalId, nowMs } = begun;
  const { resource, args, summary } = admitted.resolved;
  return {
    tool: runWorkflowAction.name,
    effect: runWorkflowAction.effect,
    args,
    argsDigest: admitted.argsDigest,
    resource,
    summary,
    labels,
    attempt,
    key: idempotencyKey(runId, stepPath, attempt),
    decision: admitted.decision,
    approvalId,
    deadlineAtMs: nowMs,
    mayTakeMs: 0,
    resumed: false,
    ...(admitted.asked === null ? {} : { asked: admitted.asked }),
  };
}
