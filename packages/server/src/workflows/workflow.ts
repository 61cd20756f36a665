/** A workflow as it runs: plain data, every template parsed, durations in milliseconds. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { PlacedTemplate, TemplateEntry, TemplateValue } from "../expression/template-value.ts";

export interface Workflow {
  readonly version: 1;
  /** Kebab-case. */
  readonly name: string;
  readonly description: string | null;
  readonly inputs: readonly WorkflowInput[];
  readonly outputs: readonly TemplateEntry[];
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

export type Step = ToolStep | BranchStep | ForEachStep | ApprovalStep | WaitStep | SetStep;

interface StepBase {
  /** Unique in the file. */
  readonly id: string;
  readonly title: string | null;
  /** `if`: the step is skipped when this renders to something false. */
  readonly condition: TemplateValue | null;
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

export interface BranchStep extends StepBase {
  readonly kind: "branch";
  /** The first whose `when` is true runs; `when` is null for `else`, which is the last. */
  readonly arms: readonly { readonly when: TemplateValue | null; readonly steps: readonly Step[] }[];
}

export interface ForEachStep extends StepBase {
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
  /** `for` renders to a duration, `until` to a time in ISO 8601. */
  readonly wait: { readonly kind: "for" | "until"; readonly value: TemplateValue };
}

export interface SetStep extends StepBase {
  readonly kind: "set";
  readonly values: readonly TemplateEntry[];
}

export type StepKind = Step["kind"];

/** The steps directly inside a step: arms of a branch, body of a loop. */
export function innerSteps(step: Step): readonly Step[] {
  switch (step.kind) {
    case "branch":
      return step.arms.flatMap((arm) => arm.steps);
    case "for_each":
      return step.steps;
    case "tool":
    case "approval":
    case "wait":
    case "set":
      return [];
  }
}

/** All steps of a workflow, outer before inner, in the order of the file. */
export function allSteps(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [step, ...allSteps(innerSteps(step))]);
}

/** Every action a workflow names, with the place, so that unknown tools can be reported before it runs. */
export function requiredTools(workflow: Workflow): readonly (StepPlace & { readonly action: string })[] {
  return allSteps(workflow.steps).flatMap((step) =>
    step.kind === "tool" ? [{ action: step.action, ...step.place, path: `${step.place.path}.tool` }] : [],
  );
}
