/** Tests one condition of a rule on an action's arguments: typed, and pure. */
import type { JsonValue } from "../base/canonical-json.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { matchesGlob } from "../base/glob.ts";
import type { Condition } from "./policy.ts";

/** A text is the reason why the condition could not be tested: a deny or ask rule then counts as matched, an allow rule not. */
export type ConditionResult = boolean | string;

/**
 * An absent argument, and one of another type than the rule compares with, cannot be tested: to leave an argument out or
 * to send `"5"` for 5 is no way round a rule. Only `exists` answers for absent arguments.
 */
export function testCondition(
  condition: Condition,
  args: Readonly<Record<string, unknown>>,
): ConditionResult {
  const found = readPath(args, condition.path);
  if (condition.op === "exists") return (found !== undefined) === condition.value;
  if (found === undefined) return `${condition.arg} is absent`;
  return compare(condition, found);
}

function compare(condition: Condition, found: unknown): ConditionResult {
  const { op, value } = condition;
  switch (op) {
    case "eq":
      return isComparable(found, value) ? isSame(found, value) : wrongType(condition, found);
    case "ne":
      return isComparable(found, value) ? !isSame(found, value) : wrongType(condition, found);
    case "in":
    case "not_in":
      return testList(condition, found, op === "in");
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      if (typeof found !== "number" || typeof value !== "number") return wrongType(condition, found);
      return compareNumbers(op, found, value);
    case "matches":
      if (typeof found !== "string" || condition.glob === null) return wrongType(condition, found);
      return matchesGlob(condition.glob, found);
    case "starts_with":
      if (typeof found !== "string" || typeof value !== "string") return wrongType(condition, found);
      return found.startsWith(value);
    case "contains":
      if (Array.isArray(found)) return found.some((item) => isSame(item, value));
      if (typeof found !== "string" || typeof value !== "string") return wrongType(condition, found);
      return found.includes(value);
    case "exists":
      return true;
  }
}

function testList(condition: Condition, found: unknown, wanted: boolean): ConditionResult {
  const choices: readonly JsonValue[] = Array.isArray(condition.value) ? condition.value : [];
  if (choices.some((choice) => isSame(found, choice))) return wanted;
  return choices.some((choice) => isComparable(found, choice)) ? !wanted : wrongType(condition, found);
}

function compareNumbers(op: "lt" | "lte" | "gt" | "gte", found: number, value: number): boolean {
  if (op === "lt") return found < value;
  if (op === "lte") return found <= value;
  return op === "gt" ? found > value : found >= value;
}

/** Null compares with everything: `eq null` asks whether something is there. */
function isComparable(found: unknown, value: JsonValue): boolean {
  return value === null || typeName(found) === typeName(value);
}

function isSame(found: unknown, value: JsonValue): boolean {
  if (typeof found !== "object" || found === null || typeof value !== "object" || value === null)
    return found === value;
  try {
    return canonicalJson(found as JsonValue) === canonicalJson(value);
  } catch {
    // Not JSON, so it equals no JSON value. Arguments come through a schema; this is for callers' mistakes.
    return false;
  }
}

function wrongType(condition: Condition, found: unknown): string {
  return `${condition.arg} is ${typeName(found)} and cannot be compared by ${condition.op}`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

/** Own members only. */
function readPath(args: Readonly<Record<string, unknown>>, path: Condition["path"]): unknown {
  let value: unknown = args;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[key];
  }
  return value;
}
