/** A step that runs another workflow: an action as any other, whose child exists from the same batch on that records it. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { isAway } from "../../guards/recovery.ts";
import { renderValue } from "../../expression/template-value.ts";
import type { Traced } from "../../gate/gate-input.ts";
import type { ChildStep } from "../../workflows/workflow.ts";
import { admitAction, nextAttempt, waitForAnswer } from "../actions/admission.ts";
import type { AdmissionRequest, LetThrough } from "../actions/admission.ts";
import { childIntent, childTraceTool, createChildGateTool, inputsOf } from "../actions/child-action.ts";
import { inheritedAgain, inheritedFromStep } from "../actions/inherited-flow.ts";
import { labelsSeen } from "../actions/labels-seen.ts";
import { traceStep } from "../actions/trace-step.ts";
import type { EventBody, RunError } from "../journal/event.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { failed } from "../journal/step-result.ts";
import type { FailedStep, StepResult } from "../journal/step-result.ts";
import { deepestRuns } from "../session/family.ts";
import { findChild, prepareChild } from "../submission/child-run.ts";
import type { FoundChild } from "../submission/child-run.ts";
import { requireInputs } from "../submission/submit.ts";
import { nearest, scopeOf } from "./place.ts";
import { rendering, waitUntil } from "./walk.ts";
import type { Deadline } from "./place.ts";
import type { Due, Walk } from "./walk.ts";

export async function runChildStep(walk: Walk, due: Due<ChildStep>): Promise<StepResult> {
  const { path, place, record } = due;
  // Also of a journal from before such steps were judged: the child is there, and nobody is asked again.
  if (record?.start?.kind === "workflow" && record.status === "waiting") {
    const own = record.deadlineAtMs === null ? null : { atMs: record.deadlineAtMs, of: path };
    return waitForChild(walk, due, { id: record.start.childId, deadline: nearest(place.deadline, own) });
  }
  if (record !== undefined && record.question !== null)
    return waitUntil(waitForAnswer(record.question).waiting, place.deadline);
  if (walk.session.state.ancestors.length + 1 >= deepestRuns) return failed(tooDeep(path));
  const rendered = await rendering(path, () => renderValue(due.step.inputs, scopeOf(place)));
  if (rendered.kind === "failed") return rendered;
  const child = await preparing(path, async () => {
    const { session, deps } = walk;
    const { state: parent, tenant } = session;
    const found = await findChild(deps.children, { parent, tenant, source: due.step.source });
    // The file's schema proves that `inputs` is an object.
    return { found, inputs: requireInputs(found.workflow, rendered.output as JsonObject) };
  });
  return "error" in child ? child : await judgeAndBegin(walk, due, child);
}

interface Child {
  readonly found: FoundChild;
  readonly inputs: JsonObject;
}

async function judgeAndBegin(walk: Walk, due: Due<ChildStep>, child: Child): Promise<StepResult> {
  const { session, deps } = walk;
  const { step, path, place } = due;
  const { name, digest } = child.found.workflow;
  const { source } = step;
  const requireThese = (given: JsonObject): JsonObject => requireInputs(child.found.workflow, given);
  const tool = createChildGateTool({ name, digest, source, requireInputs: requireThese });
  for (;;) {
    // Messages may have been read while a pause was slept through.
    const record = session.state.steps.get(path);
    const request: AdmissionRequest = {
      stepPath: path,
      toolName: tool.name,
      args: child.inputs,
      labels: labelsSeen(session.state, record?.edit != null),
      trace: (judged) => traceInputs(walk, due, { args: child.inputs, edited: judged }),
    };
    const attempt = nextAttempt(record);
    const each = { record, tool, attempt, timeoutMs: step.timeoutMs };
    const admitted = await admitAction(session, request, { each, deps });
    if (admitted === "again") {
      if (session.interrupt.aborted) return { kind: "interrupted" };
      continue;
    }
    if (admitted.kind === "wait") return waitUntil(admitted.waiting, place.deadline);
    if (admitted.kind !== "allow") return admitted;
    try {
      return await beginChild(walk, due, {
        ...child,
        toolName: tool.name,
        admitted,
        attempt,
        record,
        labels: request.labels,
      });
    } finally {
      deps.gate.settled(admitted, tool.name, "released");
    }
  }
}

function traceInputs(
  { session, workflow, deps }: Walk,
  { step }: Due<ChildStep>,
  { args, edited }: { readonly args: JsonObject; readonly edited: JsonObject },
): Promise<Traced> {
  const tool = childTraceTool(edited);
  const owner = { tenant: session.tenant, agent: `workflow:${workflow.name}`, tool: tool.name };
  return traceStep(
    {
      state: session.state,
      workflow,
      template: step.inputs,
      args,
      edited,
      tool,
      toolNames: [...deps.tools.keys()],
      owner,
      nowMs: deps.clock.now(),
    },
    deps.targets,
  );
}

interface Begun extends Child {
  readonly toolName: string;
  readonly admitted: LetThrough;
  readonly attempt: number;
  readonly record: StepRecord | undefined;
  readonly labels: AdmissionRequest["labels"];
}

async function beginChild(walk: Walk, due: Due<ChildStep>, begun: Begun): Promise<StepResult> {
  const { session, deps } = walk;
  const { step, path, place } = due;
  const { admitted, attempt, labels, record, toolName: tool } = begun;
  const { argsDigest } = admitted;
  const terms = { runId: session.runId, stepPath: path, attempt, tool, argsDigest };
  deps.permits.redeem(admitted.permit, { ...terms, epoch: session.lease.epoch });
  const inputs = inputsOf(admitted.resolved.args);
  const nowMs = deps.clock.now();
  const ownAtMs = ownEnd(nowMs, step.timeoutMs, admitted.decision.obligations.timeoutMs);
  const deadline = nearest(place.deadline, ownAtMs === null ? null : { atMs: ownAtMs, of: path });
  const child = await preparing(path, () =>
    prepareChild(deps.children, {
      parent: session.state,
      tenant: session.tenant,
      found: begun.found,
      step: path,
      source: step.source,
      inputs,
      deadlineAtMs: deadline?.atMs ?? null,
      inherited: inheritedAgain(
        inheritedFromStep(session.state, walk.workflow, step.inputs),
        begun.inputs,
        record?.edit ?? {},
      ),
    }),
  );
  if ("error" in child) return child;
  const { row, event, statements, workflow } = child;
  const approvalId = admitted.standing ?? record?.answer?.approvalId ?? null;
  const intent = childIntent(session, { stepPath: path, attempt, admitted, labels, approvalId, nowMs });
  const start = { kind: "workflow", childId: row.id, workflow } as const;
  const started: EventBody = { kind: "step.started", step: path, start };
  const bodies: readonly EventBody[] = [
    { kind: "action.intended", step: path, intent },
    ownAtMs === null ? started : { ...started, deadlineAtMs: ownAtMs },
  ];
  await session.append(bodies, { extra: statements });
  deps.children.announce([event], row);
  return waitForChild(walk, due, { id: row.id, deadline });
}

/** The step's own time, or what policy allows when that is less. */
function ownEnd(nowMs: number, timeoutMs: number | null, allowedMs: number | undefined): number | null {
  const ms = Math.min(timeoutMs ?? Infinity, allowedMs ?? Infinity);
  return ms === Infinity ? null : nowMs + ms;
}

function waitForChild(
  walk: Walk,
  { path }: Due<ChildStep>,
  child: { readonly id: string; readonly deadline: Deadline | null },
): StepResult {
  const { id, deadline } = child;
  if (deadline !== null && walk.deps.clock.now() >= deadline.atMs) {
    const error = { code: "STEP_TIMEOUT", message: `${path} took longer than its \`timeout\``, step: path };
    return { ...failed(error), timeoutOf: deadline.of };
  }
  return waitUntil({ kind: "child", id, untilMs: null }, deadline);
}

async function preparing<T>(path: string, prepare: () => Promise<T>): Promise<T | FailedStep> {
  try {
    return await prepare();
  } catch (error) {
    if (!isHomeostatError(error) || error.code === "STORE_UNAVAILABLE") throw error;
    const { code, hint } = error;
    return failed({ code, message: errorMessage(error), hint, step: path }, isAway(error));
  }
}

function tooDeep(step: string): RunError {
  return {
    code: "WORKFLOW_TOO_DEEP",
    message: `Workflows run each other ${deepestRuns} deep; the next one is refused`,
    step,
  };
}
