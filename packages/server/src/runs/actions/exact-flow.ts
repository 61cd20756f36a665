/** Where the arguments of a workflow's step come from, read off its expressions: no guessing from texts. Pure. */
import { findReferences } from "../../expression/references.ts";
import type { Reference } from "../../expression/references.ts";
import { templateExpressions } from "../../expression/template.ts";
import { templatesIn } from "../../expression/template-value.ts";
import type { PlacedTemplate, TemplateValue } from "../../expression/template-value.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { allSteps, innerSteps } from "../../workflows/workflow.ts";
import type { Step, Workflow } from "../../workflows/workflow.ts";

/** What one text or expression of a `with` is made of. */
export interface ExactOrigin {
  readonly labels: readonly OriginLabel[];
  /** Paths of the steps whose outputs it reads, directly or through others. */
  readonly steps: readonly string[];
}

/** What the walk over origins needs to know of the run. */
export interface FlowFacts {
  readonly workflow: Workflow;
  /** Labels of what each step's action brought, by path. */
  readonly brought: ReadonlyMap<string, readonly OriginLabel[]>;
  /** Labels of inputs that are not the requester's own word. */
  readonly inputs: Readonly<Record<string, readonly OriginLabel[]>>;
}

/** By argument path, `headers.authorization`; what lies deeper has its origin too. Literals are the operator's. */
export function exactOrigins(args: TemplateValue, facts: FlowFacts): ReadonlyMap<string, ExactOrigin> {
  const origins = new Map<string, ExactOrigin>();
  const seeker = createSeeker(facts);
  const visit = (value: TemplateValue, path: string): void => {
    switch (value.kind) {
      case "literal":
        origins.set(path, { labels: ["operator"], steps: [] });
        return;
      case "template":
        origins.set(path, seeker.ofTemplate(value));
        return;
      case "list":
        for (const [index, item] of value.items.entries()) visit(item, `${path}[${index}]`);
        return;
      case "object":
        for (const entry of value.entries)
          visit(entry.value, path === "" ? entry.key : `${path}.${entry.key}`);
    }
  };
  visit(args, "");
  return origins;
}

/** The origin of a leaf: its own, or that of the expression whose value it lies in. */
export function originAt(origins: ReadonlyMap<string, ExactOrigin>, path: string): ExactOrigin | undefined {
  let best: string | undefined;
  for (const prefix of origins.keys()) {
    const isAround =
      path === prefix || prefix === "" || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
    if (isAround && prefix.length >= (best?.length ?? -1)) best = prefix;
  }
  return best === undefined ? undefined : origins.get(best);
}

/** Every text the operator wrote into values of steps: what stands there was not chosen by anybody outside. */
export function operatorTexts(workflow: Workflow): readonly string[] {
  const texts: string[] = [];
  const visit = (value: TemplateValue): void => {
    if (value.kind === "literal")
      texts.push(typeof value.value === "string" ? value.value : JSON.stringify(value.value));
    else if (value.kind === "template")
      for (const part of value.template.parts) texts.push(part.kind === "text" ? part.text : "");
    else if (value.kind === "list") value.items.forEach(visit);
    else for (const entry of value.entries) visit(entry.value);
  };
  for (const step of allSteps(workflow.steps)) for (const value of valuesOf(step)) visit(value);
  return texts.filter((text) => text.trim() !== "");
}

function createSeeker({ workflow, brought, inputs }: FlowFacts) {
  const all = allSteps(workflow.steps);
  const byId = new Map(all.map((step) => [step.id, step]));
  const loops = new Map(all.flatMap((step) => (step.kind === "for_each" ? [[step.as, step] as const] : [])));
  const known = new Map<string, ExactOrigin>();
  const none: ExactOrigin = { labels: [], steps: [] };

  function ofTemplate(placed: PlacedTemplate): ExactOrigin {
    const references = templateExpressions(placed.template).flatMap(findReferences);
    const hasText = placed.template.parts.some((part) => part.kind === "text" && part.text.trim() !== "");
    const own: ExactOrigin = hasText || references.length === 0 ? { labels: ["operator"], steps: [] } : none;
    return merge([own, ...references.map(ofReference)]);
  }
  function ofReference({ root, path }: Reference): ExactOrigin {
    if (root === "inputs") return ofInput(path[0]);
    if (root === "run" || root === "index") return { labels: ["operator"], steps: [] };
    if (root === "steps") return path[0] === undefined ? ofAllSteps() : ofStep(path[0]);
    const loop = loops.get(root);
    // A name nobody declares here (an error, a signal's data) is not the operator's word.
    return loop === undefined
      ? { labels: ["tool"], steps: [] }
      : remembered(`loop ${root}`, () => ofValues([loop.items]));
  }
  function ofInput(name: string | undefined): ExactOrigin {
    if (name !== undefined)
      return { labels: Object.hasOwn(inputs, name) ? inputs[name]! : ["user"], steps: [] };
    return merge([{ labels: ["user"], steps: [] }, ...Object.keys(inputs).map(ofInput)]);
  }
  function ofAllSteps(): ExactOrigin {
    return merge([...byId.keys()].map(ofStep));
  }
  function ofStep(id: string): ExactOrigin {
    return remembered(`step ${id}`, () => {
      const step = byId.get(id);
      return step === undefined ? { labels: ["tool"], steps: [] } : ofOutput(step);
    });
  }
  function ofOutput(step: Step): ExactOrigin {
    switch (step.kind) {
      case "tool":
        return ofAction(step.id);
      case "workflow":
        return { labels: ["tool"], steps: pathsOf(step.id) };
      case "approval":
        return { labels: ["user"], steps: [] };
      case "wait":
        return { labels: [step.wait.kind === "signal" ? "user" : "operator"], steps: [] };
      case "set":
        return ofValues(step.values.map(({ value }) => value));
      case "for_each":
        return merge([
          ofValues([step.items, ...(step.collect === null ? [] : [step.collect])]),
          ...innerSteps(step).map(({ id }) => ofStep(id)),
        ]);
      case "branch":
      case "group":
      case "parallel":
        return merge(innerSteps(step).map(({ id }) => ofStep(id)));
    }
  }
  /** All rounds together: which of them a value is from cannot be read off the file. */
  function ofAction(id: string): ExactOrigin {
    const paths = pathsOf(id);
    const labels = new Set(paths.flatMap((path) => brought.get(path)!));
    return { labels: labels.size === 0 ? ["operator"] : [...labels], steps: paths };
  }
  function pathsOf(id: string): readonly string[] {
    return [...brought.keys()].filter((path) => path === id || path.endsWith(`/${id}`));
  }
  function ofValues(values: readonly TemplateValue[]): ExactOrigin {
    return merge(values.flatMap(templatesIn).map(ofTemplate));
  }
  /** A loop's body may read its own step from an earlier round: what is being looked for already adds nothing. */
  function remembered(key: string, find: () => ExactOrigin): ExactOrigin {
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, none);
    const found = find();
    known.set(key, found);
    return found;
  }
  return { ofTemplate };
}

function merge(origins: readonly ExactOrigin[]): ExactOrigin {
  return {
    labels: [...new Set(origins.flatMap(({ labels }) => labels))].sort(),
    steps: [...new Set(origins.flatMap(({ steps }) => steps))],
  };
}

function valuesOf(step: Step): readonly TemplateValue[] {
  if (step.kind === "tool") return [step.args];
  if (step.kind === "set") return step.values.map(({ value }) => value);
  return step.kind === "for_each" ? [step.items] : [];
}
