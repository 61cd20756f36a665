/** The steps of a run as people see them: the file in order, loops unrolled as far as they have run, handlers once they began. Pure. */
import type { TransformRecord } from "../../policy/rules/transform-record.ts";
import type { ArgumentOrigin } from "../../policy/rules/argument-origin.ts";
import { handlerNames } from "../../workflows/workflow.ts";
import type { Step, Workflow } from "../../workflows/workflow.ts";
import type { StepView } from "./api-schemas.ts";
import type { RunState } from "../journal/fold.ts";
import type { StepRecord } from "../journal/step-record.ts";
import { optionalTime, timeText } from "./views.ts";
import type { Redact } from "./views.ts";

/** A step of the file at one place of the run. */
export interface PlacedStep {
  readonly path: string;
  readonly step: Step;
  readonly spot: Spot;
}

export interface Spot {
  readonly prefix: string;
  readonly depth: number;
  readonly role: StepView["role"];
  /** Of the `parallel` step whose branch these steps are. */
  readonly branch: string | null;
}

export interface StepPage {
  readonly steps: readonly PlacedStep[];
  /** How many steps there are in all whose path begins with the prefix. */
  readonly count: number;
}

/**
 * Of the steps whose path begins with `prefix`, in the order they are shown, `limit` from number `begin` on. Those that have not
 * begun are among them. The others are counted and not kept: a run of 50,000 steps would take 20 MB for a moment.
 */
export function listSteps(
  workflow: Workflow,
  state: RunState,
  page: { readonly prefix: string; readonly begin: number; readonly limit: number },
): StepPage {
  const steps: PlacedStep[] = [];
  let count = 0;
  const visit = (path: string, step: Step, spot: Spot): void => {
    if (!path.startsWith(page.prefix)) return;
    if (count >= page.begin && steps.length < page.limit) steps.push({ path, step, spot });
    count += 1;
  };
  visitList(workflow.steps, { prefix: "", depth: 0, role: "step", branch: null }, { state, visit });
  return { steps, count };
}

interface Visiting {
  readonly state: RunState;
  readonly visit: (path: string, step: Step, spot: Spot) => void;
}

function visitList(steps: readonly Step[], spot: Spot, visiting: Visiting): void {
  for (const [index, step] of steps.entries()) {
    const here = index === 0 ? spot : { ...spot, branch: null };
    visiting.visit(here.prefix + step.id, step, here);
    visitInner(step, spot, visiting);
    visitHandlers(step, spot, visiting);
  }
}

function visitInner(step: Step, spot: Spot, visiting: Visiting): void {
  const path = spot.prefix + step.id;
  const start = visiting.state.steps.get(path)?.start;
  const inside = { ...spot, prefix: `${path}/`, depth: spot.depth + 1, branch: null };
  switch (step.kind) {
    case "for_each": {
      const rounds = start?.kind === "for_each" ? start.items.length : 0;
      let hasBegun = false;
      for (let round = 0; round < rounds; round += 1) {
        const prefix = `${path}/${round}/`;
        if (!step.steps.some(({ id }) => visiting.state.steps.has(prefix + id))) continue;
        hasBegun = true;
        visitList(step.steps, { ...inside, prefix }, visiting);
      }
      // Before its first round the body is shown once, so that the whole graph can be seen.
      if (!hasBegun) visitList(step.steps, inside, visiting);
      return;
    }
    case "branch": {
      const arms = start?.kind === "branch" ? step.arms.slice(start.chosen).slice(0, 1) : step.arms;
      const taken = start?.kind === "branch" && start.chosen < 0 ? [] : arms;
      for (const arm of taken) visitList(arm.steps, inside, visiting);
      return;
    }
    case "parallel":
      for (const { name, steps } of step.branches)
        visitList(steps, { ...inside, prefix: `${path}/${name}/`, branch: name }, visiting);
      return;
    case "group":
      visitList(step.steps, inside, visiting);
      return;
    case "tool":
    case "workflow":
    case "approval":
    case "wait":
    case "set":
      return;
  }
}

function visitHandlers(step: Step, spot: Spot, visiting: Visiting): void {
  for (const role of handlerNames) {
    if (step[role].length === 0) continue;
    const prefix = `${spot.prefix}${step.id}/${role}/`;
    const begun = step[role].filter(({ id }) => visiting.state.steps.has(prefix + id));
    visitList(begun, { prefix, depth: spot.depth + 1, role, branch: null }, visiting);
  }
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
  const { effect, risk, reason, revision, matched, score, origins, transformed } = decision;
  return {
    ...{ effect, risk, reason, revision, matched: matched.map((rule) => ({ ...rule })) },
    ...(score === undefined ? {} : { score: { ...score, factors: [...score.factors] } }),
    ...(origins === undefined ? {} : { origins: origins.map(viewOrigin) }),
    ...(transformed === undefined ? {} : { transformed: viewTransformed(transformed) }),
  };
}

type DecisionView = NonNullable<StepView["decision"]>;

function viewTransformed({ rules, changes }: TransformRecord): NonNullable<DecisionView["transformed"]> {
  return {
    rules: [...rules],
    changes: changes.map(({ passages, ...change }) => ({
      ...change,
      passages: passages.map((passage) => ({ ...passage, reasons: [...passage.reasons] })),
    })),
  };
}

function viewOrigin(origin: ArgumentOrigin): NonNullable<DecisionView["origins"]>[number] {
  return { ...origin, labels: [...origin.labels], sources: [...origin.sources] };
}
