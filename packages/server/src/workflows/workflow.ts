/** A workflow as it runs: plain data, every template parsed, durations in milliseconds. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { MissedPolicy } from "../queue/schedule.ts";
import type { PlacedTemplate, TemplateEntry, TemplateValue } from "../expression/template-value.ts";

export interface Workflow {
  readonly version: 1;
  /** Kebab-case. */
  readonly name: string;
  readonly description: string | null;
  readonly inputs: readonly WorkflowInput[];
  readonly outputs: readonly WorkflowOutput[];
  /** From the first start of the run on, waiting included. */
  readonly timeoutMs: number | null;
  readonly triggers: readonly Trigger[];
  readonly steps: readonly Step[];
  /** SHA-256 (hex) of the canonical form: the same for every layout and comment. */
  readonly digest: string;
}

export const inputTypes = ["string", "number", "integer", "boolean", "list", "object"] as const;
export type InputType = (typeof inputTypes)[number];

export interface WorkflowInput {
  readonly name: string;
  readonly type: InputType;
  readonly description: string | null;
  /** Undefined: the input must be given. Null is allowed as a default for any type. */
  readonly default?: JsonValue;
  readonly enum?: readonly JsonValue[];
  /** Bounds of a number, or of the length of a string or list. */
  readonly min?: number;
  readonly max?: number;
  /** 1-based line and column of the declaration. */
  readonly line: number;
  readonly column: number;
}

export interface WorkflowOutput extends TemplateEntry {
  /** Null: any value. */
  readonly type: InputType | null;
}

/** What starts runs of a registered workflow. `inputs` are rendered when it fires. */
export type Trigger = CronTrigger | IntervalTrigger | WebhookTrigger;

interface TriggerBase {
  /** Unique in the file; for a webhook it is the name in its address. */
  readonly name: string;
  readonly inputs: TemplateValue;
  readonly place: StepPlace;
}

export interface CronTrigger extends TriggerBase {
  readonly kind: "cron";
  readonly expression: string;
  /** IANA name. */
  readonly timezone: string;
  readonly missed: MissedPolicy;
}

export interface IntervalTrigger extends TriggerBase {
  readonly kind: "interval";
  readonly everyMs: number;
  readonly missed: MissedPolicy;
}

export interface WebhookTrigger extends TriggerBase {
  readonly kind: "webhook";
  /** `signature`: Standard Webhooks (HMAC-SHA256 with time and id); `bearer`: a token in the Authorization header. */
  readonly auth: "signature" | "bearer";
}

export type Step =
  | ToolStep
  | BranchStep
  | ForEachStep
  | ParallelStep
  | GroupStep
  | ChildStep
  | ApprovalStep
  | WaitStep
  | SetStep;

interface StepBase {
  /** Unique in the file. */
  readonly id: string;
  readonly title: string | null;
  /** `if`: the step is skipped when this renders to something false. */
  readonly condition: TemplateValue | null;
  /** Steps done when this one failed; its failure is then dealt with. Empty: none. */
  readonly catch: readonly Step[];
  /** True: a failure of this step does not end what is around it. */
  readonly goesOnAfterError: boolean;
  /** Steps done after this one, however it ended. */
  readonly finally: readonly Step[];
  /** Steps that undo this one when the run fails or is cancelled later. */
  readonly compensate: readonly Step[];
  readonly place: StepPlace;
}

/** Where a step stands in the file; `path` is for example `steps[2].steps[0]`. */
export interface StepPlace {
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

export interface ToolStep extends StepBase {
  readonly kind: "tool";
  /** Action name, for example `file_ops.list`. */
  readonly action: string;
  /** `with`: renders to an object. */
  readonly args: TemplateValue;
  readonly timeoutMs: number | null;
  readonly retry: Retry | null;
}

export interface Retry {
  /** All tries together, the first included. */
  readonly attempts: number;
  readonly delayMs: number;
  /** Each wait is this many times the one before. */
  readonly backoff: number;
  readonly maxDelayMs: number;
}

/** Steps around other steps. */
interface StepGroup extends StepBase {
  /** From the step's begin on, waiting included. */
  readonly timeoutMs: number | null;
}

/** `fail`: the first failure stops the others; `wait_all`: they end first; `continue`: failures are only noted. */
export const laneErrorModes = ["fail", "continue", "wait_all"] as const;
export type LaneErrorMode = (typeof laneErrorModes)[number];

/** Several lists of steps that may be under way at the same time. */
interface LaneStep extends StepGroup {
  /** How many lanes may be under way at once, waiting ones included. */
  readonly concurrency: number;
  readonly onLaneError: LaneErrorMode;
}

export interface ParallelStep extends LaneStep {
  readonly kind: "parallel";
  readonly branches: readonly { readonly name: string; readonly steps: readonly Step[] }[];
}

/** Steps in order, to give them one timeout, handler or undoing. */
export interface GroupStep extends StepGroup {
  readonly kind: "group";
  readonly steps: readonly Step[];
}

/** Runs another workflow as a run of its own and waits for its end. */
export interface ChildStep extends StepGroup {
  readonly kind: "workflow";
  /** A registered name, or a YAML file among those the task brought. */
  readonly source: { readonly kind: "name" | "file"; readonly value: string };
  /** Renders to an object. */
  readonly inputs: TemplateValue;
}

export interface BranchStep extends StepGroup {
  readonly kind: "branch";
  /** The first whose `when` is true runs; `when` is null for `else`, which is the last. */
  readonly arms: readonly { readonly when: TemplateValue | null; readonly steps: readonly Step[] }[];
}

export interface ForEachStep extends LaneStep {
  readonly kind: "for_each";
  readonly items: TemplateValue;
  /** Name of the item in expressions. */
  readonly as: string;
  readonly steps: readonly Step[];
  /** Rendered after each round; the step's output is the list of these. */
  readonly collect: TemplateValue | null;
}

export interface ApprovalStep extends StepBase {
  readonly kind: "approval";
  readonly message: PlacedTemplate;
  /** Roles, any of which may answer. */
  readonly by: readonly string[];
  readonly expiresMs: number | null;
  readonly onReject: "fail" | "skip";
}

export interface WaitStep extends StepBase {
  readonly kind: "wait";
  readonly wait: TimeWait | SignalWait;
}

/** `for` renders to a duration, `until` to a time in ISO 8601. */
export interface TimeWait {
  readonly kind: "for" | "until";
  readonly value: TemplateValue;
}

/** Waits for `POST /v1/runs/{id}/signals/{name}`; a signal that came earlier counts. */
export interface SignalWait {
  readonly kind: "signal";
  readonly name: string;
  readonly timeoutMs: number | null;
  readonly onTimeout: "fail" | "skip";
  /** Roles that may send it; null: everybody who may run tasks. */
  readonly by: readonly string[] | null;
  /** The members its data must have; null: any JSON. */
  readonly payload: readonly WorkflowInput[] | null;
}

export interface SetStep extends StepBase {
  readonly kind: "set";
  readonly values: readonly TemplateEntry[];
}

export type StepKind = Step["kind"];

/** The steps directly inside a step: arms of a branch, body of a loop, branches that run beside each other. */
export function innerSteps(step: Step): readonly Step[] {
  switch (step.kind) {
    case "branch":
      return step.arms.flatMap((arm) => arm.steps);
    case "for_each":
    case "group":
      return step.steps;
    case "parallel":
      return step.branches.flatMap((branch) => branch.steps);
    case "tool":
    case "workflow":
    case "approval":
    case "wait":
    case "set":
      return [];
  }
}

export const handlerNames = ["catch", "finally", "compensate"] as const;
export type HandlerName = (typeof handlerNames)[number];

/** All steps of a workflow, outer before inner, in the order of the file; handlers included. */
export function allSteps(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [
    step,
    ...allSteps(innerSteps(step)),
    ...handlerNames.flatMap((name) => allSteps(step[name])),
  ]);
}

/** How many steps a run has when nothing goes wrong: handlers of failures are not counted. */
export function countSteps(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + 1 + countSteps(innerSteps(step)) + countSteps(step.finally), 0);
}

/** Every action a workflow names, with the place, so that unknown tools can be reported before it runs. */
export function requiredTools(workflow: Workflow): readonly (StepPlace & { readonly action: string })[] {
  return allSteps(workflow.steps).flatMap((step) =>
    step.kind === "tool" ? [{ action: step.action, ...step.place, path: `${step.place.path}.tool` }] : [],
  );
}

/** Every signal a workflow waits for, by name. */
export function signalWaits(workflow: Workflow): ReadonlyMap<string, SignalWait> {
  const waits = allSteps(workflow.steps).flatMap((step) =>
    step.kind === "wait" && step.wait.kind === "signal" ? [step.wait] : [],
  );
  return new Map(waits.toReversed().map((wait) => [wait.name, wait]));
}
