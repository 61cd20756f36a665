/** Reads `where`: the conditions of a rule on an action's arguments, with types checked before anything is decided. */
import { compileGlob } from "../../base/glob.ts";
import type { FindingCollector } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode, yamlValue } from "../../base/yaml-source.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { conditionOperators, conditionTable } from "../rules/policy.ts";
import type { Condition, ConditionOperator, ConditionValueKind, PathStep } from "../rules/policy.ts";
import { parseInstant } from "../rules/time-window.ts";
import { isOriginNode } from "./sequence-reader.ts";

export function readConditions(
  field: YamlField | undefined,
  collector: FindingCollector,
): readonly Condition[] {
  if (field === undefined) return [];
  // Roles and their origins are read with the rest of the data flow.
  if (field.node.kind === "map") return [];
  if (field.node.kind !== "list" || field.node.items.length === 0) {
    const hint = "for example `where: [{ arg: sizeBytes, op: gt, value: 1000 }]`";
    collector.error(
      field.at,
      field.path,
      `expected a list of conditions, found ${describeNode(field.node)}`,
      hint,
    );
    return [];
  }
  return field.node.items.flatMap((node, index) =>
    isOriginNode(node) ? [] : (readCondition(node, `${field.path}[${index}]`, collector) ?? []),
  );
}

function readCondition(node: YamlNode, path: string, collector: FindingCollector): Condition | undefined {
  const fields = readFields(node, ["arg", "op", "value"], { path, collector });
  if (fields === undefined) return undefined;
  const arg = fields.require("arg") && fields.text("arg");
  const op = fields.require("op", conditionOperators.join(", ")) && fields.choice("op", conditionOperators);
  if (arg === undefined || op === undefined) return undefined;
  const steps = parsePath(arg);
  if (steps === undefined) {
    const { at } = fields.field("arg")!;
    collector.error(
      at,
      `${path}.arg`,
      `${JSON.stringify(arg.slice(0, 80))} is no path`,
      "for example `files[0].path` or `to[*]`",
    );
    return undefined;
  }
  const value = readConditionValue(fields, op, collector);
  return value === undefined ? undefined : { arg, path: steps, op, ...value };
}

const wanted: Readonly<Record<ConditionValueKind, string>> = {
  any: "a value",
  list: "a list of values",
  number: "a number",
  range: "two numbers, the lower first",
  glob: "a glob",
  text: "a text",
  scalar: "a text, number or true or false",
  path: "a folder such as workspace/out, without `..`",
  time: 'a date with time and zone such as "2026-12-31T23:59:00Z"',
  boolean: "true or false",
};

function readConditionValue(
  fields: YamlFields,
  op: ConditionOperator,
  collector: FindingCollector,
): Pick<Condition, "value" | "glob"> | undefined {
  const field = op === "exists" ? fields.field("value") : fields.require("value", wanted[conditionTable[op]]);
  if (field === undefined) return op === "exists" ? { value: true, glob: null } : undefined;
  const value = yamlValue(field.node);
  const kind = conditionTable[op];
  if (!fits(kind, value)) {
    collector.error(field.at, field.path, `${op} wants ${wanted[kind]}, found ${describeNode(field.node)}`);
    return undefined;
  }
  if (kind === "path" && typeof value === "string") return { value: trimFolder(value), glob: null };
  if (kind !== "glob" || typeof value !== "string") return { value, glob: null };
  const result = compileGlob(value);
  if (result.ok) return { value, glob: result.glob };
  collector.error(
    field.at,
    field.path,
    `the pattern ${JSON.stringify(value.slice(0, 80))} is wrong: ${result.problem}`,
  );
  return undefined;
}

function fits(kind: ConditionValueKind, value: JsonValue): boolean {
  switch (kind) {
    case "any":
      return true;
    case "list":
      return Array.isArray(value) && value.length > 0;
    case "range": {
      const [low, high, ...rest] = Array.isArray(value) ? value : [];
      return typeof low === "number" && typeof high === "number" && low <= high && rest.length === 0;
    }
    case "number":
      return typeof value === "number";
    case "glob":
    case "text":
      return typeof value === "string";
    case "path":
      return typeof value === "string" && value !== "" && !value.split("/").includes("..");
    case "time":
      return typeof value === "string" && parseInstant(value) !== undefined;
    case "scalar":
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    case "boolean":
      return typeof value === "boolean";
  }
}

/** `workspace//out/` is `workspace/out`. */
function trimFolder(folder: string): string {
  return folder.replaceAll(/\/(?:\.?\/)+/g, "/").replace(/(?<=.)\/$/, "");
}

/** `files[0].path` gives `["files", 0, "path"]`, `[*]` any item; undefined when it is written otherwise. */
function parsePath(arg: string): readonly PathStep[] | undefined {
  if (arg.length > 256 || !/^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*|\[(?:\d{1,6}|\*)\])*$/.test(arg))
    return undefined;
  return [...arg.matchAll(/([A-Za-z_][\w-]*)|\[(\d+|\*)\]/g)].map(([, name, index]): PathStep => {
    if (name !== undefined) return name;
    return index === "*" ? { kind: "each" } : Number(index);
  });
}
