/** Checks edited arguments against a tool's JSON schema while somebody types. It knows the common words of schemas; the server judges. */
import type { JsonValue } from "../api/contract.ts";

type Schema = Readonly<Record<string, unknown>>;
export type JsonObject = { readonly [key: string]: JsonValue };

export interface ArgumentProblem {
  /** `to`, `files.0.path`; empty for the whole. */
  readonly path: string;
  readonly text: string;
}

export type ReadArguments =
  | { readonly kind: "broken"; readonly text: string }
  | { readonly kind: "read"; readonly value: JsonObject; readonly problems: readonly ArgumentProblem[] };

/** The text as arguments of a tool, with what its schema says about them. */
export function readArguments(text: string, schema: Schema | undefined): ReadArguments {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: "broken", text: error instanceof Error ? error.message : String(error) };
  }
  if (!isObject(value)) return { kind: "broken", text: "Arguments are a JSON object: { ... }" };
  const problems: ArgumentProblem[] = [];
  if (schema !== undefined) check(value, schema, "", problems);
  return { kind: "read", value: value as JsonObject, problems };
}

/** Of resolved arguments those that the tool takes: it finds out more, such as digests, than it is given. */
export function ownArguments(args: unknown, schema: Schema | undefined): JsonObject {
  if (!isObject(args)) return {};
  const known = schema?.["properties"];
  const entries = Object.entries(args as JsonObject);
  return Object.fromEntries(
    isObject(known) ? entries.filter(([name]) => Object.hasOwn(known, name)) : entries,
  );
}

export interface ToolArgument {
  readonly name: string;
  /** `text`, `list`, `one of a, b`; empty when the schema leaves it open. */
  readonly type: string;
  readonly isNeeded: boolean;
  readonly text: string;
}

/** What a tool takes, needed arguments first. */
export function membersOf(schema: Schema | undefined): readonly ToolArgument[] {
  const properties = schema?.["properties"];
  if (!isObject(properties)) return [];
  const required = new Set(Array.isArray(schema?.["required"]) ? schema["required"].map(String) : []);
  return Object.entries(properties)
    .map(([name, own]) => {
      const member = isObject(own) ? own : {};
      const text = typeof member["description"] === "string" ? member["description"] : "";
      return { name, type: typeText(member), isNeeded: required.has(name), text };
    })
    .toSorted((a, b) => Number(b.isNeeded) - Number(a.isNeeded));
}

const typeWords: Readonly<Record<string, string>> = { string: "text", array: "list" };

function typeText(schema: Schema): string {
  if (Array.isArray(schema["enum"])) return `one of ${schema["enum"].join(", ")}`;
  return [schema["type"] ?? []]
    .flat()
    .map((type) => typeWords[String(type)] ?? String(type))
    .join(" or ");
}

function check(value: unknown, schema: Schema, path: string, problems: ArgumentProblem[]): void {
  const add = (text: string): void => void problems.push({ path, text });
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices)) {
    const tries = choices.filter(isObject).map((choice) => problemsOf(value, choice, path));
    const best = tries.toSorted((a, b) => a.length - b.length)[0];
    if (best !== undefined) problems.push(...best);
    return;
  }
  if ("const" in schema && !isSame(value, schema["const"])) add(`must be ${JSON.stringify(schema["const"])}`);
  const allowed = schema["enum"];
  if (Array.isArray(allowed) && !allowed.some((each) => isSame(each, value)))
    add(`must be one of ${allowed.map((each) => JSON.stringify(each)).join(", ")}`);
  const types = [schema["type"] ?? []].flat().map(String);
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    add(`must be ${types.join(" or ")}, is ${typeName(value)}`);
    return;
  }
  checkBounds(value, schema, add);
  if (Array.isArray(value) && isObject(schema["items"])) {
    const items = schema["items"];
    value.forEach((item, index) => check(item, items, join(path, String(index)), problems));
  }
  if (isObject(value)) checkMembers(value, schema, path, problems);
}

function problemsOf(value: unknown, schema: Schema, path: string): readonly ArgumentProblem[] {
  const found: ArgumentProblem[] = [];
  check(value, schema, path, found);
  return found;
}

function checkMembers(value: Schema, schema: Schema, path: string, problems: ArgumentProblem[]): void {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  for (const name of required) {
    if (!Object.hasOwn(value, name)) problems.push({ path: join(path, name), text: "is needed" });
  }
  for (const [name, member] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : schema["additionalProperties"];
    if (own === false) problems.push({ path: join(path, name), text: "is not an argument of this tool" });
    else if (isObject(own)) check(member, own, join(path, name), problems);
  }
}

function checkBounds(value: unknown, schema: Schema, add: (text: string) => void): void {
  const bound = (least: string, most: string, size: number, unit: string): void => {
    const [min, max] = [schema[least], schema[most]];
    if (typeof min === "number" && size < min) add(`must be at least ${min}${unit}`);
    if (typeof max === "number" && size > max) add(`must be at most ${max}${unit}`);
  };
  if (typeof value === "number") bound("minimum", "maximum", value, "");
  if (typeof value === "string") bound("minLength", "maxLength", value.length, " characters");
  if (Array.isArray(value)) bound("minItems", "maxItems", value.length, " items");
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return typeof value === "number";
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
