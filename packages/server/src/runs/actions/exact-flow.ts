/** Where the arguments of a workflow's step come from, read off its expressions: no guessing from texts. Pure. */
import { findReferences } from "../../expression/references.ts";
import type { Reference } from "../../expression/references.ts";
import { templateExpressions } from "../../expression/template.ts";
import { templatesIn } from "../../expression/template-value.ts";
import type { PlacedTemplate, TemplateValue } from "../../expression/template-value.ts";
import { isTrustedLabel } from "../../gate/labels.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { allSteps, innerSteps } from "../../workflows/workflow.ts";
import type { Step, ToolStep, Workflow } from "../../workflows/workflow.ts";

/** What one text or expression of a `with` is made of. */
export interface ExactOrigin {
  readonly labels: readonly OriginLabel[];
  /** Paths of the steps whose outputs or errors it reads, directly or through others. */
  readonly steps: readonly string[];
}

/** What the walk over origins needs to know of the run. */
export interface FlowFacts {
  readonly workflow: Workflow;
  /** Labels of what each completed step brought, by path. */
  readonly brought: ReadonlyMap<string, readonly OriginLabel[]>;
  /** Labels of the errors that steps have on record, their own or those of their branches, by path. */
  readonly failures: ReadonlyMap<string, readonly OriginLabel[]>;
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
        origins.set(path, ownWhenEmpty(seeker.ofTemplate(value)));
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

const none: ExactOrigin = { labels: [], steps: [] };
const fromTool: ExactOrigin = { labels: ["tool"], steps: [] };

/** What nobody brought is the operator's: a null that stands for nothing, a value put together from literals. */
function ownWhenEmpty(origin: ExactOrigin): ExactOrigin {
  return origin.labels.length === 0 ? { ...origin, labels: ["operator"] } : origin;
}

function createSeeker({ workflow, brought, failures, inputs }: FlowFacts) {
  const all = allSteps(workflow.steps);
  const byId = new Map(all.map((step) => [step.id, step]));
  // Several loops may call their items the same.
  const loops = Map.groupBy(
    all.filter((step) => step.kind === "for_each"),
    (step) => step.as,
  );
  const known = new Map<string, ExactOrigin>();

  function ofTemplate(placed: PlacedTemplate): ExactOrigin {
    const references = templateExpressions(placed.template).flatMap(findReferences);
    const hasText = placed.template.parts.some((part) => part.kind === "text" && part.text.trim() !== "");
    const own: ExactOrigin = hasText || references.length === 0 ? { labels: ["operator"], steps: [] } : none;
    return merge([own, ...references.map(ofReference)]);
  }
  function ofReference({ root, path }: Reference): ExactOrigin {
    if (root === "inputs") return ofInput(path[0]);
    if (root === "run") return ofRun(path[0]);
    if (root === "index") return { labels: ["operator"], steps: [] };
    if (root === "steps") return path[0] === undefined ? ofAllSteps() : ofMember(path[0], path[1]);
    if (root === "error") return ofHandled();
    const named = loops.get(root);
    // A name nobody declares here is not the operator's word.
    return named === undefined
      ? fromTool
      : remembered(`loop ${root}`, () => ofValues(named.map(({ items }) => items)));
  }
  function ofRun(member: string | undefined): ExactOrigin {
    if (member === "messages") return { labels: ["user"], steps: [] };
    return { labels: member === undefined ? ["operator", "user"] : ["operator"], steps: [] };
  }
  function ofInput(name: string | undefined): ExactOrigin {
    if (name !== undefined)
      return { labels: Object.hasOwn(inputs, name) ? inputs[name]! : ["user"], steps: [] };
    return merge([{ labels: ["user"], steps: [] }, ...Object.keys(inputs).map(ofInput)]);
  }
  function ofAllSteps(): ExactOrigin {
    return merge([...byId.keys()].map((id) => ofMember(id, undefined)));
  }
  function ofMember(id: string, member: string | undefined): ExactOrigin {
    if (!byId.has(id)) return fromTool;
    if (member === "error" || member === "errors") return ofError(id);
    const output = ofStep(id);
    return member === "output" || member === "state" ? output : merge([output, ofError(id)]);
  }
  /** `error` in a handler is that of the step around it, or of one within: of which handler is not asked. */
  function ofHandled(): ExactOrigin {
    const owners = all.filter((step) => step.catch.length > 0 || step.finally.length > 0);
    return merge([fromTool, ...owners.map(({ id }) => ofError(id))]);
  }
  /**
   * A failed program's words are its own, however it came by them; what the step was given is often among them. Only foreign
   * labels: nothing the operator gave makes an error half trusted. Empty as long as nothing failed.
   */
  function ofError(id: string): ExactOrigin {
    return remembered(`error ${id}`, () => {
      const failed = failedAt(id);
      if (failed.length === 0) return none;
      const given = ofValues(allSteps([byId.get(id)!]).flatMap(valuesRead)).labels;
      const labels = [...failed.flatMap((path) => failures.get(path)!), ...given];
      const around = new Set(failed.flatMap(pathsAround));
      const innermost = failed.filter((path) => !around.has(path));
      return { labels: foreign(["tool", ...labels]), steps: innermost };
    });
  }
  /** Its own failures, and those within them. */
  function failedAt(id: string): readonly string[] {
    const own = new Set(pathsIn(failures, id));
    return [...failures.keys()].filter(
      (path) => own.has(path) || pathsAround(path).some((around) => own.has(around)),
    );
  }
  function ofStep(id: string): ExactOrigin {
    return remembered(`step ${id}`, () => {
      const step = byId.get(id)!;
      if (pathsIn(failures, id).length === 0) return ofOutput(step);
      // A step that failed gives what the last step of its `catch` gave; in other rounds of a loop it may have done well.
      const own = pathsOf(id).length > 0 ? ofOutput(step) : none;
      const last = step.catch.at(-1);
      return last === undefined ? own : merge([own, ofStep(last.id)]);
    });
  }
  function ofOutput(step: Step): ExactOrigin {
    switch (step.kind) {
      case "tool":
        return ofAction(step);
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
  function ofAction({ id, args }: ToolStep): ExactOrigin {
    const paths = pathsOf(id);
    // One that did nothing has given nothing: it makes the value of another neither better nor worse.
    if (paths.length === 0) return none;
    const own = { labels: paths.flatMap((path) => brought.get(path)!), steps: paths };
    // A tool that brings nothing in (a file moved, a note kept) tells what it was given.
    const isEcho = paths.some((path) => brought.get(path)!.length === 0);
    return ownWhenEmpty(merge(isEcho ? [own, ofValues([args])] : [own]));
  }
  function pathsOf(id: string): readonly string[] {
    return pathsIn(brought, id);
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

/** In every round of every loop. */
function pathsIn(outcomes: ReadonlyMap<string, unknown>, id: string): readonly string[] {
  return [...outcomes.keys()].filter((path) => path === id || path.endsWith(`/${id}`));
}

function pathsAround(path: string): readonly string[] {
  const around: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
    around.push(path.slice(0, end));
  return around;
}

function foreign(labels: readonly OriginLabel[]): readonly OriginLabel[] {
  return [...new Set(labels)].filter((label) => !isTrustedLabel(label)).sort();
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

/** All that a step's failure may quote. */
function valuesRead(step: Step): readonly TemplateValue[] {
  if (step.kind === "workflow") return [step.inputs];
  if (step.kind === "approval") return [step.message];
  const collected = step.kind === "for_each" && step.collect !== null ? [step.collect] : [];
  return [...valuesOf(step), ...collected];
}
