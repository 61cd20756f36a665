/** Traces a workflow step's arguments for the gate: exactly by its expressions, and by content for what stands in passages. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { TemplateValue } from "../expression/template-value.ts";
import { createRunFlow } from "../gate/data-flow.ts";
import { isMarked } from "../gate/data-flow-passages.ts";
import type { ForeignPassages } from "../gate/data-flow-passages.ts";
import type { Traced } from "../gate/gate-input.ts";
import { isTrustedLabel } from "../gate/labels.ts";
import { leavesOf } from "../gate/labels-roles.ts";
import { targetsOf } from "../gate/target-memory.ts";
import type { TargetMemory, TargetOwner } from "../gate/target-memory.ts";
import { targetRoles } from "../policy/argument-origin.ts";
import type { ActionFlow, ArgumentOrigin, PastAct } from "../policy/argument-origin.ts";
import type { RiskSigns } from "../policy/risk-score.ts";
import type { AnyTool } from "../tools/tool.ts";
import type { Workflow } from "../workflows/workflow.ts";
import { exactOrigins, operatorTexts, originAt } from "./exact-flow.ts";
import type { ExactOrigin } from "./exact-flow.ts";
import type { RunState } from "./fold.ts";
import type { StepRecord } from "./step-record.ts";

export interface StepTrace {
  readonly state: RunState;
  readonly workflow: Workflow;
  /** As written in the file, and as rendered. */
  readonly template: TemplateValue;
  readonly args: JsonObject;
  /** What a person put in place of `args` when asked, or what the gate made of them. */
  readonly edited: JsonObject | null;
  readonly tool: AnyTool | undefined;
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
  const brought = new Map([...state.steps.values()].filter(isAction).map((step) => [step.path, step.labels]));
  const exact = exactOrigins(template, { workflow, brought });
  const content = createRunFlow({
    task: null,
    inputs: state.inputs,
    instructions: operatorTexts(workflow).join("\n"),
    tools: toolNames,
  });
  for (const path of new Set([...exact.values()].flatMap(({ steps }) => steps))) {
    const step = state.steps.get(path)!;
    const { tool: action, resource, args: given } = step.intent!;
    content.observe({
      action,
      resource,
      args: given,
      step: path,
      output: step.output,
      labels: step.labels,
      outcome: "completed",
      atMs: step.startedAtMs,
    });
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

/** A person entered it when asked about the action. */
function fromPerson(origin: ArgumentOrigin): ArgumentOrigin {
  return { ...origin, from: "trusted", how: "exact", labels: ["user"], sources: ["approval"], instructed: 0 };
}

function isAction(step: StepRecord): boolean {
  return step.intent !== null && step.status === "completed";
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
  const sources = exact.steps.map((path) => `step ${path}`).slice(0, 3);
  if (labels.every(isTrustedLabel))
    return { ...origin, from: "trusted", how: "expression", labels, sources, instructed: 0 };
  const isSaid = origin.from === "trusted" && origin.how !== "none" && origin.how !== "derived";
  if (isSaid) return origin;
  const isWhole = !labels.some(isTrustedLabel);
  // `https://${{ host }}/x` is the operator's text around a stranger's target: the target is the stranger's.
  const isTaken = isWhole || (targetRoles.has(origin.role) && origin.from === "untrusted-only");
  return { ...origin, from: isTaken ? "untrusted-only" : "mixed", how: "expression", labels, sources };
}

export function historyOf(state: RunState): readonly PastAct[] {
  return [...state.steps.values()]
    .flatMap((step): readonly PastAct[] => {
      const { intent } = step;
      if (
        intent === null ||
        (step.status !== "completed" && step.status !== "failed" && step.status !== "denied")
      )
        return [];
      const { tool: action, resource } = intent;
      return [
        {
          action,
          resource,
          labels: step.labels,
          outcome: step.status,
          instructed: 0,
          atMs: step.startedAtMs,
        },
      ];
    })
    .slice(-200);
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
