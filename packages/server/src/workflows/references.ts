/** Checks that every name in a workflow's expressions means something when its step runs. */
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import type { FindingCollector, Position } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import { findReferences } from "../expression/references.ts";
import type { Reference } from "../expression/references.ts";
import { templateExpressions } from "../expression/template.ts";
import { templatesIn } from "../expression/template-value.ts";
import type { PlacedTemplate, TemplateValue } from "../expression/template-value.ts";
import { allSteps } from "./workflow.ts";
import type { Step, Workflow } from "./workflow.ts";

/** What a step can see: the steps before it in its list and before each step around it, and the items of loops around. */
interface Sight {
  readonly steps: ReadonlySet<string>;
  readonly items: ReadonlySet<string>;
}

interface Checking {
  readonly collector: FindingCollector;
  readonly inputs: ReadonlySet<string>;
  readonly usedInputs: Set<string>;
  readonly allIds: ReadonlySet<string>;
}

const runMembers = ["id", "startedAt", "state", "messages"];
const stepMembers = ["output", "state", "error", "errors"];
/** What the inputs of a trigger are made of. */
const triggerNames = ["trigger", "body", "headers"];

/** Reports unknown names, inputs and steps, steps that do not come before, and (as warnings) inputs never used. */
export function checkReferences(workflow: Workflow, collector: FindingCollector): void {
  const checking: Checking = {
    collector,
    inputs: new Set(workflow.inputs.map((input) => input.name)),
    usedInputs: new Set(),
    allIds: new Set(allSteps(workflow.steps).map((step) => step.id)),
  };
  const seen = checkSteps(workflow.steps, { steps: new Set(), items: new Set() }, checking);
  for (const { value } of workflow.outputs) checkValue(value, seen, checking);
  for (const trigger of workflow.triggers) {
    const names = trigger.kind === "webhook" ? triggerNames : triggerNames.slice(0, 1);
    checkValue(trigger.inputs, { steps: new Set(), items: new Set(names) }, checking);
  }
  checkPayloads(workflow, collector);
  for (const input of workflow.inputs) {
    if (!checking.usedInputs.has(input.name)) {
      collector.warn(input, `inputs.${input.name}`, `the input \`${input.name}\` is never used`);
    }
  }
}

/** Returns what can be seen behind the last step. */
function checkSteps(steps: readonly Step[], outer: Sight, checking: Checking): Sight {
  let sight = outer;
  for (const step of steps) {
    if (step.condition !== null) checkValue(step.condition, sight, checking);
    checkStep(step, sight, checking);
    const after = { ...sight, steps: new Set([...sight.steps, step.id]) };
    checkSteps(step.catch, withNames(sight, "error"), checking);
    checkSteps(step.finally, withNames(after, "error"), checking);
    checkSteps(step.compensate, after, checking);
    sight = after;
  }
  return sight;
}

function withNames(sight: Sight, ...names: readonly string[]): Sight {
  return { steps: sight.steps, items: new Set([...sight.items, ...names]) };
}

function checkStep(step: Step, sight: Sight, checking: Checking): void {
  switch (step.kind) {
    case "tool":
      return checkValue(step.args, sight, checking);
    case "approval":
      return checkValue(step.message, sight, checking);
    case "wait":
      if (step.wait.kind !== "signal") checkValue(step.wait.value, sight, checking);
      return;
    case "workflow":
      return checkValue(step.inputs, sight, checking);
    case "group":
      checkSteps(step.steps, sight, checking);
      return;
    case "parallel":
      for (const branch of step.branches) checkSteps(branch.steps, sight, checking);
      return;
    case "set":
      for (const { value } of step.values) checkValue(value, sight, checking);
      return;
    case "branch":
      for (const arm of step.arms) {
        if (arm.when !== null) checkValue(arm.when, sight, checking);
        checkSteps(arm.steps, sight, checking);
      }
      return;
    case "for_each": {
      checkValue(step.items, sight, checking);
      const after = checkSteps(step.steps, withNames(sight, step.as, "index"), checking);
      if (step.collect !== null) checkValue(step.collect, after, checking);
    }
  }
}

/** One signal is checked when it comes in, before anybody knows which step will take it. */
function checkPayloads(workflow: Workflow, collector: FindingCollector): void {
  const shapes = new Map<string, { readonly shape: string; readonly line: number }>();
  for (const step of allSteps(workflow.steps)) {
    if (step.kind !== "wait" || step.wait.kind !== "signal") continue;
    const { name, payload, by } = step.wait;
    const shape = canonicalJson({
      by: by === null ? null : [...by],
      payload:
        payload?.map(({ line: _line, column: _column, ...each }) => ({ ...each }) as JsonObject) ?? null,
    });
    const first = shapes.get(name);
    shapes.set(name, first ?? { shape, line: step.place.line });
    if (first === undefined || first.shape === shape) continue;
    const problem = `the signal \`${name}\` has another \`payload\` or \`by\` in line ${first.line}`;
    collector.error(step.place, `${step.place.path}.wait`, problem, "give both the same, or two names");
  }
}

function checkValue(value: TemplateValue, sight: Sight, checking: Checking): void {
  for (const placed of templatesIn(value)) {
    for (const expression of templateExpressions(placed.template)) {
      for (const reference of findReferences(expression))
        checkReference(reference, placed, { sight, checking });
    }
  }
}

function checkReference(
  reference: Reference,
  placed: PlacedTemplate,
  { sight, checking }: { readonly sight: Sight; readonly checking: Checking },
): void {
  const { place, template } = placed;
  const report = (message: string, hint?: string): void => {
    checking.collector.error(positionIn(placed, reference.at), place.path ?? "", message, hint);
  };
  const { root, path } = reference;
  if (root === "inputs") return checkInput(reference, checking, report);
  if (root === "steps") return checkStepReference(reference, { sight, checking, report });
  if (root === "run") {
    const [member] = path;
    if (member !== undefined && !runMembers.includes(member)) {
      report(`there is no \`run.${member.slice(0, 64)}\``, suggestName(member, runMembers));
    }
    return;
  }
  if (sight.items.has(root)) return;
  const known = ["inputs", "steps", "run", ...sight.items];
  const dashed = hyphenated(template.source, reference.at, checking.allIds);
  const hint = dashed === undefined ? suggestName(root, known) : `write steps["${dashed}"]`;
  report(`unknown name \`${root.slice(0, 64)}\``, hint);
}

type Report = (message: string, hint?: string) => void;

function checkInput({ path }: Reference, { inputs, usedInputs }: Checking, report: Report): void {
  const [name] = path;
  if (name === undefined) {
    for (const input of inputs) usedInputs.add(input);
  } else if (inputs.has(name)) {
    usedInputs.add(name);
  } else {
    report(`there is no input \`${name.slice(0, 64)}\``, suggestName(name, inputs));
  }
}

function checkStepReference(
  { path }: Reference,
  {
    sight,
    checking,
    report,
  }: { readonly sight: Sight; readonly checking: Checking; readonly report: Report },
): void {
  const [id, member] = path;
  if (id === undefined) return report("`steps` is read by the id of a step", "write steps.<id>.output");
  if (!sight.steps.has(id)) {
    const dashed = [...checking.allIds].find((candidate) => candidate.startsWith(`${id}-`));
    if (checking.allIds.has(id)) {
      const hint = "only steps before it in the same list, or before a step around it, can be read";
      return report(`the step \`${id}\` does not come before this one`, hint);
    }
    if (dashed !== undefined) return report(`there is no step \`${id}\``, `write steps["${dashed}"]`);
    return report(`there is no step \`${id.slice(0, 64)}\``, suggestName(id, sight.steps));
  }
  if (member === undefined || !stepMembers.includes(member)) {
    const shown = member === undefined ? "" : `.${member.slice(0, 64)}`;
    report(
      `a step has ${stepMembers.map((each) => `\`${each}\``).join(", ")}; not \`steps.${id}${shown}\``,
      `write steps.${id}.output${shown}`,
    );
  }
}

/** `steps.brand-audit` reads as `steps.brand - audit`: the id that was meant, seen from `audit`. */
function hyphenated(source: string, at: number, ids: ReadonlySet<string>): string | undefined {
  const before = /steps\.([a-z0-9_-]*-)$/.exec(source.slice(Math.max(0, at - 80), at))?.[1];
  const rest = /^[a-z0-9_-]+/.exec(source.slice(at, at + 80))?.[0];
  const id = before === undefined || rest === undefined ? undefined : before + rest;
  return id !== undefined && ids.has(id) ? id : undefined;
}

/** Exact when the text stands in the file as it is; else the beginning of the text. */
function positionIn({ template, place }: PlacedTemplate, offset: number): Position {
  const line = place.line ?? 1;
  const column = place.column ?? 1;
  return template.source.includes("\n") ? { line, column } : { line, column: column + offset };
}
