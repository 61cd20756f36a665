/** Reads `where`: the conditions of a rule on an action's arguments, with types checked before anything is decided. */
import { compileGlob } from "../base/glob.ts";
import type { FindingCollector } from "../base/finding.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode, yamlValue } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";
import { conditionOperators } from "./policy.ts";
import type { Condition, ConditionOperator } from "./policy.ts";
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
    const at = fields.field("arg")?.at ?? node.at;
    collector.error(
      at,
      `${path}.arg`,
      `${JSON.stringify(arg.slice(0, 80))} is no path`,
      "for example `files[0].path`",
    );
    return undefined;
  }
  const value = readConditionValue(fields, op, collector);
  return value === undefined ? undefined : { arg, path: steps, op, ...value };
}

const wanted: Readonly<Record<ConditionOperator, string>> = {
  eq: "a value",
  ne: "a value",
  in: "a list of values",
  not_in: "a list of values",
  lt: "a number",
  lte: "a number",
  gt: "a number",
  gte: "a number",
  matches: "a glob",
  starts_with: "a text",
  contains: "a text, number or true or false",
  exists: "true or false",
};

function readConditionValue(
  fields: YamlFields,
  op: ConditionOperator,
  collector: FindingCollector,
): Pick<Condition, "value" | "glob"> | undefined {
  const field = op === "exists" ? fields.field("value") : fields.require("value", wanted[op]);
  if (field === undefined) return op === "exists" ? { value: true, glob: null } : undefined;
  const value = yamlValue(field.node);
  if (!fits(op, value)) {
    collector.error(field.at, field.path, `${op} wants ${wanted[op]}, found ${describeNode(field.node)}`);
    return undefined;
  }
  if (op !== "matches" || typeof value !== "string") return { value, glob: null };
  const result = compileGlob(value);
  if (result.ok) return { value, glob: result.glob };
  collector.error(
    field.at,
    field.path,
    `the pattern ${JSON.stringify(value.slice(0, 80))} is wrong: ${result.problem}`,
  );
  return undefined;
}

function fits(op: ConditionOperator, value: unknown): boolean {
  switch (op) {
    case "eq":
    case "ne":
      return true;
    case "in":
    case "not_in":
      return Array.isArray(value) && value.length > 0;
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return typeof value === "number";
    case "matches":
    case "starts_with":
      return typeof value === "string";
    case "contains":
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    case "exists":
      return typeof value === "boolean";
  }
}

/** `files[0].path` gives `["files", 0, "path"]`; undefined when it is written otherwise. */
function parsePath(arg: string): readonly (string | number)[] | undefined {
  if (arg.length > 256 || !/^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*|\[\d{1,6}\])*$/.test(arg)) return undefined;
  return [...arg.matchAll(/([A-Za-z_][\w-]*)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}
