/** Turns what stands in the form's fields into the inputs of a run, and says which fields cannot be used. */
import type { InputDefinition, JsonValue } from "../api/contract.ts";

/** What a field holds: text as typed, or whether a box is ticked. */
export type FieldValue = string | boolean;
export type FieldValues = Readonly<Record<string, FieldValue>>;
export type Definitions = Readonly<Record<string, InputDefinition>>;

export interface ReadInputs {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Input name to what is wrong with it. */
  readonly problems: Readonly<Record<string, string>>;
}

type Parsed =
  | { readonly kind: "value"; readonly value: JsonValue }
  | { readonly kind: "absent" }
  | { readonly kind: "problem"; readonly text: string };

/** What a field shows before anybody typed: the default. */
export function initialValue(definition: InputDefinition): FieldValue {
  const value = definition.default;
  if (definition.type === "boolean") return value === true;
  if (value === undefined || value === null) return "";
  if (definition.type === "list" && Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.join("\n");
  }
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}

/** Fields nobody touched are left to the workflow's defaults. */
export function readInputs(definitions: Definitions, values: FieldValues): ReadInputs {
  const inputs: Record<string, JsonValue> = {};
  const problems: Record<string, string> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const given = values[name];
    const isUntouched = given === undefined || given === initialValue(definition);
    if (isUntouched && definition.default !== undefined) continue;
    const parsed = parseField(definition, given ?? initialValue(definition));
    if (parsed.kind === "value") inputs[name] = parsed.value;
    else if (parsed.kind === "problem") problems[name] = parsed.text;
    else if (definition.default === undefined) problems[name] = "This input is needed.";
  }
  return { inputs, problems };
}

function parseField(definition: InputDefinition, given: FieldValue): Parsed {
  if (typeof given === "boolean") return { kind: "value", value: given };
  if (definition.enum !== undefined) return parseChoice(definition.enum, given);
  switch (definition.type) {
    case "string":
      if (given === "" && definition.default === undefined) return { kind: "absent" };
      return checkSize(definition, given, given.length, "characters");
    case "number":
    case "integer":
      return parseNumber(definition, given);
    case "boolean":
      return { kind: "value", value: given === "true" };
    case "list":
      return parseList(definition, given);
    case "object":
      return parseObject(given);
  }
}

function parseChoice(choices: readonly JsonValue[], given: string): Parsed {
  const choice = choices.find((candidate) => String(candidate) === given);
  return choice === undefined ? { kind: "absent" } : { kind: "value", value: choice };
}

function parseNumber(definition: InputDefinition, given: string): Parsed {
  const text = given.trim();
  if (text === "") return { kind: "absent" };
  const value = Number(text);
  if (!Number.isFinite(value)) return { kind: "problem", text: "This is not a number." };
  if (definition.type === "integer" && !Number.isSafeInteger(value)) {
    return { kind: "problem", text: "This is not a whole number." };
  }
  return checkSize(definition, value, value, "");
}

function parseList(definition: InputDefinition, given: string): Parsed {
  if (!given.trimStart().startsWith("[")) {
    const items = given
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return checkSize(definition, items, items.length, "items");
  }
  const value = parseJson(given);
  if (!Array.isArray(value)) return { kind: "problem", text: "This is not a JSON list." };
  return checkSize(definition, value, value.length, "items");
}

function parseObject(given: string): Parsed {
  if (given.trim() === "") return { kind: "absent" };
  const value = parseJson(given);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? { kind: "value", value } : { kind: "problem", text: "This is not a JSON object." };
}

function checkSize(definition: InputDefinition, value: JsonValue, size: number, unit: string): Parsed {
  const { min, max } = definition;
  if (min !== undefined && size < min) return { kind: "problem", text: `At least ${min} ${unit}`.trimEnd() };
  if (max !== undefined && size > max) return { kind: "problem", text: `At most ${max} ${unit}`.trimEnd() };
  return { kind: "value", value };
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Undefined is no JSON value; the caller says what was wanted.
    return undefined;
  }
}
