/** Reads one rule of a policy, in the full form or the short form; whatever is unclear is refused with its place. */
import type { FindingCollector, Position } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlFields } from "../../base/yaml-fields.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import type { RiskLevel } from "../rules/decision.ts";
import type { Effect, PolicyRule, Section } from "../rules/policy.ts";
import { readConditions } from "./read-conditions.ts";
import { readDemands } from "./read-demands.ts";
import { readActions, readGlobs, readLabels, readScope, readTargets } from "./read-matchers.ts";
import { readRiskCondition } from "../rules/risk-condition.ts";
import { readWindow } from "./read-window.ts";
import { flowKeys, readFlow } from "./sequence-reader.ts";

/** The short form: what simple deployments write. A rule made of these alone needs no `effect`. */
const shortKeys = [
  "name",
  "action",
  "requires_approval",
  "risk_level",
  "blacklist",
  "sandbox",
  "timeout",
] as const;
export const ruleKeys = [
  ...shortKeys,
  "effect",
  "description",
  "resource",
  "except",
  "where",
  "labels_any",
  "scope",
  "when",
  "risk",
  "risk_score",
  "approval",
  "redact",
  "rate",
  "transform",
  ...flowKeys,
] as const;

/** Where rules stand, and which names are taken already. */
export interface RulePlace {
  /** Name of a rule to where it stands, for people. */
  readonly names: Map<string, string>;
  readonly collector: FindingCollector;
  /** Undefined for the organisation's rules. */
  readonly section: Section | undefined;
  /** Undefined for policy.yaml. */
  readonly file: string | undefined;
}

/** The rule, and a second one that denies when it has a blacklist; nothing (reported) when it cannot be read. */
export function readRule(node: YamlNode, path: string, place: RulePlace): readonly PolicyRule[] {
  const { collector } = place;
  const fields = readFields(node, ruleKeys, { path, collector });
  if (fields === undefined) return [];
  const name = readName(fields, place);
  const effect = readEffect(fields, collector);
  const actions = readActions(fields, collector);
  const flow = readFlow(fields, collector);
  const riskScore = readRiskCondition(fields.field("risk_score"), effect, collector);
  const window = readWindow(fields.field("when"), collector);
  const rule: PolicyRule = {
    name,
    description: fields.text("description") ?? null,
    effect,
    line: node.at.line,
    actions,
    resources: readGlobs(fields.field("resource"), collector),
    except: readGlobs(fields.field("except"), collector),
    targets: [],
    conditions: readConditions(fields.field("where"), collector),
    labelsAny: readLabels(fields.field("labels_any"), collector),
    ...(flow === undefined ? {} : { flow }),
    ...(riskScore === undefined ? {} : { riskScore }),
    scope: readScope(fields.field("scope"), collector),
    ...(window === undefined ? {} : { window }),
    ...standing(place),
    risk: readRisk(fields, effect, collector),
    demands: readDemands(fields, effect, collector),
  };
  const blacklist = fields.field("blacklist");
  if (blacklist === undefined) return [rule];
  const targets = readTargets(blacklist, collector);
  return [rule, blockingRule(`${name} (blacklist)`, blacklist.keyAt, { actions, targets, place })];
}

function readName(fields: YamlFields, { names, collector, file }: RulePlace): string {
  const name = fields.require("name", "every rule has a name, unique in the file") && fields.text("name");
  if (name === undefined) return "";
  const { at } = fields.field("name")!;
  const path = `${fields.path}.name`;
  if (name.trim() === "" || name.length > 100 || /[\n`]/.test(name)) {
    collector.error(at, path, "a name is one line of 1 to 100 characters without `");
  }
  const before = names.get(name);
  if (before !== undefined)
    collector.error(at, path, `the name ${JSON.stringify(name)} is used before, in ${before}`);
  names.set(name, `line ${at.line}${file === undefined ? "" : ` of ${file}`}`);
  return name;
}

/** `effect`, or what the short form says; a rule that might have been meant otherwise is refused. */
function readEffect(fields: YamlFields, collector: FindingCollector): Effect {
  const effect = fields.choice("effect", ["allow", "ask", "deny"]);
  const asks = fields.boolean("requires_approval");
  const field = fields.field("requires_approval");
  if (field !== undefined && fields.field("effect") !== undefined) {
    collector.error(
      field.keyAt,
      field.path,
      "a rule has either `effect` or `requires_approval`",
      "`effect: ask` says the same",
    );
  }
  if (fields.field("effect") !== undefined) return effect ?? "deny";
  if (field !== undefined) return asks === false ? "allow" : "ask";
  const keys = fields.keys();
  const isShort =
    keys.every((key) => shortKeys.some((known) => known === key)) &&
    keys.some((key) => key !== "name" && key !== "action");
  if (isShort) {
    collector.warn(
      fields.at,
      fields.path,
      "the rule allows its action without asking",
      "write `effect: allow` to say so",
    );
    return "allow";
  }
  collector.error(fields.at, fields.path, "the key `effect` is missing", "allow, ask or deny");
  return "deny";
}

function readRisk(fields: YamlFields, effect: Effect, collector: FindingCollector): RiskLevel {
  const levels = ["low", "medium", "high"] as const;
  const risk = fields.choice("risk", levels);
  const level = fields.choice("risk_level", levels);
  const second = fields.field("risk_level");
  if (second !== undefined && fields.field("risk") !== undefined) {
    collector.error(
      second.keyAt,
      second.path,
      "a rule has either `risk` or `risk_level`, which mean the same",
    );
  }
  return risk ?? level ?? defaultRisk[effect];
}

const defaultRisk: Readonly<Record<Effect, RiskLevel>> = { allow: "low", ask: "medium", deny: "high" };

/** A rule that denies whatever holds one of `targets`. */
export function blockingRule(
  name: string,
  at: Position,
  { actions, targets, place }: Pick<PolicyRule, "actions" | "targets"> & { readonly place: RulePlace },
): PolicyRule {
  return {
    name,
    description: null,
    effect: "deny",
    line: at.line,
    actions,
    resources: [],
    except: [],
    targets,
    conditions: [],
    labelsAny: [],
    scope: { agent: [], role: [], tenant: [] },
    risk: "high",
    demands: {},
    ...standing(place),
  };
}

function standing({ section, file }: RulePlace): Pick<PolicyRule, "section" | "file"> {
  return { ...(section === undefined ? {} : { section }), ...(file === undefined ? {} : { file }) };
}
