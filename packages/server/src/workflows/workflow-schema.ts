/** The JSON Schema of workflow files, for editors; made of the tables the parser reads with. Pure. */
import type { JsonObject } from "../base/canonical-json.ts";
import { choice, closedMap, schemaParts } from "./schema-parts.ts";
import { stepKindNames, stepKinds } from "./step-kinds.ts";
import { triggersSchema } from "./triggers.ts";
import { handlerNames } from "./workflow.ts";
import type { StepKind } from "./workflow.ts";
import { limits, onErrorChoices } from "./workflow-file.ts";
import { outputsSchema } from "./workflow-outputs.ts";

/** 2020-12. What JSON Schema cannot say (names that expressions use, unique ids) only the program checks. */
export function workflowSchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Homeostat workflow, version 1",
    ...closedMap(fileProperties, ["version", "name", "steps"]),
    $defs: {
      steps: { type: "array", minItems: 1, maxItems: limits.steps, items: { $ref: "#/$defs/step" } },
      step: { anyOf: stepKindNames.map((kind) => ({ $ref: `#/$defs/${kind}` })) },
      ...Object.fromEntries(stepKindNames.map((kind) => [kind, stepSchema(kind)])),
    },
  };
}

/** Every key of the file; a test compares them with those the parser knows. */
const fileProperties: Readonly<Record<string, JsonObject>> = {
  version: { const: 1 },
  name: { type: "string", pattern: "^[a-z0-9]+(-[a-z0-9]+)*$", maxLength: 128 },
  description: schemaParts.text,
  inputs: schemaParts.inputs,
  outputs: outputsSchema,
  timeout: schemaParts.duration,
  triggers: triggersSchema,
  steps: schemaParts.steps,
};

function stepSchema(kind: StepKind): JsonObject {
  const { main, keys, required = [] } = stepKinds[kind];
  const handlers = Object.fromEntries(handlerNames.map((name) => [name, schemaParts.steps]));
  const own = { [kind]: main, ...keys };
  const common = {
    id: { type: "string", pattern: "^[a-z][a-z0-9_-]{0,63}$" },
    title: schemaParts.text,
    if: schemaParts.condition,
    on_error: choice(...onErrorChoices),
  };
  return closedMap({ ...common, ...handlers, ...own }, ["id", kind, ...required]);
}
