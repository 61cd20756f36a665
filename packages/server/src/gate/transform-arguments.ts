/** Changes the texts among an action's arguments as policy wants, and does the same change again after a crash. Pure. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import { strongerTransform } from "../policy/rules/transform-record.ts";
import type { PlannedTransform, TransformRecord, TransformedText } from "../policy/rules/transform-record.ts";
import { findPassages, recordOf, replacePassages } from "./data-flow-passages.ts";
import type { ForeignPassages } from "./data-flow-passages.ts";

export interface Transformed {
  readonly args: JsonObject;
  readonly record: TransformRecord;
}

/** Undefined when no planned text holds a passage. Names, numbers and texts that are not planned never change. */
export function transformArguments(
  args: JsonObject,
  plan: readonly PlannedTransform[],
  passages: ForeignPassages,
): Transformed | undefined {
  const changes: TransformedText[] = [];
  const changed = mapTexts(args, (path, text) => {
    const own = plan.filter((planned) => planned.path === path);
    if (own.length === 0) return text;
    const handling = own.map((planned) => planned.handling).reduce(strongerTransform);
    const found = findPassages(text, passages, Math.min(...own.map(({ from }) => from)));
    if (found.length === 0) return text;
    changes.push(recordOf(path, text, { handling, passages: found }));
    return replacePassages(text, found, handling);
  });
  if (changes.length === 0) return undefined;
  const rules = new Set(
    plan.filter(({ path }) => changes.some((change) => change.path === path)).map(({ rule }) => rule),
  );
  return { args: changed, record: { rules: [...rules], changes } };
}

/** The recorded change on the same arguments; undefined when they are not the same. */
export function repeatTransform(args: JsonObject, record: TransformRecord): JsonObject | undefined {
  let left = record.changes.length;
  const changed = mapTexts(args, (path, text) => {
    const change = record.changes.find((one) => one.path === path && one.digest === sha256(text));
    if (change === undefined) return text;
    left -= 1;
    return replacePassages(text, change.passages, change.handling);
  });
  return left === 0 ? changed : undefined;
}

/** The arguments with the passages of a recorded change left out, also where it only quoted them. */
export function withoutPassages(args: JsonObject, record: TransformRecord): JsonObject | undefined {
  const changes = record.changes.map((change) => ({ ...change, handling: "strip" as const }));
  return repeatTransform(args, { ...record, changes });
}

/** Paths as `leavesOf` writes them. */
function mapTexts(args: JsonObject, change: (path: string, text: string) => string): JsonObject {
  const visit = (value: JsonValue, path: string): JsonValue => {
    if (typeof value === "string") return change(path, value);
    if (Array.isArray(value))
      return (value as readonly JsonValue[]).map((item, index) => visit(item, `${path}[${index}]`));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        visit(item as JsonValue, path === "" ? key : `${path}.${key}`),
      ]),
    );
  };
  // An object stays an object.
  return visit(args, "") as JsonObject;
}
