/** JSON Schema pieces of the workflow file, shared by the tables the parser reads with. */
import type { JsonObject } from "../base/canonical-json.ts";
import { inputTypes } from "./workflow.ts";

/** What a text with expressions looks like to an editor: checked by the program itself. */
const expression: JsonObject = { type: "string", pattern: "\\$\\{\\{" };

export const schemaParts = {
  text: { type: "string" },
  /** Any value; texts in it may hold `${{ }}`. */
  value: {},
  boolean: { type: "boolean" },
  duration: {
    type: "string",
    pattern: "^(?:\\d{1,9}(?:\\.\\d{1,3})?(?:ms|s|m|h|d))+$",
    description: "A duration such as 500ms, 30s, 5m, 1h30m or 7d",
  },
  /** A duration, or an expression that gives one. */
  durationValue: {
    anyOf: [{ type: "string", pattern: "^(?:\\d{1,9}(?:\\.\\d{1,3})?(?:ms|s|m|h|d))+$" }, expression],
  },
  timeValue: {
    anyOf: [{ type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d" }, expression],
  },
  condition: { anyOf: [{ type: "boolean" }, expression] },
  map: { type: "object" },
  list: { anyOf: [{ type: "array" }, expression] },
  steps: { $ref: "#/$defs/steps" },
  name: { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$" },
  /** A role, or several. */
  roles: {
    anyOf: [
      { type: "string", pattern: "^[a-z][a-z0-9_-]{0,63}$" },
      { type: "array", minItems: 1, items: { type: "string", pattern: "^[a-z][a-z0-9_-]{0,63}$" } },
    ],
  },
  /** Declarations of typed values by name. */
  inputs: {
    type: "object",
    propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$" },
    additionalProperties: {
      type: "object",
      required: ["type"],
      additionalProperties: false,
      properties: {
        type: { enum: [...inputTypes] },
        description: { type: "string" },
        default: {},
        enum: { type: "array", minItems: 1 },
        min: { type: "number" },
        max: { type: "number" },
      },
    },
  },
} satisfies Record<string, JsonObject>;

/** A map with exactly these members; `required` must be there. */
export function closedMap(
  properties: Readonly<Record<string, JsonObject>>,
  required: readonly string[] = [],
): JsonObject {
  return { type: "object", additionalProperties: false, required: [...required], properties };
}

export function choice(...choices: readonly string[]): JsonObject {
  return { enum: [...choices] };
}

export function wholeNumber(minimum: number, maximum: number): JsonObject {
  return { type: "integer", minimum, maximum };
}
