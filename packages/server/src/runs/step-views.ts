/** The steps of a run as people see them: the file in order, loops unrolled as far as they have run, handlers once they began. Pure. */
import type { ArgumentOrigin } from "../policy/argument-origin.ts";
import { handlerNames } from "../workflows/workflow.ts";
import type { Step, Workflow } from "../workflows/workflow.ts";
import type { StepView } from "./api-schemas.ts";
import type { RunState } from "./fold.ts";
import type { StepRecord } from "./step-record.ts";
import { optionalTime, timeText } from "./views.ts";
import type { Redact } from "./views.ts";

/** A step of the file at one place of the run; cheap, so that a run of 100,000 steps can be listed and a page of it shown. */
export interface PlacedStep {
  readonly path: string;
  readonly step: Step;
  readonly spot: Spot;
}

/** In the order they are shown. Those that have not begun are among them. */
export function listSteps(workflow: Workflow, state: RunState): readonly PlacedStep[] {
  return viewList(workflow.steps, { prefix: "", depth: 0, role: "step", branch: null }, { state });
}

interface Viewing {
  readonly state: RunState;
}

export interface Spot {
  readonly prefix: string;
  readonly depth: number;
  readonly role: StepView["role"];
  /** Of the `parallel` step whose branch these steps are. */
  readonly branch: string | null;
}

function viewList(steps: readonly Step[], spot: Spot, viewing: Viewing): PlacedStep[] {
  return steps.flatMap((step, index) => {
    const here = index === 0 ? spot : { ...spot, branch: null };
    return [
      { path: here.prefix + step.id, step, spot: here },
      ...viewInner(step, spot, viewing),
      ...viewHandlers(step, spot, viewing),
    ];
  });
}

function viewInner(step: Step, spot: Spot, viewing: Viewing): PlacedStep[] {
  const path = spot.prefix + step.id;
  const start = viewing.state.steps.get(path)?.start;
  const inside = { ...spot, prefix: `${path}/`, depth: spot.depth + 1, branch: null };
  switch (step.kind) {
    case "for_each": {
      const rounds = start?.kind === "for_each" ? start.items.length : 0;
      const begun = Array.from({ length: rounds }, (_, index) => `${path}/${index}/`).filter((prefix) =>
        step.steps.some(({ id }) => viewing.state.steps.has(prefix + id)),
      );
      // Before its first round the body is shown once, so that the whole graph can be seen.
      const prefixes = begun.length > 0 ? begun : [`${path}/`];
      return prefixes.flatMap((prefix) => viewList(step.steps, { ...inside, prefix }, viewing));
    }
    case "branch": {
      const arms = start?.kind === "branch" ? step.arms.slice(start.chosen).slice(0, 1) : step.arms;
      const taken = start?.kind === "branch" && start.chosen < 0 ? [] : arms;
      return taken.flatMap((arm) => viewList(arm.steps, inside, viewing));
    }
    case "parallel":
      return step.branches.flatMap(({ name, steps }) =>
        viewList(steps, { ...inside, prefix: `${path}/${name}/`, branch: name }, viewing),
      );
    case "group":
      return viewList(step.steps, inside, viewing);
    case "tool":
    case "workflow":
    case "approval":
    case "wait":
    case "set":
      return [];
  }
}

function viewHandlers(step: Step, spot: Spot, viewing: Viewing): PlacedStep[] {
  return handlerNames.flatMap((role) => {
    const prefix = `${spot.prefix}${step.id}/${role}/`;
    const begun = step[role].filter(({ id }) => viewing.state.steps.has(prefix + id));
    return viewList(begun, { prefix, depth: spot.depth + 1, role, branch: null }, viewing);
  });
}

/** What has not begun is `pending`. */
export function viewStep({ path, step, spot }: PlacedStep, state: RunState, redact: Redact): StepView {
  const record = state.steps.get(path);
  const intent = record?.intent ?? null;
  return {
    path,
    id: step.id,
    kind: step.kind,
    role: spot.role,
    branch: spot.branch,
    childRunId: record?.start?.kind === "workflow" ? record.start.childId : null,
    caught: record?.isCaught ?? false,
    title: step.title,
    depth: spot.depth,
    state: record?.status ?? "pending",
    attempt: record?.attempt ?? 0,
    startedAt: optionalTime(record?.startedAtMs ?? null),
    endedAt: optionalTime(record?.endedAtMs ?? null),
    tool: step.kind === "tool" ? step.action : null,
    resource: intent?.resource ?? null,
    summary: intent?.summary ?? summaryOf(step),
    effect: intent?.effect ?? null,
    args: redact(intent?.args ?? null),
    output: redact(record?.output ?? null),
    error: record?.error ?? null,
    held: record?.held ? { reason: record.held.reason, until: timeText(record.held.retryAtMs) } : null,
    carried: record?.carried ? { ...record.carried } : null,
    signal: signalOf(step),
    decision: decisionOf(record),
    approvalId: record?.question?.id ?? record?.answer?.approvalId ?? intent?.approvalId ?? null,
  };
}

function summaryOf(step: Step): string | null {
  if (step.kind === "workflow") return `run ${step.source.value}`;
  return step.kind === "wait" && step.wait.kind === "signal" ? `wait for signal ${step.wait.name}` : null;
}

function signalOf(step: Step): StepView["signal"] {
  if (step.kind !== "wait" || step.wait.kind !== "signal") return null;
  const { name, by, payload } = step.wait;
  const members = payload?.map((member) => ({
    ...{ name: member.name, type: member.type, description: member.description },
    isNeeded: member.default === undefined,
  }));
  return { name, by: by && [...by], payload: members ?? null };
}

function decisionOf(record: StepRecord | undefined): StepView["decision"] {
  const decision = record?.intent?.decision ?? record?.denial ?? null;
  if (decision === null) return null;
  const { effect, risk, reason, revision, matched, score, origins } = decision;
  return {
    ...{ effect, risk, reason, revision, matched: matched.map((rule) => ({ ...rule })) },
    ...(score === undefined ? {} : { score: { ...score, factors: [...score.factors] } }),
    ...(origins === undefined ? {} : { origins: origins.map(viewOrigin) }),
  };
}

function viewOrigin(
  origin: ArgumentOrigin,
): NonNullable<NonNullable<StepView["decision"]>["origins"]>[number] {
  return { ...origin, labels: [...origin.labels], sources: [...origin.sources] };
}
