/** Tests one condition of a rule on an action's arguments: typed, and pure. */
import type { JsonValue } from "../../base/canonical-json.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { matchesGlob } from "../../base/glob.ts";
import type { Condition, Effect } from "./policy.ts";
import { parseInstant } from "./time-window.ts";

/** A text is the reason why the condition could not be tested: a deny or ask rule then counts as matched, an allow rule not. */
export type ConditionResult = boolean | string;

/**
 * An absent argument, and one of another type than the rule compares with, cannot be tested: to leave an argument out or
 * to send `"5"` for 5 is no way round a rule. Only `exists` answers for absent arguments. Of a path with `[*]` every item
 * must hold for an allow rule, and any item is enough for a rule that asks or denies.
 */
export function testCondition(
  condition: Condition,
  args: Readonly<Record<string, unknown>>,
  effect: Effect = "deny",
): ConditionResult {
  if (!condition.path.some((step) => typeof step === "object"))
    return testValue(condition, readPath(args, condition.path));
  const found = readItems(args, condition.path);
  if (typeof found === "string") return `${condition.arg}: ${found}`;
  const results = new Set(found.map((value) => testValue(condition, value)));
  const decisive = effect !== "allow";
  if (results.has(decisive)) return decisive;
  for (const result of results) if (typeof result === "string") return result;
  return !decisive;
}

function testValue(condition: Condition, found: unknown): ConditionResult {
  if (found !== undefined) return compare(condition, found);
  return condition.op === "exists" ? condition.value === false : `${condition.arg} is absent`;
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
    case "between": {
      const [low, high] = value as readonly [number, number];
      return typeof found === "number" ? found >= low && found <= high : wrongType(condition, found);
    }
    case "matches":
    case "not_matches":
      if (typeof found !== "string" || condition.glob === null) return wrongType(condition, found);
      return matchesGlob(condition.glob, found) === (op === "matches");
    case "starts_with":
    case "ends_with":
      if (typeof found !== "string" || typeof value !== "string") return wrongType(condition, found);
      return op === "starts_with" ? found.startsWith(value) : found.endsWith(value);
    case "contains":
      return testContains(condition, found);
    case "not_contains":
      return negated(testContains(condition, found));
    case "contains_any":
    case "subset_of":
      return testItems(condition, found);
    case "longer_than":
      if (typeof found !== "string" && !Array.isArray(found)) return wrongType(condition, found);
      return found.length > (value as number);
    case "under":
      return testUnder(condition, found);
    case "not_under":
      return negated(testUnder(condition, found));
    case "before":
    case "after":
      return testTime(condition, found);
    case "exists":
      return value === true;
  }
}

function negated(result: ConditionResult): ConditionResult {
  return typeof result === "string" ? result : !result;
}

function testContains(condition: Condition, found: unknown): ConditionResult {
  const { value } = condition;
  if (Array.isArray(found)) return found.some((item) => isSame(item, value));
  if (typeof found !== "string" || typeof value !== "string") return wrongType(condition, found);
  return found.includes(value);
}

function testItems(condition: Condition, found: unknown): ConditionResult {
  if (!Array.isArray(found)) return wrongType(condition, found);
  const choices = condition.value as readonly JsonValue[];
  const isChoice = (item: unknown): boolean => choices.some((choice) => isSame(item, choice));
  return condition.op === "contains_any" ? found.some(isChoice) : found.every(isChoice);
}

/** A text that climbs (`..`) names no place by itself. */
function testUnder(condition: Condition, found: unknown): ConditionResult {
  if (typeof found !== "string") return wrongType(condition, found);
  const path = found.replaceAll(/\/(?:\.?\/)+/g, "/");
  if (path.includes("\0") || path.split("/").includes("..")) return `${condition.arg} holds \`..\``;
  const folder = condition.value as string;
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function testTime(condition: Condition, found: unknown): ConditionResult {
  const atMs = typeof found === "string" ? parseInstant(found) : undefined;
  const limitMs = parseInstant(condition.value as string);
  if (atMs === undefined || limitMs === undefined) return `${condition.arg} is no date with time and zone`;
  return condition.op === "before" ? atMs < limitMs : atMs > limitMs;
}

function testList(condition: Condition, found: unknown, wanted: boolean): ConditionResult {
  const choices = condition.value as readonly JsonValue[];
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
function readPath(args: unknown, path: Condition["path"]): unknown {
  let value = args;
  for (const key of path) {
    if (typeof key === "object" || typeof value !== "object" || value === null || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[key];
  }
  return value;
}

/** More items than a rule may look at: the argument cannot be tested then. */
const mostItems = 10_000;

/** The values behind a path with `[*]`, or why there is no list to look into. */
function readItems(args: unknown, path: Condition["path"]): readonly unknown[] | string {
  let values: unknown[] = [args];
  let rest = path;
  for (;;) {
    const star = rest.findIndex((step) => typeof step === "object");
    if (star < 0) return values.map((value) => readPath(value, rest));
    const items: unknown[] = [];
    for (const value of values) {
      const list = readPath(value, rest.slice(0, star));
      if (!Array.isArray(list)) return "there is no list";
      if (items.length + list.length > mostItems) return `there are more than ${mostItems} items`;
      for (const item of list) items.push(item);
    }
    values = items;
    rest = rest.slice(star + 1);
  }
}
