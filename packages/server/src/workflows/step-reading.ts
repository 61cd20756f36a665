/** What the readers of the kinds of step share: their row in the table, and how they reach the steps inside them. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { FindingCollector } from "../base/finding.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import type { Step } from "./workflow.ts";

/** What the readers of nested steps need. `readSteps` reads a list of steps one level further down. */
export interface StepReading {
  readonly collector: FindingCollector;
  readonly readSteps: (field: YamlField) => readonly Step[];
}

/** What a kind adds to the members every step has. */
export type Own<T extends Step> = Omit<
  T,
  "id" | "title" | "condition" | "catch" | "finally" | "compensate" | "goesOnAfterError" | "place"
>;

export interface StepKindRow {
  /** JSON Schema of the key that names the kind. */
  readonly main: JsonObject;
  /** Keys beside those every step has and the one that names the kind, each with its JSON Schema. */
  readonly keys: Readonly<Record<string, JsonObject>>;
  /** Keys that must be there. */
  readonly required?: readonly string[];
  readonly read: (fields: YamlFields, main: YamlField, reading: StepReading) => Own<Step>;
}

export const namePattern: RegExp = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const rolePattern: RegExp = /^[a-z][a-z0-9_-]{0,63}$/;

/** Names that an item of a loop must not hide. */
export const reservedNames: ReadonlySet<string> = new Set([
  "inputs",
  "steps",
  "run",
  "index",
  "error",
  "body",
  "headers",
  "true",
  "false",
  "null",
]);

/** Roles that may answer or signal; a wrong list is reported. Undefined when the key is absent. */
export function readRoles(fields: YamlFields, collector: FindingCollector): readonly string[] | undefined {
  const roles = fields.texts("by");
  const field = fields.field("by");
  if (field === undefined || roles === undefined) return roles;
  if (roles.length === 0 || !roles.every((role) => rolePattern.test(role))) {
    collector.error(field.at, field.path, "expected names of roles", "for example [approver, admin]");
  }
  return roles;
}
