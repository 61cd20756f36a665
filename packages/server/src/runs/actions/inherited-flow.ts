/** What a run takes over from what made it: where its inputs came from, and what was seen and done before. Pure. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { findReferences } from "../../expression/references.ts";
import { templateExpressions } from "../../expression/template.ts";
import { templatesIn } from "../../expression/template-value.ts";
import type { TemplateValue } from "../../expression/template-value.ts";
import { isMarked } from "../../gate/data-flow-passages.ts";
import { isTrustedLabel } from "../../gate/labels.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { Workflow } from "../../workflows/workflow.ts";
import type { Inherited } from "../journal/event.ts";
import { exactOrigins } from "./exact-flow.ts";
import type { RunState } from "../journal/fold.ts";
import { originsSeen } from "../journal/origins-seen.ts";
import { flowFactsOf, historyOf } from "./trace-step.ts";

/** A rule on sequences rarely looks further back, and the journal keeps them with each child. */
const mostActs = 50;

/** Of a step that runs another workflow: a value from outside stays one, and what was done before counts there too. */
export function inheritedFromStep(state: RunState, workflow: Workflow, inputs: TemplateValue): Inherited {
  const labels: Record<string, readonly OriginLabel[]> = {};
  for (const [path, origin] of exactOrigins(inputs, flowFactsOf(state, workflow))) {
    // A text has a first part, whatever it is split by.
    const name = path.split(/[.[]/)[0]!;
    const before = Object.hasOwn(labels, name) ? labels[name]! : [];
    labels[name] = [...new Set([...before, ...origin.labels])].sort();
  }
  return {
    inputs: onlyForeign(labels),
    seen: originsSeen(state),
    acts: historyOf(state).slice(-mostActs),
  };
}

/** What a trigger's inputs may read of a call: a signature proves who sent it, not who wrote what it says. */
const callParts: ReadonlySet<string> = new Set(["body", "headers"]);

/** Of a webhook's trigger; undefined when nothing of the call becomes an input. */
export function inheritedFromCall(inputs: TemplateValue): Inherited | undefined {
  const entries = inputs.kind === "object" ? inputs.entries : [];
  const foreign = entries.filter(({ value }) =>
    templatesIn(value)
      .flatMap(({ template }) => templateExpressions(template))
      .flatMap(findReferences)
      .some(({ root }) => callParts.has(root)),
  );
  if (foreign.length === 0) return undefined;
  const labels = Object.fromEntries(foreign.map(({ key }) => [key, ["web" as const]]));
  return { inputs: labels, seen: ["web"], acts: [] };
}

/**
 * Of inputs (`own`) some of which a person gave anew: what they put in place of an input is theirs. One of which any value stands as
 * a stranger wrote it, or that the gate has marked, stays the stranger's.
 */
export function inheritedAgain(inherited: Inherited, own: JsonObject, given: JsonObject): Inherited {
  const names = Object.keys(inherited.inputs).filter((name) => Object.hasOwn(own, name));
  const foreign = new Set(names.flatMap((name) => valuesIn(own[name])));
  const isForeign = (value: JsonValue | undefined): boolean =>
    foreign.has(value) || (typeof value === "string" && isMarked(value));
  const inputs = Object.entries(inherited.inputs).filter(
    ([name]) => !Object.hasOwn(given, name) || valuesIn(given[name]).some(isForeign),
  );
  return { ...inherited, inputs: Object.fromEntries(inputs) };
}

/** All of them: `leavesOf` joins those after the first few hundred to one text. */
function valuesIn(value: JsonValue | undefined): readonly (JsonValue | undefined)[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(valuesIn) : [value];
}

function onlyForeign(labels: Inherited["inputs"]): Inherited["inputs"] {
  return Object.fromEntries(Object.entries(labels).filter(([, each]) => !each.every(isTrustedLabel)));
}
