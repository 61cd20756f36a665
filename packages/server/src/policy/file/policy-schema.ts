/** The JSON schema of policy files, for editors: made from the tables that the readers use. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { argumentRoles, originKinds } from "../rules/argument-origin.ts";
import { fileKeys } from "./policy-file.ts";
import { conditionTable, effects } from "../rules/policy.ts";
import type { ConditionValueKind } from "../rules/policy.ts";
import { originLabels, scopeKeys } from "./read-matchers.ts";
import { ruleKeys } from "./read-rule.ts";
import { sectionKeys } from "./read-section.ts";
import { windowKeys } from "./read-window.ts";
import { roleGroups } from "../rules/sequence.ts";
import { weekdays } from "../rules/time-window.ts";

type Schema = JsonObject;

const text: Schema = { type: "string" };
const texts: Schema = { anyOf: [text, { type: "array", items: text, minItems: 1 }] };
const oneOrMore = (item: Schema): Schema => ({ anyOf: [item, { type: "array", items: item, minItems: 1 }] });
const choice = (values: readonly string[]): Schema => ({ enum: [...values] });
/** What an editor shows beside the key. */
const about = (description: string, schema: Schema): Schema => ({ ...schema, description });
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
  from: about("Where the argument came from", oneOrMore(choice(originKinds))),
  labels: about("Any of the sources the argument was found in", oneOrMore(choice(originLabels))),
  instructed: about("At least so much does the passage read as an instruction to the assistant", percent),
  delegated: about("Whether the task names the source the value came from", { type: "boolean" }),
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
  ...keyed(scopeKeys, {
    agent: about("Globs of agents, as in `workflow:nightly-*`", texts),
    role: about("Roles of who asked for the run", texts),
    tenant: about("Tenants", texts),
    user: about("Who asked for the run, as in `user:ada`", texts),
  }),
  minProperties: 1,
};

const after = oneOrMore(
  map({
    action: about("The run did one of these actions before", texts),
    resource: about("On a resource that one of these globs matches", texts),
    label: about("It brought content of this origin into the run", oneOrMore(choice(originLabels))),
    outcome: about("It ended so", choice(["completed", "failed", "denied"])),
    instructed: about("Its output held a passage of at least this score", percent),
    count: about("At least so many times; 1 without it", { type: "integer", minimum: 1, maximum: 200 }),
    within: about("Among the last so many actions", { type: "integer", minimum: 1, maximum: 200 }),
  }),
);

const time: Schema = { type: "string", pattern: "^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$" };
const day = { type: "string", pattern: `^(${weekdays.join("|")})(-(${weekdays.join("|")}))?$` };

function ruleSchema(): Schema {
  return keyed(
    ruleKeys,
    {
      name: { type: "string", minLength: 1, maxLength: 100, description: "Unique over all files." },
      description: about("For people: shown with the rule.", text),
      effect: about("What the rule says: deny beats ask beats allow.", choice(effects)),
      action: { ...texts, description: "`file_ops.delete`, `file_ops` for all its actions, or `*`" },
      resource: about("Globs; one must match: `workspace/**`, `https://host:443/**`, `bash/rm`.", texts),
      except: about("Globs of resources the rule does not speak of.", texts),
      where: about("Conditions on the arguments; all must hold.", whereSchema()),
      labels_any: about(
        "A value that went into the run comes from one of these.",
        oneOrMore(choice(originLabels)),
      ),
      scope: about("For whom the rule is; all given parts must match.", scope),
      when: about(
        "The times at which the rule speaks.",
        keyed(windowKeys, {
          days: about("Days such as `mon` or `mon-fri`", oneOrMore(day)),
          from: about("Time of day, as in `22:00`", time),
          to: about("Time of day, excluded; before `from` it goes over midnight", time),
          zone: { type: "string", description: "IANA name; UTC without it" },
          not_before: about("From this moment on (ISO 8601 with zone)", {
            type: "string",
            format: "date-time",
          }),
          not_after: about("Until this moment (ISO 8601 with zone)", { type: "string", format: "date-time" }),
        }),
      ),
      risk: about(
        "How risky the action is; low for allow, medium for ask, high for deny without it.",
        choice(["low", "medium", "high"]),
      ),
      risk_score: about(
        "The action's score without what rules add: from so much on for `ask` and `deny`, up to so much for `allow`.",
        {
          anyOf: [
            map({ from: { type: "integer", minimum: 1, maximum: 100 } }, ["from"]),
            map({ up_to: { type: "integer", minimum: 0, maximum: 99 } }, ["up_to"]),
          ],
        },
      ),
      risk_level: about("Older name of `risk`.", choice(["low", "medium", "high"])),
      approval: about(
        "For `ask`: who answers, how many, how long.",
        map({
          by: about("Roles that may answer; admin and approver without it", texts),
          quorum: about("How many must agree; 1 without it", percent),
          expires: { ...duration, description: "When the question expires; 24h without it" },
          four_eyes: about("Who asked for the run may not agree", { type: "boolean" }),
          remember: about("`false`: a yes never stands for the same again", { type: "boolean" }),
        }),
      ),
      sandbox: about("The weakest isolation under which it may run; `true` is `standard`.", {
        enum: [true, false, "none", "standard", "full"],
      }),
      timeout: about("The longest an attempt may take: a duration, or seconds.", {
        anyOf: [duration, { type: "number", exclusiveMinimum: 0, maximum: 86_400 }],
      }),
      redact: about("`true`: outputs are redacted before they are kept.", { type: "boolean" }),
      rate: about(
        "At most `count` actions `per` duration.",
        map({ count: { type: "integer", minimum: 1, maximum: 1_000_000 }, per: duration }, ["count", "per"]),
      ),
      transform: about(
        "Passages that speak to the assistant are taken out of the texts `where` names, or quoted; the rule holds for what cannot be.",
        { enum: ["strip", "quote"] },
      ),
      requested: about("`false`: only actions that change something and that the task does not ask for.", {
        type: "boolean",
      }),
      acts: about("`true`: only actions that change something.", { type: "boolean" }),
      first_use: about("`true`: only targets this agent has never used with this tool.", { type: "boolean" }),
      after: about("What the run did before.", after),
      requires_approval: { type: "boolean", description: "Short form of `effect: ask`." },
      blacklist: about(
        "What this action is denied for, whatever else allows it: globs or pieces of text.",
        texts,
      ),
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
        version: about("Version of the language.", { enum: [1, "1", "1.0"] }),
        scope: about("Files of policy.d: for whom they speak.", scope),
        default: about("What happens when no rule matches; deny without it.", fallback),
        blocked,
        untrusted: about(
          "What models are shown of passages that read as instructions: quoted, or left out; `from` is the least score.",
          map({ instructions: choice(["quote", "strip"]), from: percent }, ["instructions"]),
        ),
        risk: {
          ...map({ ask: percent, deny: percent }),
          minProperties: 1,
          description: "From which risk score on a person is asked, or the action refused.",
        },
        rules: about("What the organisation allows, asks and denies.", rules),
        sections: about("Rules for one tenant, agent or user; they only tighten.", {
          type: "array",
          items: section,
        }),
      },
      ["version"],
    ),
    $defs: { rule: ruleSchema() },
  };
}
