/** What a workflow needs of the worker that runs it, as far as its text says so: languages and named roots. Pure. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { TemplateValue } from "../../expression/template-value.ts";
import type { Need } from "../../queue/worker-registry.ts";
import { allSteps } from "../../workflows/workflow.ts";
import type { Step, Workflow } from "../../workflows/workflow.ts";

/**
 * Sorted, each once. Only what stands in the file is seen: a language or root that an expression names is found out when the step
 * runs, on whatever worker has the run by then.
 */
export function needsOf(workflow: Pick<Workflow, "steps">): readonly Need[] {
  return [...new Set(allSteps(workflow.steps).flatMap(needsOfStep))].toSorted();
}

function needsOfStep(step: Step): readonly Need[] {
  if (step.kind !== "tool") return [];
  if (step.action === "code_exec.run") {
    const language = textOf(member(step.args, "language"));
    // With a fallback the program runs anywhere.
    return language === undefined || member(step.args, "fallback") !== undefined
      ? []
      : [`language:${language}`];
  }
  if (!/^(?:file_ops|artifact)\./.test(step.action)) return [];
  return pathKeys
    .map((key) => rootIn(member(step.args, key)))
    .filter((name) => name !== undefined)
    .map((name): Need => `root:${name}`);
}

/** Arguments of the file tools that hold paths. */
const pathKeys = ["path", "from", "to"] as const;

/** The root before the colon, also where only what comes behind it is computed. The workspace is everywhere. */
function rootIn(value: TemplateValue | undefined): string | undefined {
  const name = /^([a-z][a-z0-9_-]*):/.exec(textOf(value) ?? "")?.[1];
  return name === "workspace" ? undefined : name;
}

function textOf(value: TemplateValue | undefined): string | undefined {
  if (value?.kind === "literal") return typeof value.value === "string" ? value.value : undefined;
  if (value?.kind !== "template") return undefined;
  const [first] = value.template.parts;
  return first?.kind === "text" ? first.text : undefined;
}

function member(value: TemplateValue, key: string): TemplateValue | undefined {
  if (value.kind === "object") return value.entries.find((entry) => entry.key === key)?.value;
  if (value.kind !== "literal" || !isObject(value.value)) return undefined;
  const found = Object.hasOwn(value.value, key) ? value.value[key] : undefined;
  return found === undefined ? undefined : { kind: "literal", value: found };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
