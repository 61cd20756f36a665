/** What the language does with JSON values: names of types, truth, equality, text and sorted JSON. All costs are charged. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { BudgetSpent, grow, readingSteps, spend } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { expressionLimits } from "./expression.ts";

export type TypeName = "null" | "boolean" | "number" | "string" | "list" | "object";

export function typeName(value: JsonValue): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  const kind = typeof value;
  return kind === "boolean" || kind === "number" || kind === "string" ? kind : "object";
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** False are null, false, 0 and the empty string; everything else, empty lists too, is true. */
export function isTrue(value: JsonValue): boolean {
  return value !== null && value !== false && value !== 0 && value !== "";
}

/** Members in the order of their names: the order of a stored object must not change a result. */
export function sortedKeys(object: JsonObject): readonly string[] {
  return Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort();
}

export function memberOf(object: JsonObject, key: string): JsonValue {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}

/** Deep equality; values of different types are never equal. */
export function areEqual(a: JsonValue, b: JsonValue, budget: Budget, depth: number = 0): boolean {
  requireDepth(depth);
  spend(budget, 1);
  if (typeof a === "string" && typeof b === "string") {
    spend(budget, readingSteps(Math.min(a.length, b.length)));
    return a === b;
  }
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    return a.every((item, index) => areEqual(item, b[index]!, budget, depth + 1));
  }
  if (isObject(a)) {
    if (!isObject(b)) return false;
    const keys = sortedKeys(a);
    const others = sortedKeys(b);
    spend(budget, keys.length + others.length);
    if (keys.length !== others.length) return false;
    return keys.every((key, index) => key === others[index] && areEqual(a[key]!, b[key]!, budget, depth + 1));
  }
  return a === b;
}

/** JSON with members in the order of their names and no spaces. */
export function toJsonText(value: JsonValue, budget: Budget, depth: number = 0): string {
  requireDepth(depth);
  spend(budget, 1);
  let text: string;
  if (isList(value)) {
    text = `[${value.map((item) => toJsonText(item, budget, depth + 1)).join(",")}]`;
  } else if (isObject(value)) {
    const members = sortedKeys(value).map(
      (key) => `${JSON.stringify(key)}:${toJsonText(value[key] ?? null, budget, depth + 1)}`,
    );
    text = `{${members.join(",")}}`;
  } else {
    text = JSON.stringify(value);
  }
  // Inner texts are copied into outer ones: each level pays for its copy.
  grow(budget, text.length);
  return text;
}

/** The text a value leaves in a template: strings as they are, lists and objects as JSON. Null has none: undefined. */
export function toText(value: JsonValue, budget: Budget): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "object") return toJsonText(value, budget);
  return String(value);
}

/**
 * Charges a value as it would be written out. Values may share parts (`[x, x]` of `[y, y]`), so a small tree in memory
 * can be exponentially large as JSON; this walk stops at the bound.
 */
export function chargeSize(value: JsonValue, budget: Budget, depth: number = 0): void {
  requireDepth(depth);
  if (typeof value === "string") return grow(budget, value.length);
  grow(budget, 1);
  if (isList(value)) {
    for (const item of value) chargeSize(item, budget, depth + 1);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      grow(budget, key.length);
      chargeSize(value[key] ?? null, budget, depth + 1);
    }
  }
}

function requireDepth(depth: number): void {
  if (depth > expressionLimits.dataDepth) {
    throw new BudgetSpent(`a value is nested deeper than ${expressionLimits.dataDepth} levels`);
  }
}
