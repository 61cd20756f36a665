/** Reads the keys of a rule that speak of data flow: roles in `where`, `requested`, `first_use` and `after`. */
import type { FindingCollector } from "../../base/finding.ts";
import { suggestName } from "../../base/nearest.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import { argumentRoles, originKinds } from "../rules/argument-origin.ts";
import type { OriginKind } from "../rules/argument-origin.ts";
import { readActionNames, readGlobs, readLabels } from "./read-matchers.ts";
import { roleGroups } from "../rules/sequence.ts";
import type { ArgumentCondition, FlowConditions, PastCondition } from "../rules/sequence.ts";

export const flowKeys = ["requested", "acts", "first_use", "after"] as const;

const roles = [...argumentRoles, ...roleGroups];
const originKeys = ["from", "labels", "instructed", "delegated"];
const originHint = "for example `where: { payee: { from: untrusted-only } }`";

/** Undefined when the rule says nothing of data flow: it then costs a decision nothing. */
export function readFlow(fields: YamlFields, collector: FindingCollector): FlowConditions | undefined {
  const conditions: FlowConditions = {
    arguments: readOrigins(fields.field("where"), collector),
    isRequested: fields.boolean("requested") ?? null,
    isEffect: fields.boolean("acts") ?? null,
    isFirstUse: fields.boolean("first_use") ?? false,
    after: readAfter(fields.field("after"), collector),
  };
  const says =
    conditions.arguments.length > 0 ||
    conditions.isRequested !== null ||
    conditions.isEffect !== null ||
    conditions.isFirstUse ||
    conditions.after.length > 0;
  return says ? conditions : undefined;
}

/** In a list, an entry with `role` speaks of origins; others compare values and are read elsewhere. */
export function isOriginNode(node: YamlNode): boolean {
  return node.kind === "map" && node.entries.some((entry) => entry.key === "role");
}

/** Whoever writes one of these without a list means a condition. */
const conditionKeys: ReadonlySet<string> = new Set(["arg", "op", "value"]);
const conditionHint =
  "conditions stand in a list, for example `where: [{ arg: sizeBytes, op: gt, value: 1000 }]`";

function readOrigins(
  field: YamlField | undefined,
  collector: FindingCollector,
): readonly ArgumentCondition[] {
  if (field === undefined) return [];
  if (field.node.kind === "map") {
    if (field.node.entries.length === 0)
      collector.error(field.at, field.path, "the map is empty", originHint);
    return field.node.entries.flatMap((entry) => {
      const path = `${field.path}.${entry.key}`;
      const role = roles.find((known) => known === entry.key);
      if (role === undefined) {
        const hint = conditionKeys.has(entry.key) ? conditionHint : suggestName(entry.key, roles);
        collector.error(entry.keyAt, path, `\`${entry.key.slice(0, 80)}\` is no role of an argument`, hint);
        return [];
      }
      const inner = readFields(entry.value, originKeys, { path, collector });
      return inner === undefined ? [] : [readOrigin(role, inner, collector)];
    });
  }
  if (field.node.kind !== "list") return [];
  return field.node.items.flatMap((node, index) => {
    if (!isOriginNode(node)) return [];
    const inner = readFields(node, ["role", ...originKeys], { path: `${field.path}[${index}]`, collector });
    const role = inner?.choice("role", roles);
    return inner === undefined || role === undefined ? [] : [readOrigin(role, inner, collector)];
  });
}

function readOrigin(
  role: ArgumentCondition["role"],
  fields: YamlFields,
  collector: FindingCollector,
): ArgumentCondition {
  if (fields.keys().every((key) => key === "role")) {
    collector.error(
      fields.at,
      fields.path,
      "nothing is said about where the argument comes from",
      originHint,
    );
  }
  return {
    role,
    from: readKinds(fields, collector),
    labels: readLabels(fields.field("labels"), collector),
    instructed: fields.integer("instructed", 1, 100) ?? null,
    isDelegated: fields.boolean("delegated") ?? null,
  };
}

function readKinds(fields: YamlFields, collector: FindingCollector): readonly OriginKind[] {
  return (fields.texts("from") ?? []).flatMap((text) => {
    const kind = originKinds.find((known) => known === text);
    if (kind !== undefined) return [kind];
    const field = fields.field("from")!;
    collector.error(
      field.at,
      field.path,
      `${JSON.stringify(text.slice(0, 80))} is no origin`,
      suggestName(text, originKinds),
    );
    return [];
  });
}

const afterKeys = ["action", "resource", "label", "outcome", "instructed", "count", "within"];

function readAfter(field: YamlField | undefined, collector: FindingCollector): readonly PastCondition[] {
  if (field === undefined) return [];
  const nodes = field.node.kind === "list" ? field.node.items : [field.node];
  return nodes.flatMap((node, index) => {
    const path = field.node.kind === "list" ? `${field.path}[${index}]` : field.path;
    const fields = readFields(node, afterKeys, { path, collector });
    if (fields === undefined) return [];
    if (!fields.keys().some((key) => key !== "count" && key !== "within")) {
      collector.error(
        node.at,
        path,
        "nothing is said about what came before",
        "for example `after: { label: web, within: 10 }`",
      );
    }
    return [
      {
        actions: readActionNames(fields.field("action"), collector),
        resources: readGlobs(fields.field("resource"), collector),
        labels: readLabels(fields.field("label"), collector),
        outcome: fields.choice("outcome", ["completed", "failed", "denied"] as const) ?? null,
        instructed: fields.integer("instructed", 1, 100) ?? null,
        count: fields.integer("count", 1, 200) ?? 1,
        within: fields.integer("within", 1, 200) ?? null,
      },
    ];
  });
}
