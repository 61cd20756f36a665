/** Traces a workflow step's arguments for the gate: exactly by its expressions, and by content for what stands in passages. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { TemplateValue } from "../../expression/template-value.ts";
import { createRunFlow } from "../../gate/data-flow.ts";
import type { Observation } from "../../gate/data-flow.ts";
import { isMarked } from "../../gate/data-flow-passages.ts";
import type { ForeignPassages } from "../../gate/data-flow-passages.ts";
import type { Traced } from "../../gate/gate-input.ts";
import { isTrustedLabel } from "../../gate/labels.ts";
import { leavesOf } from "../../gate/labels-roles.ts";
import { targetsOf } from "../../gate/target-memory.ts";
import type { TargetMemory, TargetOwner } from "../../gate/target-memory.ts";
import { targetRoles } from "../../policy/rules/argument-origin.ts";
import type { ActionFlow, ArgumentOrigin, PastAct } from "../../policy/rules/argument-origin.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { RiskSigns } from "../../policy/rules/risk-score.ts";
import type { AnyTool } from "../../tools/tool.ts";
import type { Workflow } from "../../workflows/workflow.ts";
import { exactOrigins, operatorTexts, originAt } from "./exact-flow.ts";
import type { ExactOrigin, FlowFacts } from "./exact-flow.ts";
import type { RunState } from "../journal/fold.ts";
import { hasReadableError, labelsBrought } from "../journal/origins-seen.ts";
import type { StepRecord } from "../journal/step-record.ts";

export interface StepTrace {
  readonly state: RunState;
  readonly workflow: Workflow;
  /** As written in the file, and as rendered. */
  readonly template: TemplateValue;
  readonly args: JsonObject;
  /** What a person put in place of `args` when asked, or what the gate made of them. */
  readonly edited: JsonObject | null;
  readonly tool: Pick<AnyTool, "argumentRoles" | "effect"> | undefined;
  readonly toolNames: readonly string[];
  readonly owner: TargetOwner;
  readonly nowMs: number;
}

/** Cost: linear in the outputs that the arguments really read, not in the run. */
export async function traceStep(trace: StepTrace, memory: TargetMemory | undefined): Promise<Traced> {
  const roles = trace.tool?.argumentRoles;
  const args = trace.edited ?? trace.args;
  const newTargets = memory === undefined ? null : await memory.countNew(trace.owner, targetsOf(args, roles));
  const { flow, passages } = flowOf(trace);
  return { flow: { ...flow, newTargets }, risks: risksOf(trace.state, trace.nowMs), passages };
}

function flowOf({ state, workflow, template, tool, toolNames, owner, ...given }: StepTrace): {
  readonly flow: ActionFlow;
  readonly passages: ForeignPassages;
} {
  const args = given.edited ?? given.args;
  const unchanged = new Map(leavesOf(given.args).map(({ path, value }) => [path, value]));
  const entered = new Set(
    leavesOf(args).flatMap(({ path, value }) =>
      // A text the gate changed is the stranger's still, also where a person left the mark standing.
      unchanged.get(path) === value || (typeof value === "string" && isMarked(value)) ? [] : [path],
    ),
  );
  const exact = exactOrigins(template, flowFactsOf(state, workflow));
  const { own, foreign } = inputsOf(state);
  const content = createRunFlow({
    task: null,
    inputs: own,
    instructions: operatorTexts(workflow).join("\n"),
    tools: toolNames,
  });
  if (Object.keys(foreign).length > 0) {
    const labels = Object.values(state.inherited!.inputs).flat();
    const seen = {
      action: "inputs",
      resource: "",
      args: {},
      step: "inputs",
      output: foreign,
      labels,
    } as const;
    content.observe({ ...seen, outcome: "completed", atMs: state.createdAtMs });
  }
  for (const path of new Set([...exact.values()].flatMap(({ steps }) => steps))) {
    content.observe(observationOf(state.steps.get(path)!));
  }
  const traced = content.trace({
    action: owner.tool,
    args,
    roles: tool?.argumentRoles,
    ...(tool?.effect === "pure" ? { isEffect: false } : {}),
  });
  const flow = {
    ...traced,
    arguments: traced.arguments.map((origin) =>
      entered.has(origin.path) ? fromPerson(origin) : sharpen(origin, originAt(exact, origin.path)),
    ),
    history: historyOf(state),
  };
  return { flow, passages: content.passages() };
}

/** What a step has put before those behind it: its output, or the words of its failure. */
function observationOf(step: StepRecord): Observation {
  const { path, intent, refused, error, laneErrors, startedAtMs: atMs } = step;
  const { tool: action, resource } = intent ?? refused ?? { tool: "step", resource: "" };
  const act = { action, resource, args: intent?.args ?? {}, step: path, labels: labelsBrought(step), atMs };
  if (!hasReadableError(step)) return { ...act, output: step.output, outcome: "completed" };
  const said = { message: error?.message ?? null, hint: error?.hint ?? null, errors: laneErrors ?? {} };
  return { ...act, output: said, outcome: "failed" };
}

/** What a value's origin is read off with. */
export function flowFactsOf(state: RunState, workflow: Workflow): FlowFacts {
  const brought = new Map<string, readonly OriginLabel[]>();
  const failures = new Map<string, readonly OriginLabel[]>();
  for (const step of state.steps.values()) {
    if (step.status === "completed") brought.set(step.path, step.labels);
    if (hasReadableError(step)) failures.set(step.path, labelsBrought(step));
  }
  return { workflow, brought, failures, inputs: state.inherited?.inputs ?? {} };
}

/** Those that somebody outside may have written are not the requester's word. */
function inputsOf({ inputs, inherited }: RunState): {
  readonly own: JsonObject;
  readonly foreign: JsonObject;
} {
  const isForeign = ([name]: readonly [string, unknown]): boolean =>
    Object.hasOwn(inherited?.inputs ?? {}, name);
  const entries = Object.entries(inputs);
  return {
    own: Object.fromEntries(entries.filter((entry) => !isForeign(entry))),
    foreign: Object.fromEntries(entries.filter(isForeign)),
  };
}

/** A person entered it when asked about the action. */
function fromPerson(origin: ArgumentOrigin): ArgumentOrigin {
  return { ...origin, from: "trusted", how: "exact", labels: ["user"], sources: ["approval"], instructed: 0 };
}

/** The expression says where the value came from; the content whether the task says it too, and in what passage it stands. */
function sharpen(origin: ArgumentOrigin, exact: ExactOrigin | undefined): ArgumentOrigin {
  // Filled in by the tool's schema: the operator's.
  if (exact === undefined)
    return {
      ...origin,
      from: "trusted",
      how: "expression",
      labels: ["operator"],
      sources: [],
      instructed: 0,
    };
  const { labels } = exact;
  const isInput = exact.steps.length === 0 && !labels.every(isTrustedLabel);
  const sources = isInput ? ["inputs"] : exact.steps.map((path) => `step ${path}`).slice(0, 3);
  if (labels.every(isTrustedLabel))
    return { ...origin, from: "trusted", how: "expression", labels, sources, instructed: 0 };
  const isSaid = origin.from === "trusted" && origin.how !== "none" && origin.how !== "derived";
  if (isSaid) return origin;
  const isWhole = !labels.some(isTrustedLabel);
  // `https://${{ host }}/x` is the operator's text around a stranger's target: the target is the stranger's.
  const isTaken = isWhole || (targetRoles.has(origin.role) && origin.from === "untrusted-only");
  return { ...origin, from: isTaken ? "untrusted-only" : "mixed", how: "expression", labels, sources };
}

/** In the order in which they ended, after what was done before the run began. */
export function historyOf(state: RunState): readonly PastAct[] {
  const ended = [...state.steps.values()].toSorted((a, b) => (a.endedSeq ?? 0) - (b.endedSeq ?? 0));
  return [...(state.inherited?.acts ?? []), ...ended.flatMap(pastActOf)].slice(-200);
}

function pastActOf(step: StepRecord): readonly PastAct[] {
  const { status, startedAtMs: atMs } = step;
  const labels = labelsBrought(step);
  // What policy refused at once never came to an intent.
  const act = step.intent ?? step.refused;
  if (act === null || (status !== "completed" && status !== "failed" && status !== "denied")) return [];
  return [{ action: act.tool, resource: act.resource, labels, outcome: status, instructed: 0, atMs }];
}

const minuteMs = 60_000;

function risksOf(state: RunState, nowMs: number): RiskSigns {
  const signs = { recentDenials: 0, recentFailures: 0, recentActions: 0 };
  for (const step of state.steps.values()) {
    if (step.status === "denied") signs.recentDenials += 1;
    if (step.status === "failed" && step.intent !== null) signs.recentFailures += 1;
    if (step.intent !== null && nowMs - step.startedAtMs < minuteMs) signs.recentActions += 1;
  }
  return signs;
}
