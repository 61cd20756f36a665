/** A step that calls a tool: its arguments are rendered, what the run has seen so far is told to policy, then it goes to the gate. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { renderValue } from "../../expression/template-value.ts";
import type { Traced } from "../../gate/gate-input.ts";
import type { ToolStep } from "../../workflows/workflow.ts";
import type { StepResult } from "../journal/step-result.ts";
import { labelsSeen } from "../actions/labels-seen.ts";
import { runToolStep } from "../actions/tool-step.ts";
import { traceStep } from "../actions/trace-step.ts";
import { scopeOf } from "./place.ts";
import { rendering, waitUntil } from "./walk.ts";
import type { Due, Walk } from "./walk.ts";

export async function runToolCallStep(walk: Walk, due: Due<ToolStep>): Promise<StepResult> {
  const { step, path, place } = due;
  const args = await rendering(path, () => renderValue(step.args, scopeOf(place)));
  if (args.kind === "failed") return args;
  const { stepArguments } = walk.session.state;
  const edits = Object.hasOwn(stepArguments, path) ? stepArguments[path] : undefined;
  const own = edits === undefined ? null : { ...(args.output as JsonObject), ...edits };
  const result = await runToolStep(
    walk.session,
    {
      stepPath: path,
      toolName: step.action,
      // The workflow's schema proves that `with` is an object.
      args: own ?? (args.output as JsonObject),
      labels: labelsSeen(walk.session.state, edits !== undefined),
      timeoutMs: step.timeoutMs,
      notAfterMs: place.deadline?.atMs ?? null,
      retry: step.retry,
      // What a re-run was given in place of the workflow's arguments is a person's edit as well.
      trace: (judged) => traceCall(walk, due, { args: args.output as JsonObject, edited: judged }),
      inTurn: walk.inTurn,
    },
    walk.deps,
  );
  return result.kind === "wait" ? waitUntil(result.waiting, place.deadline) : result;
}

function traceCall(
  { session, workflow, deps }: Walk,
  { step }: Due<ToolStep>,
  { args, edited }: { readonly args: JsonObject; readonly edited: JsonObject | null },
): Promise<Traced> {
  const agent = `workflow:${workflow.name}`;
  return traceStep(
    {
      state: session.state,
      workflow,
      template: step.args,
      args,
      edited,
      tool: deps.tools.get(step.action),
      toolNames: [...deps.tools.keys()],
      owner: { tenant: session.tenant, agent, tool: step.action },
      nowMs: deps.clock.now(),
    },
    deps.targets,
  );
}
