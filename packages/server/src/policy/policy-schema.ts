/** The JSON schema of policy files, for editors: made from the tables that the readers use. */
import type { JsonObject } from "../base/canonical-json.ts";
import { argumentRoles, originKinds } from "./argument-origin.ts";
import { fileKeys } from "./policy-file.ts";
import { conditionTable, effects } from "./policy.ts";
import type { ConditionValueKind } from "./policy.ts";
import { originLabels, scopeKeys } from "./read-matchers.ts";
import { ruleKeys } from "./read-rule.ts";
import { sectionKeys } from "./read-section.ts";
import { windowKeys } from "./read-window.ts";
import { roleGroups } from "./sequence.ts";
import { weekdays } from "./time-window.ts";

type Schema = JsonObject;

const text: Schema = { type: "string" };
const texts: Schema = { anyOf: [text, { type: "array", items: text, minItems: 1 }] };
const oneOrMore = (item: Schema): Schema => ({ anyOf: [item, { type: "array", items: item, minItems: 1 }] });
const choice = (values: readonly string[]): Schema => ({ enum: [...values] });
const duration: Schema = {
  type: "string",
  pattern: "^(\\d{1,9}(\\.\\d{1,3})?(ms|s|m|h|d))+$",
  description: "for example 30s, 2h, 7d",
};
const percent: Schema = { type: "integer", minimum: 1, maximum: 100 };

function map(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: "object", properties, required: [...required], additionalProperties: false };
}

/** One schema for each key of the table: a key without one, or one without key, is a mistake the types find. */
function keyed<Key extends string>(
  keys: readonly Key[],
  schemas: Record<Key, Schema>,
  required: readonly Key[] = [],
): Schema {
  return map(Object.fromEntries(keys.map((key) => [key, schemas[key]])), required);
}

const valueSchemas: Readonly<Record<ConditionValueKind, Schema>> = {
  any: {},
  list: { type: "array", minItems: 1 },
  number: { type: "number" },
  range: { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 },
  glob: text,
  text,
  scalar: { type: ["string", "number", "boolean"] },
  path: { type: "string", minLength: 1 },
  time: { type: "string", format: "date-time" },
  boolean: { type: "boolean" },
};

function conditionSchema(): Schema {
  const arg = { type: "string", description: "a path such as files[0].path, or to[*] for every item" };
  return {
    anyOf: Object.entries(conditionTable).map(([op, kind]) =>
      map(
        { arg, op: { const: op }, value: valueSchemas[kind] },
        op === "exists" ? ["arg", "op"] : ["arg", "op", "value"],
      ),
    ),
  };
}

const origin: Readonly<Record<string, Schema>> = {
  from: oneOrMore(choice(originKinds)),
  labels: oneOrMore(choice(originLabels)),
  instructed: percent,
  delegated: { type: "boolean" },
};
const roles = [...argumentRoles, ...roleGroups];

function whereSchema(): Schema {
  const byRole = Object.fromEntries(roles.map((role) => [role, { ...map(origin), minProperties: 1 }]));
  const entry = map({ role: choice(roles), ...origin }, ["role"]);
  return {
    anyOf: [
      { ...map(byRole), minProperties: 1 },
      { type: "array", minItems: 1, items: { anyOf: [conditionSchema(), entry] } },
    ],
  };
}

const scope: Schema = {
  ...keyed(scopeKeys, { agent: texts, role: texts, tenant: texts, user: texts }),
  minProperties: 1,
};

const after = oneOrMore(
  map({
    action: texts,
    resource: texts,
    label: oneOrMore(choice(originLabels)),
    outcome: choice(["completed", "failed", "denied"]),
    instructed: percent,
    count: { type: "integer", minimum: 1, maximum: 200 },
    within: { type: "integer", minimum: 1, maximum: 200 },
  }),
);

const time: Schema = { type: "string", pattern: "^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$" };
const day = { type: "string", pattern: `^(${weekdays.join("|")})(-(${weekdays.join("|")}))?$` };

function ruleSchema(): Schema {
  return keyed(
    ruleKeys,
    {
      name: { type: "string", minLength: 1, maxLength: 100, description: "Unique over all files." },
      description: text,
      effect: choice(effects),
      action: { ...texts, description: "`file_ops.delete`, `file_ops` for all its actions, or `*`" },
      resource: texts,
      except: texts,
      where: whereSchema(),
      labels_any: oneOrMore(choice(originLabels)),
      scope,
      when: keyed(windowKeys, {
        days: oneOrMore(day),
        from: time,
        to: time,
        zone: { type: "string", description: "IANA name; UTC without it" },
        not_before: { type: "string", format: "date-time" },
        not_after: { type: "string", format: "date-time" },
      }),
      risk: choice(["low", "medium", "high"]),
      risk_level: choice(["low", "medium", "high"]),
      approval: map({
        by: texts,
        quorum: percent,
        expires: duration,
        four_eyes: { type: "boolean" },
        remember: { type: "boolean" },
      }),
      sandbox: { enum: [true, false, "none", "standard", "full"] },
      timeout: { anyOf: [duration, { type: "number", exclusiveMinimum: 0, maximum: 86_400 }] },
      redact: { type: "boolean" },
      rate: map({ count: { type: "integer", minimum: 1, maximum: 1_000_000 }, per: duration }, [
        "count",
        "per",
      ]),
      requested: { type: "boolean" },
      acts: { type: "boolean" },
      first_use: { type: "boolean" },
      after,
      requires_approval: { type: "boolean", description: "Short form of `effect: ask`." },
      blacklist: texts,
    },
    ["name", "action"],
  );
}

/** Draft 2020-12. */
export function policyJsonSchema(): JsonObject {
  const blocked = { ...texts, description: "Targets that no rule can allow." };
  const rules = { type: "array", items: { $ref: "#/$defs/rule" } };
  const fallback = choice(["deny", "ask"]);
  const section = keyed(sectionKeys, { name: text, scope, default: fallback, blocked, rules }, ["scope"]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Homeostat policy",
    description: "What agents and workflows may do: policy.yaml, and files of policy.d. See docs/policy.md.",
    ...keyed(
      fileKeys,
      {
        version: { enum: [1, "1", "1.0"] },
        scope,
        default: fallback,
        blocked,
        untrusted: map({ instructions: choice(["quote", "strip"]), from: percent }, ["instructions"]),
        risk: { ...map({ ask: percent, deny: percent }), minProperties: 1 },
        rules,
        sections: { type: "array", items: section },
      },
      ["version"],
    ),
    $defs: { rule: ruleSchema() },
  };
}
