/** Functions of the language that work on lists and objects. Inputs are never changed. */
import type { JsonValue } from "../base/canonical-json.ts";
import { grow, readingSteps, searchingSteps, spend } from "./budget.ts";
import {
  argument,
  callError,
  integerArgument,
  listArgument,
  objectArgument,
  stringArgument,
  wrongType,
} from "./call.ts";
import type { Call, LanguageFunction } from "./call.ts";
import { expressionLimits } from "./expression.ts";
import { findAll } from "./find-text.ts";
import { codePoints } from "./text-functions.ts";
import { areEqual, isList, isObject, isTrue, memberOf, sortedKeys, toJsonText, typeName } from "./values.ts";

export const listFunctions: Readonly<Record<string, LanguageFunction>> = {
  length: { least: 1, most: 1, usage: "length(list, text or object)", run: length },
  contains: { least: 2, most: 2, usage: "contains(list or text, part)", run: contains },
  keys: { least: 1, most: 1, usage: "keys(object)", run: keys },
  values: { least: 1, most: 1, usage: "values(object)", run: values },
  unique: { least: 1, most: 1, usage: "unique(list)", run: unique },
  sort: { least: 1, most: 1, usage: "sort(list)", run: sort },
  sortBy: { least: 2, most: 2, lambdaAt: 1, usage: "sortBy(list, x => key)", run: sortBy },
  slice: { least: 2, most: 3, usage: "slice(list or text, start, end)", run: slice },
  first: { least: 1, most: 1, usage: "first(list)", run: (call) => listArgument(call, 0)[0] ?? null },
  last: { least: 1, most: 1, usage: "last(list)", run: (call) => listArgument(call, 0).at(-1) ?? null },
  range: { least: 1, most: 2, usage: "range(count) or range(start, end)", run: range },
  filter: { least: 2, most: 2, lambdaAt: 1, usage: "filter(list, x => condition)", run: filter },
  map: { least: 2, most: 2, lambdaAt: 1, usage: "map(list, x => value)", run: map },
  any: {
    least: 2,
    most: 2,
    lambdaAt: 1,
    usage: "any(list, x => condition)",
    run: (call) => listArgument(call, 0).some((item) => isTrue(call.each(item))),
  },
  all: {
    least: 2,
    most: 2,
    lambdaAt: 1,
    usage: "all(list, x => condition)",
    run: (call) => listArgument(call, 0).every((item) => isTrue(call.each(item))),
  },
  type: { least: 1, most: 1, usage: "type(value)", run: (call) => typeName(argument(call, 0)) },
};

function length(call: Call): number {
  const value = argument(call, 0);
  if (isList(value)) return value.length;
  if (typeof value === "string") return codePoints(value, call.budget).length;
  return isObject(value) ? keysOf(call).length : wrongType(call, 0, "a list, string or object");
}

function contains(call: Call): boolean {
  const whole = argument(call, 0);
  if (isList(whole)) return whole.some((item) => areEqual(item, argument(call, 1), call.budget));
  if (typeof whole !== "string") return wrongType(call, 0, "a list or string");
  const part = stringArgument(call, 1);
  spend(call.budget, searchingSteps(whole.length + part.length));
  return part === "" || findAll(whole, part, 1).length > 0;
}

function keysOf(call: Call): readonly string[] {
  const names = sortedKeys(objectArgument(call, 0));
  spend(call.budget, names.length);
  return names;
}

function keys(call: Call): JsonValue {
  const names = keysOf(call);
  for (const name of names) grow(call.budget, 1 + name.length);
  return names;
}

function values(call: Call): JsonValue {
  const object = objectArgument(call, 0);
  const names = keysOf(call);
  grow(call.budget, names.length);
  return names.map((name) => memberOf(object, name));
}

function unique(call: Call): JsonValue {
  const seen = new Set<string>();
  return listArgument(call, 0).filter((item) => {
    const key = toJsonText(item, call.budget);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function sort(call: Call): JsonValue {
  const list = listArgument(call, 0);
  return sortedBy(call, list, list);
}

function sortBy(call: Call): JsonValue {
  const list = listArgument(call, 0);
  return sortedBy(
    call,
    list,
    list.map((item) => call.each(item)),
  );
}

/** Stable; numbers by size, strings by UTF-16 code units, so that no machine's language setting matters. */
function sortedBy(call: Call, list: readonly JsonValue[], sortKeys: readonly JsonValue[]): JsonValue {
  const kind = typeName(sortKeys[0] ?? 0);
  let longest = 0;
  for (const key of sortKeys) {
    if ((kind !== "number" && kind !== "string") || typeName(key) !== kind) {
      throw callError(call, `${call.name} orders numbers or strings, not ${kind} with ${typeName(key)}`);
    }
    if (typeof key === "string") longest = Math.max(longest, key.length);
  }
  const comparisons = list.length * Math.ceil(Math.log2(list.length + 1));
  spend(call.budget, comparisons * readingSteps(longest));
  grow(call.budget, list.length);
  const order = list.map((_, index) => index);
  order.sort((a, b) => {
    // Checked above: both are numbers or both are strings.
    const left = sortKeys[a] as number;
    const right = sortKeys[b] as number;
    return left < right ? -1 : left > right ? 1 : a - b;
  });
  return order.map((index) => list[index]!);
}

function slice(call: Call): JsonValue {
  const whole = argument(call, 0);
  const start = integerArgument(call, 1);
  const end = integerArgument(call, 2, Infinity);
  if (typeof whole === "string") {
    const part = codePoints(whole, call.budget).slice(start, end).join("");
    grow(call.budget, part.length);
    return part;
  }
  if (!isList(whole)) return wrongType(call, 0, "a list or string");
  const part = whole.slice(start, end);
  spend(call.budget, readingSteps(part.length));
  grow(call.budget, part.length);
  return part;
}

function range(call: Call): JsonValue {
  const start = call.args.length > 1 ? integerArgument(call, 0) : 0;
  const end = integerArgument(call, call.args.length - 1);
  const count = Math.max(0, end - start);
  if (count > expressionLimits.rangeLength) {
    throw callError(call, `range makes at most ${expressionLimits.rangeLength} numbers, not ${count}`);
  }
  spend(call.budget, count);
  grow(call.budget, count);
  return Array.from({ length: count }, (_, index) => start + index);
}

function filter(call: Call): JsonValue {
  const kept = listArgument(call, 0).filter((item) => isTrue(call.each(item)));
  grow(call.budget, kept.length);
  return kept;
}

function map(call: Call): JsonValue {
  const list = listArgument(call, 0);
  grow(call.budget, list.length);
  return list.map((item) => call.each(item));
}
