/** Typed inputs of a workflow: how they are declared in the file and how given values are checked. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { createFindingCollector } from "../base/finding.ts";
import type { Finding, FindingCollector } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode, joinPath, yamlValue } from "../base/yaml-source.ts";
import type { YamlEntry } from "../base/yaml-source.ts";
import { namePattern } from "./step-reading.ts";
import { inputTypes } from "./workflow.ts";
import type { InputType, Workflow, WorkflowInput } from "./workflow.ts";

const inputKeys = ["type", "description", "default", "enum", "min", "max"];

/** The `inputs` section; its mistakes are reported. */
export function readInputs(
  field: YamlField | undefined,
  collector: FindingCollector,
): readonly WorkflowInput[] {
  if (field === undefined) return [];
  if (field.node.kind !== "map") {
    collector.error(field.at, field.path, `expected a map of inputs, found ${describeNode(field.node)}`);
    return [];
  }
  return field.node.entries.flatMap((entry) => readInput(entry, field.path, collector) ?? []);
}

function readInput(entry: YamlEntry, parent: string, collector: FindingCollector): WorkflowInput | undefined {
  const path = joinPath(parent, entry.key);
  if (!namePattern.test(entry.key)) {
    const problem = `${JSON.stringify(entry.key.slice(0, 80))} cannot name an input`;
    collector.error(entry.keyAt, path, problem, "letters, digits and _, for example dry_run");
  }
  const fields = readFields(entry.value, inputKeys, { path, collector });
  fields?.require("type", `one of ${inputTypes.join(", ")}`);
  const type = fields?.choice("type", inputTypes);
  if (fields === undefined || type === undefined) return undefined;
  const input: WorkflowInput = {
    name: entry.key,
    type,
    description: fields.text("description") ?? null,
    ...readBounds(fields, type, collector),
    ...entry.keyAt,
  };
  const given = fields.field("default");
  if (given === undefined) return input;
  const value = yamlValue(given.node);
  const problem = value === null ? undefined : findProblem(input, value);
  if (problem !== undefined) collector.error(given.at, given.path, `the default does not fit: ${problem}`);
  return { ...input, default: value };
}

function readBounds(
  fields: YamlFields,
  type: InputType,
  collector: FindingCollector,
): Pick<WorkflowInput, "enum" | "min" | "max"> {
  const min = readBound(fields, "min", collector);
  const max = readBound(fields, "max", collector);
  const first = fields.field("min") ?? fields.field("max");
  if (first !== undefined && (type === "boolean" || type === "object")) {
    collector.error(first.keyAt, first.path, `an input of type ${type} has no min and max`);
  }
  if (min !== undefined && max !== undefined && min > max) {
    collector.error(first?.at ?? fields.at, fields.path, `min ${min} is greater than max ${max}`);
  }
  const choices = fields.field("enum");
  const isList = choices?.node.kind === "list" && choices.node.items.length > 0;
  if (choices !== undefined && !isList) {
    collector.error(
      choices.at,
      choices.path,
      `expected a list of values, found ${describeNode(choices.node)}`,
    );
  }
  const values = choices?.node.kind === "list" ? choices.node.items.map(yamlValue) : undefined;
  for (const value of values ?? []) {
    if (!hasType(type, value)) {
      collector.error(choices?.at ?? fields.at, `${fields.path}.enum`, `${show(value)} is no ${type}`);
    }
  }
  return {
    ...(values === undefined ? {} : { enum: values }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

function readBound(fields: YamlFields, key: "min" | "max", collector: FindingCollector): number | undefined {
  const field = fields.field(key);
  if (field === undefined) return undefined;
  if (field.node.kind === "scalar" && typeof field.node.value === "number") return field.node.value;
  collector.error(field.at, field.path, `expected a number, found ${describeNode(field.node)}`);
  return undefined;
}

export type InputsResult =
  | { readonly ok: true; readonly values: JsonObject }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** The values a run begins with: given ones checked, defaults filled in. Findings point at the declaration. */
export function checkInputs(
  workflow: Workflow,
  given: Readonly<Record<string, unknown>>,
  file?: string,
): InputsResult {
  const whose = `the workflow ${workflow.name}`;
  return checkValues({ declared: workflow.inputs, at: "inputs", one: "input", whose, file }, given);
}

/** As `checkInputs`, for the members of a signal's data. */
export function checkPayload(
  signal: { readonly name: string; readonly payload: readonly WorkflowInput[] },
  given: Readonly<Record<string, unknown>>,
): InputsResult {
  const whose = `the signal ${signal.name}`;
  return checkValues({ declared: signal.payload, at: "data", one: "member", whose, file: undefined }, given);
}

interface Declared {
  readonly declared: readonly WorkflowInput[];
  /** Path in front of the names. */
  readonly at: string;
  /** What one of them is called. */
  readonly one: string;
  readonly whose: string;
  readonly file: string | undefined;
}

function checkValues(
  { declared, at, one, whose, file }: Declared,
  given: Readonly<Record<string, unknown>>,
): InputsResult {
  const collector = createFindingCollector(file);
  const names = declared.map((input) => input.name);
  const values: Record<string, JsonValue> = {};
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const message = `${whose} has no ${one} \`${name.slice(0, 80)}\``;
    collector.error({ line: 1, column: 1 }, joinPath(at, name), message, suggestName(name, names));
  }
  for (const input of declared) {
    const path = `${at}.${input.name}`;
    const value = Object.hasOwn(given, input.name) ? given[input.name] : undefined;
    if (value === undefined && input.default === undefined) {
      collector.error(
        input,
        path,
        `the ${one} \`${input.name}\` is missing`,
        `it is a ${input.type} without a default`,
      );
      continue;
    }
    const chosen = value === undefined ? (input.default ?? null) : value;
    const isDefault = value === undefined || (value === null && input.default === null);
    const problem = isDefault ? undefined : findProblem(input, chosen);
    if (problem === undefined) {
      // `findProblem` proved it to be JSON of the right type.
      values[input.name] = chosen as JsonValue;
      continue;
    }
    const message = `the ${one} \`${input.name}\`: ${problem}`;
    collector.error(input, path, message, input.description ?? undefined);
  }
  return collector.hasErrors() ? { ok: false, findings: collector.findings() } : { ok: true, values };
}

export type CoercedInput =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Turns the text of `--input name=text` into a value of the input's type; `checkInputs` judges it afterwards. */
export function coerceInput(input: WorkflowInput, text: string): CoercedInput {
  switch (input.type) {
    case "string":
      return { ok: true, value: text };
    case "number":
    case "integer": {
      const value = /^[+-]?\d/.test(text.trim()) ? Number(text) : NaN;
      if (Number.isFinite(value)) return { ok: true, value };
      return refused(input, text, `a number, for example --input ${input.name}=7`);
    }
    case "boolean":
      if (text === "true" || text === "false") return { ok: true, value: text === "true" };
      return refused(input, text, "true or false");
    case "list": {
      if (text.trim() === "") return { ok: true, value: [] };
      if (!text.trimStart().startsWith("["))
        return { ok: true, value: text.split(",").map((item) => item.trim()) };
      return parsed(input, text, 'JSON, for example ["a","b"], or a,b');
    }
    case "object":
      return parsed(input, text, 'JSON, for example {"a":1}');
  }
}

function parsed(input: WorkflowInput, text: string, wanted: string): CoercedInput {
  try {
    return { ok: true, value: JSON.parse(text) as JsonValue };
  } catch {
    // The parser's message names a position only; what was wanted helps more.
    return refused(input, text, wanted);
  }
}

function refused(input: WorkflowInput, text: string, wanted: string): CoercedInput {
  const shown = JSON.stringify(text.slice(0, 60));
  return { ok: false, message: `the input \`${input.name}\` cannot be ${shown}`, hint: `write ${wanted}` };
}

/** What is wrong with a value, in one sentence. */
function findProblem(input: WorkflowInput, value: unknown): string | undefined {
  const { type, min, max } = input;
  if (!isPlain(value, 0) || !hasType(type, value)) return `expected ${type}, found ${show(value)}`;
  if (
    input.enum !== undefined &&
    !input.enum.some((choice) => canonicalJson(choice) === canonicalJson(value))
  ) {
    return `expected one of ${input.enum.map(show).join(", ")}; found ${show(value)}`;
  }
  const size =
    typeof value === "number" ? value : typeof value === "string" || Array.isArray(value) ? value.length : 0;
  const what = type === "string" ? "characters" : type === "list" ? "items" : "";
  if (min !== undefined && size < min)
    return `expected at least ${min} ${what}`.trimEnd() + `, found ${size}`;
  if (max !== undefined && size > max) return `expected at most ${max} ${what}`.trimEnd() + `, found ${size}`;
  return undefined;
}

export function hasType(type: InputType, value: JsonValue): boolean {
  switch (type) {
    case "string":
    case "boolean":
      return typeof value === type;
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isSafeInteger(value);
    case "list":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

/** True for what canonical JSON can hold, at most 64 levels deep, without `__proto__`. */
function isPlain(value: unknown, depth: number): value is JsonValue {
  if (depth > 64) return false;
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object") return false;
  if (Object.hasOwn(value, "__proto__")) return false;
  return (
    Object.values(value).every((item) => isPlain(item, depth + 1)) &&
    Object.keys(value).every((key) => key.isWellFormed())
  );
}

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
