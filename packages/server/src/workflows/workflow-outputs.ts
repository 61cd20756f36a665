/** The `outputs` section of a workflow: values of the run's result, with a type where the file promises one. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { FindingCollector } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import type { YamlField } from "../base/yaml-fields.ts";
import { describeNode, joinPath } from "../base/yaml-source.ts";
import type { YamlEntry, YamlNode } from "../base/yaml-source.ts";
import { closedMap, schemaParts } from "./schema-parts.ts";
import { readValue } from "./step-parts.ts";
import { inputTypes } from "./workflow.ts";
import type { InputType, WorkflowOutput } from "./workflow.ts";
import { hasType } from "./workflow-inputs.ts";

const typedKeys: Readonly<Record<string, JsonObject>> = {
  type: { enum: [...inputTypes] },
  value: schemaParts.value,
  description: schemaParts.text,
};

export const outputsSchema: JsonObject = {
  type: "object",
  additionalProperties: { anyOf: [closedMap(typedKeys, ["type", "value"]), schemaParts.value] },
};

/** Its mistakes are reported. `name: { type: list, value: ... }` has a type; anything else is the value itself. */
export function readOutputs(field: YamlField, collector: FindingCollector): readonly WorkflowOutput[] {
  const { node, at, path } = field;
  if (node.kind !== "map") {
    collector.error(at, path, `expected a map, found ${describeNode(node)}`);
    return [];
  }
  return node.entries.map((entry) => readOutput(entry, joinPath(path, entry.key), collector));
}

function readOutput({ key, value }: YamlEntry, path: string, collector: FindingCollector): WorkflowOutput {
  const typed = typedParts(value);
  if (typed === undefined) return { key, value: readValue(value, path, collector), type: null };
  const { type, content } = typed;
  const found = type.kind === "scalar" ? inputTypes.find((each) => each === type.value) : undefined;
  if (found === undefined) {
    const hint =
      type.kind === "scalar" && typeof type.value === "string"
        ? suggestName(type.value, inputTypes)
        : undefined;
    const problem = `expected ${inputTypes.join(", ")}; found ${describeNode(type)}`;
    collector.error(type.at, `${path}.type`, problem, hint);
  }
  return { key, value: readValue(content, `${path}.value`, collector), type: found ?? null };
}

/** Undefined for a plain value, also for a map that happens to have a member `type`. */
function typedParts(node: YamlNode): { readonly type: YamlNode; readonly content: YamlNode } | undefined {
  if (node.kind !== "map" || !node.entries.every(({ key }) => Object.hasOwn(typedKeys, key)))
    return undefined;
  const type = node.entries.find(({ key }) => key === "type")?.value;
  const content = node.entries.find(({ key }) => key === "value")?.value;
  return type === undefined || content === undefined ? undefined : { type, content };
}

/** What is wrong with an output's value; undefined when it keeps the file's promise. */
export function outputProblem(type: InputType | null, value: JsonValue): string | undefined {
  if (type === null || hasType(type, value)) return undefined;
  return `expected ${type}, found ${JSON.stringify(value).slice(0, 80)}`;
}
