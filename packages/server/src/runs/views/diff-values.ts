/** Where two JSON values differ. Pure. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { joinPath } from "../../base/yaml-source.ts";

/** `a` or `b` is undefined where that side has nothing. */
export interface ValueDifference {
  readonly path: string;
  readonly a: JsonValue | undefined;
  readonly b: JsonValue | undefined;
}

/** Deepest places first come first in the order of the left value; at most `limit`. */
export function diffValues(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  limit = 50,
): readonly ValueDifference[] {
  const found: ValueDifference[] = [];
  visit(a, b, "");
  return found;

  function visit(left: JsonValue | undefined, right: JsonValue | undefined, path: string): void {
    if (found.length >= limit || isSame(left, right)) return;
    if (isList(left) && isList(right)) {
      for (let index = 0; index < Math.max(left.length, right.length); index++)
        visit(left[index], right[index], `${path}[${index}]`);
    } else if (isObject(left) && isObject(right)) {
      for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
        visit(own(left, key), own(right, key), joinPath(path, key));
    } else found.push({ path, a: left, b: right });
  }
}

function own(value: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || canonicalJson(a) === canonicalJson(b);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
