/** Walks a workflow over a run's state: what the journal has is not done again, what it lacks is done now. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Scope } from "../expression/expression.ts";
import { renderValue } from "../expression/template-value.ts";
import type { OriginLabel } from "../policy/decision.ts";
import { waitEndsAt } from "../workflows/wait.ts";
import type {
  BranchStep,
  ForEachStep,
  SetStep,
  Step,
  ToolStep,
  WaitStep,
  Workflow,
} from "../workflows/workflow.ts";
import { runApprovalStep } from "./approval-step.ts";
import type { WorkflowResult } from "./drive.ts";
import type { RunError } from "./event.ts";
import type { StepRecord } from "./fold.ts";
import type { RunSession } from "./session.ts";
import { failed } from "./step-result.ts";
import type { StepResult } from "./step-result.ts";
import { runToolStep } from "./tool-step.ts";
import type { ToolStepDeps } from "./tool-step.ts";

export interface WorkflowDeps extends ToolStepDeps {
  /** True when messages wait or the server stops: the walk lets go before the next step. */
  readonly shouldPause: () => boolean;
}

/** What one walk carries along. */
interface Walk {
  readonly session: RunSession;
  readonly deps: WorkflowDeps;
}

/** Where in the walk a list of steps stands; `steps` grows as they are done, in place: one object per scope. */
interface Place {
  /** Path in front of the ids, `` or `each/3/`. */
  readonly prefix: string;
  readonly names: Readonly<Record<string, JsonValue>>;
  readonly steps: Record<string, JsonValue>;
}

/** Throws LEASE_LOST and STORE_UNAVAILABLE only; everything else is a result. */
export async function runWorkflow(
  session: RunSession,
  workflow: Workflow,
  deps: WorkflowDeps,
): Promise<WorkflowResult> {
  const { state } = session;
  const startedAt = new Date(state.startedAtMs ?? state.createdAtMs).toISOString();
  const place: Place = {
    prefix: "",
    names: { inputs: state.inputs, run: { id: state.id, startedAt } },
    steps: {},
  };
  const result = await runSteps({ session, deps }, workflow.steps, place);
  if (result.kind !== "done") return result;
  const outputs = await rendering("outputs", () => {
    const scope = scopeOf(place);
    return Object.fromEntries(workflow.outputs.map(({ key, value }) => [key, renderValue(value, scope)]));
  });
  if (outputs.kind === "failed") return outputs;
  // Proven by the line above: it renders to an object.
  return { kind: "completed", outputs: outputs.output as JsonObject };
}

async function runSteps(walk: Walk, steps: readonly Step[], place: Place): Promise<StepResult> {
  let last: JsonValue = null;
  for (const step of steps) {
    const result = await runStep(walk, step, place);
    if (result.kind !== "done") return result;
    const state = walk.session.state.steps.get(place.prefix + step.id)?.status ?? "completed";
    place.steps[step.id] = { output: result.output, state };
    last = result.output;
  }
  return { kind: "done", output: last };
}

async function runStep(walk: Walk, step: Step, place: Place): Promise<StepResult> {
  const { session, deps } = walk;
  const path = place.prefix + step.id;
  const record = session.state.steps.get(path);
  if (record?.status === "completed" || record?.status === "skipped") {
    return { kind: "done", output: record.output };
  }
  if (deps.shouldPause() || session.interrupt.aborted) return { kind: "interrupted" };
  if (record === undefined && step.condition !== null) {
    const condition = await rendering(path, () => renderValue(step.condition!, scopeOf(place)));
    if (condition.kind === "failed") return await recordFailure(walk, path, condition.error);
    if (!isTrue(condition.output)) {
      await session.append([{ kind: "step.skipped", step: path, reason: "its `if` is false" }]);
      return { kind: "done", output: null };
    }
  }
  return await runKind(walk, { step, path, place, record });
}

interface Due<Kind extends Step = Step> {
  readonly step: Kind;
  readonly path: string;
  readonly place: Place;
  readonly record: StepRecord | undefined;
}

async function runKind(walk: Walk, due: Due): Promise<StepResult> {
  const { step } = due;
  switch (step.kind) {
    case "tool":
      return await runTool(walk, { ...due, step });
    case "branch":
      return await runBranch(walk, { ...due, step });
    case "for_each":
      return await runForEach(walk, { ...due, step });
    case "approval":
      return await runApprovalStep(walk.session, { ...due, step, scope: scopeOf(due.place) }, walk.deps);
    case "wait":
      return await runWait(walk, { ...due, step });
    case "set":
      return await runSet(walk, { ...due, step });
  }
}

async function runTool(walk: Walk, { step, path, place }: Due<ToolStep>): Promise<StepResult> {
  const args = await rendering(path, () => renderValue(step.args, scopeOf(place)));
  if (args.kind === "failed") return await recordFailure(walk, path, args.error);
  return await runToolStep(
    walk.session,
    {
      stepPath: path,
      toolName: step.action,
      // The workflow's schema proves that `with` is an object.
      args: args.output as JsonObject,
      labels: labelsSeen(walk.session),
      timeoutMs: step.timeoutMs,
      retry: step.retry,
    },
    walk.deps,
  );
}

/** Everything the run has seen so far may have shaped these arguments. Finer tracking comes with values that carry labels. */
function labelsSeen({ state }: RunSession): readonly OriginLabel[] {
  const labels = new Set<OriginLabel>(["operator", ...state.origins]);
  if (Object.keys(state.inputs).length > 0) labels.add("user");
  return [...labels].sort();
}

async function runBranch(walk: Walk, { step, path, place, record }: Due<BranchStep>): Promise<StepResult> {
  let chosen = record?.start?.kind === "branch" ? record.start.chosen : undefined;
  if (chosen === undefined) {
    const scope = scopeOf(place);
    const found = await rendering(path, () =>
      step.arms.findIndex(({ when }) => when === null || isTrue(renderValue(when, scope))),
    );
    if (found.kind === "failed") return await recordFailure(walk, path, found.error);
    chosen = found.output as number;
    await walk.session.append([{ kind: "step.started", step: path, start: { kind: "branch", chosen } }]);
  }
  const inner: Place = { ...place, prefix: `${path}/`, steps: { ...place.steps } };
  const result = await runSteps(walk, step.arms[chosen]?.steps ?? [], inner);
  // A branch gives what the last step of the arm taken gave; null when no arm was.
  return result.kind === "done" ? await completeStep(walk, path, result.output) : result;
}

async function runForEach(walk: Walk, { step, path, place, record }: Due<ForEachStep>): Promise<StepResult> {
  let items = record?.start?.kind === "for_each" ? record.start.items : undefined;
  if (items === undefined) {
    const rendered = await rendering(path, () => requireList(renderValue(step.items, scopeOf(place)), path));
    if (rendered.kind === "failed") return await recordFailure(walk, path, rendered.error);
    items = rendered.output as readonly JsonValue[];
    await walk.session.append([{ kind: "step.started", step: path, start: { kind: "for_each", items } }]);
  }
  const collected: JsonValue[] = [];
  for (const [index, item] of items.entries()) {
    const names = { ...place.names, [step.as]: item, index };
    const round: Place = { prefix: `${path}/${index}/`, names, steps: { ...place.steps } };
    const result = await runSteps(walk, step.steps, round);
    if (result.kind !== "done") return result;
    if (step.collect === null) continue;
    const value = await rendering(path, () => renderValue(step.collect!, scopeOf(round)));
    if (value.kind === "failed") return await recordFailure(walk, path, value.error);
    collected.push(value.output);
  }
  return await completeStep(walk, path, step.collect === null ? { count: items.length } : collected);
}

function requireList(value: JsonValue, path: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw new HomeostatError(
    "EXPRESSION_INVALID",
    `${path}: for_each needs a list, got ${JSON.stringify(value).slice(0, 80)}`,
  );
}

async function runWait(walk: Walk, { step, path, place, record }: Due<WaitStep>): Promise<StepResult> {
  const { session, deps } = walk;
  let untilMs = record?.start?.kind === "wait" ? record.start.untilMs : undefined;
  if (untilMs === undefined) {
    const ends = await rendering(path, () => waitEndsAt(step, scopeOf(place), deps.clock.now()));
    if (ends.kind === "failed") return await recordFailure(walk, path, ends.error);
    untilMs = ends.output as number;
    await session.append([{ kind: "step.started", step: path, start: { kind: "wait", untilMs } }]);
  }
  if (deps.clock.now() < untilMs) return { kind: "wait", waiting: { kind: "timer", untilMs } };
  return await completeStep(walk, path, { until: new Date(untilMs).toISOString() });
}

async function runSet(walk: Walk, { step, path, place }: Due<SetStep>): Promise<StepResult> {
  const values = await rendering(path, () => {
    const scope = scopeOf(place);
    return Object.fromEntries(step.values.map(({ key, value }) => [key, renderValue(value, scope)]));
  });
  if (values.kind === "failed") return await recordFailure(walk, path, values.error);
  return await completeStep(walk, path, values.output);
}

async function completeStep({ session }: Walk, path: string, output: JsonValue): Promise<StepResult> {
  await session.append([{ kind: "step.completed", step: path, output }]);
  return { kind: "done", output };
}

async function recordFailure({ session }: Walk, path: string, error: RunError): Promise<StepResult> {
  await session.append([{ kind: "step.failed", step: path, error }]);
  return failed(error);
}

function scopeOf(place: Place): Scope {
  return { ...place.names, steps: place.steps };
}

type Rendered =
  { readonly kind: "done"; readonly output: JsonValue } | Extract<StepResult, { readonly kind: "failed" }>;

/** Expression errors are the workflow's, not ours: they fail the step with the place in the file. */
async function rendering(path: string, render: () => JsonValue): Promise<Rendered> {
  try {
    return { kind: "done", output: render() };
  } catch (error) {
    if (!isHomeostatError(error)) throw error;
    const line = error.place?.line === undefined ? "" : ` (line ${error.place.line} of the workflow)`;
    const cause: RunError = {
      code: error.code,
      message: `${error.message}${line}`,
      hint: error.hint,
      step: path,
    };
    return { kind: "failed", error: cause, transient: false };
  }
}

/** As the expression language's own conditions: false, null, zero and the empty text are false. */
function isTrue(value: JsonValue): boolean {
  return value !== false && value !== null && value !== 0 && value !== "";
}
