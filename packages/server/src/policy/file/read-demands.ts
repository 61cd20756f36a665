/** Reads what a rule demands of an action it lets pass: approval, sandbox, timeout, redaction and rate. */
import { durationForm, parseDuration } from "../../base/duration.ts";
import type { FindingCollector } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode } from "../../base/yaml-source.ts";
import type { Demands, Effect } from "../rules/policy.ts";
import { transformHandlings } from "../rules/transform-record.ts";

const demandKeys = ["approval", "sandbox", "timeout", "redact", "rate"] as const;

export function readDemands(fields: YamlFields, effect: Effect, collector: FindingCollector): Demands {
  refuseMeaningless(fields, effect, collector);
  const approval = readApproval(fields.field("approval"), collector);
  const sandbox = readSandbox(fields, collector);
  const timeoutMs = readTimeout(fields.field("timeout"), collector);
  const redact = fields.boolean("redact");
  const rate = readRate(fields.field("rate"), collector);
  const transform = readTransform(fields, effect, collector);
  return {
    ...(approval === undefined ? {} : { approval }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(redact === true ? { redact } : {}),
    ...(rate === undefined ? {} : { rate }),
    ...(transform === undefined ? {} : { transform }),
  };
}

/** A rule that grants would let pass what cannot be taken out; one that names no text would have nothing to change. */
function readTransform(
  fields: YamlFields,
  effect: Effect,
  collector: FindingCollector,
): Demands["transform"] {
  const field = fields.field("transform");
  if (field === undefined) return undefined;
  if (effect === "allow") {
    collector.error(
      field.keyAt,
      field.path,
      "`transform` needs `effect: ask` or `deny`: what becomes of that which cannot be taken out",
    );
  }
  if (!namesText(fields.field("where"))) {
    collector.error(
      field.keyAt,
      field.path,
      "`transform` changes texts, and `where` names none",
      "for example `where: { body: { instructed: 60 } }`",
    );
  }
  return fields.choice("transform", transformHandlings);
}

/** `where: { body: ... }` or an entry with `role: body`; `any` covers it. */
function namesText(where: YamlField | undefined): boolean {
  if (where?.node.kind === "map") return where.node.entries.some(({ key }) => isTextRole(key));
  if (where?.node.kind !== "list") return false;
  return where.node.items.some(
    (item) =>
      item.kind === "map" &&
      item.entries.some(
        ({ key, value }) => key === "role" && value.kind === "scalar" && isTextRole(String(value.value)),
      ),
  );
}

function isTextRole(role: string): boolean {
  return role === "body" || role === "any";
}

/** A demand on what is denied, or approval of what is allowed anyway, shows that something else was meant. */
function refuseMeaningless(fields: YamlFields, effect: Effect, collector: FindingCollector): void {
  for (const key of demandKeys) {
    const field = fields.field(key);
    if (field === undefined) continue;
    if (effect === "deny" && fields.field("effect") !== undefined) {
      collector.error(field.keyAt, field.path, `\`${key}\` has no meaning for what is denied`, "remove it");
    } else if (effect === "allow" && key === "approval") {
      collector.error(field.keyAt, field.path, "`approval` needs `effect: ask`");
    }
  }
}

/** A role, or one person by name. */
const responderPattern = /^(?:[a-z][a-z0-9_-]{0,63}|user:[a-z][a-z0-9._-]{0,63})$/;

function readApproval(field: YamlField | undefined, collector: FindingCollector): Demands["approval"] {
  if (field === undefined) return undefined;
  const fields = readFields(field.node, ["by", "quorum", "expires", "four_eyes", "remember"], {
    path: field.path,
    collector,
  });
  if (fields === undefined) return undefined;
  const by = fields.texts("by");
  const byField = fields.field("by");
  if (
    byField !== undefined &&
    by !== undefined &&
    (by.length === 0 || !by.every((responder) => responderPattern.test(responder)))
  ) {
    collector.error(
      byField.at,
      byField.path,
      "expected roles, or people as user:NAME",
      "for example [approver, user:ada]",
    );
  }
  const quorum = fields.integer("quorum", 1, 100);
  const expiresMs = readDuration(fields.field("expires"), collector);
  return {
    ...(by === undefined ? {} : { by: [...new Set(by)].sort() }),
    ...(quorum === undefined ? {} : { quorum }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(fields.boolean("four_eyes") === true ? { fourEyes: true } : {}),
    ...(fields.boolean("remember") === false ? { remember: false } : {}),
  };
}

/** `true`, of the short form, is the level every supported host reaches with bubblewrap. */
function readSandbox(fields: YamlFields, collector: FindingCollector): Demands["sandbox"] {
  const field = fields.field("sandbox");
  if (field?.node.kind === "scalar" && typeof field.node.value === "boolean") {
    return field.node.value ? "standard" : undefined;
  }
  if (field !== undefined && field.node.kind !== "scalar") {
    collector.error(
      field.at,
      field.path,
      `expected true, none, standard or full, found ${describeNode(field.node)}`,
    );
    return undefined;
  }
  return fields.choice("sandbox", ["none", "standard", "full"]);
}

/** A plain number, of the short form, is in seconds. */
function readTimeout(field: YamlField | undefined, collector: FindingCollector): number | undefined {
  if (field?.node.kind !== "scalar" || typeof field.node.value !== "number")
    return readDuration(field, collector);
  const seconds = field.node.value;
  if (seconds > 0 && seconds <= 86_400) return Math.ceil(seconds * 1_000);
  collector.error(
    field.at,
    field.path,
    `expected seconds above 0 and up to 86400, found ${describeNode(field.node)}`,
  );
  return undefined;
}

function readRate(field: YamlField | undefined, collector: FindingCollector): Demands["rate"] {
  if (field === undefined) return undefined;
  const fields = readFields(field.node, ["count", "per"], { path: field.path, collector });
  const count = fields?.require("count") && fields.integer("count", 1, 1_000_000);
  const per = fields?.require("per", durationForm);
  const perMs = readDuration(per, collector);
  return count === undefined || perMs === undefined ? undefined : { count, perMs };
}

function readDuration(field: YamlField | undefined, collector: FindingCollector): number | undefined {
  if (field === undefined) return undefined;
  const value = field.node.kind === "scalar" ? field.node.value : undefined;
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined && ms > 0) return ms;
  collector.error(field.at, field.path, `expected ${durationForm}, found ${describeNode(field.node)}`);
  return undefined;
}
