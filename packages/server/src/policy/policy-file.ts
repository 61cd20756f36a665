/** Reads policy.yaml, full form and short form; every mistake is named by line, column and field, nothing unknown passes. */
import { digestJson } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { createFindingCollector, formatFinding, toErrorDetail } from "../base/finding.ts";
import type { Finding, FindingCollector, Position } from "../base/finding.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode, readYaml, yamlValue } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";
import type { RiskLevel } from "./decision.ts";
import type { Effect, Policy, PolicyRule } from "./policy.ts";
import { readConditions } from "./read-conditions.ts";
import { readDemands } from "./read-demands.ts";
import { readActions, readGlobs, readLabels, readScope, readTargets } from "./read-matchers.ts";
import { readThresholds, readUntrusted } from "./risk-reader.ts";
import { flowKeys, readFlow } from "./sequence-reader.ts";

export type PolicyResult =
  | { readonly ok: true; readonly policy: Policy; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** The short form: what simple deployments write. A rule made of these alone needs no `effect`. */
const shortKeys = ["name", "action", "requires_approval", "risk_level", "blacklist", "sandbox", "timeout"];
const ruleKeys = [
  ...shortKeys,
  "effect",
  "description",
  "resource",
  "except",
  "where",
  "labels_any",
  "scope",
  "risk",
  "approval",
  "redact",
  "rate",
  ...flowKeys,
];

/** Never throws. `file` is put into the findings. At most 256 KB. */
export function parsePolicy(text: string, options: { readonly file?: string } = {}): PolicyResult {
  const source = readYaml(text, options.file);
  if (!source.ok) return source;
  const collector = createFindingCollector(options.file);
  const fields = readFields(source.root, ["version", "blocked", "untrusted", "risk", "rules"], {
    path: "",
    collector,
  });
  const rules = fields === undefined ? [] : readPolicy(fields, collector);
  const findings = collector.findings();
  if (collector.hasErrors()) return { ok: false, findings };
  const revision = `sha256:${digestJson(yamlValue(source.root))}`;
  const thresholds = fields && readThresholds(fields.field("risk"), collector);
  const untrusted = fields && readUntrusted(fields.field("untrusted"), collector);
  if (collector.hasErrors()) return { ok: false, findings: collector.findings() };
  const extra = {
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(untrusted === undefined ? {} : { untrusted }),
  };
  return { ok: true, policy: { version: 1, rules, revision, ...extra }, warnings: findings };
}

/** As parsePolicy, but throws POLICY_INVALID with the findings as details. */
export function requirePolicy(text: string, options: { readonly file?: string } = {}): Policy {
  const result = parsePolicy(text, options);
  if (result.ok) return result.policy;
  const errors = result.findings.filter((finding) => finding.severity === "error");
  const [first] = errors;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const message = `The policy is not valid: ${first === undefined ? "" : formatFinding(first)}${others}`;
  throw new HomeostatError("POLICY_INVALID", message, {}, { details: errors.map(toErrorDetail) });
}

function readPolicy(fields: YamlFields, collector: FindingCollector): readonly PolicyRule[] {
  const version = fields.require("version", "the first line is `version: 1`");
  const versionValue = version?.node.kind === "scalar" ? version.node.value : undefined;
  // The short form is often written with `version: "1.0"`; it means the same.
  if (version !== undefined && ![1, "1", "1.0"].some((known) => known === versionValue)) {
    collector.error(
      version.at,
      "version",
      `this program reads version 1, found ${describeNode(version.node)}`,
    );
  }
  const field = fields.require("rules", "an empty list, `rules: []`, denies everything");
  const nodes = field?.node.kind === "list" ? field.node.items : [];
  if (field !== undefined && field.node.kind !== "list") {
    collector.error(field.at, field.path, `expected a list of rules, found ${describeNode(field.node)}`);
  }
  const names = new Map<string, number>();
  const rules = nodes.flatMap((node, index) => readRule(node, `rules[${index}]`, { names, collector }));
  return [...readBlocked(fields.field("blocked"), collector), ...rules];
}

/** `blocked`: targets that no rule can allow, for every action. */
function readBlocked(field: YamlField | undefined, collector: FindingCollector): readonly PolicyRule[] {
  if (field === undefined) return [];
  const targets = readTargets(field, collector);
  return targets.length === 0 ? [] : [blockingRule("blocked", field.keyAt, { actions: ["*"], targets })];
}

function blockingRule(
  name: string,
  at: Position,
  { actions, targets }: Pick<PolicyRule, "actions" | "targets">,
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
  };
}

interface Reading {
  readonly names: Map<string, number>;
  readonly collector: FindingCollector;
}

/** The rule, and a second one that denies when it has a blacklist; nothing (reported) when it cannot be read. */
function readRule(node: YamlNode, path: string, { names, collector }: Reading): readonly PolicyRule[] {
  const fields = readFields(node, ruleKeys, { path, collector });
  if (fields === undefined) return [];
  const name = readName(fields, { names, collector });
  const effect = readEffect(fields, collector);
  const actions = readActions(fields, collector);
  const flow = readFlow(fields, collector);
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
    scope: readScope(fields.field("scope"), collector),
    risk: readRisk(fields, effect, collector),
    demands: readDemands(fields, effect, collector),
  };
  const blacklist = fields.field("blacklist");
  if (blacklist === undefined) return [rule];
  const targets = readTargets(blacklist, collector);
  return [rule, blockingRule(`${name} (blacklist)`, blacklist.keyAt, { actions, targets })];
}

function readName(fields: YamlFields, { names, collector }: Reading): string {
  const name = fields.require("name", "every rule has a name, unique in the file") && fields.text("name");
  if (name === undefined) return "";
  const at = fields.field("name")?.at ?? fields.at;
  const path = `${fields.path}.name`;
  if (name.trim() === "" || name.length > 100 || /[\n`]/.test(name)) {
    collector.error(at, path, "a name is one line of 1 to 100 characters without `");
  }
  const before = names.get(name);
  if (before !== undefined)
    collector.error(at, path, `the name ${JSON.stringify(name)} is used before, in line ${before}`);
  names.set(name, at.line);
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
    keys.every((key) => shortKeys.includes(key)) && keys.some((key) => key !== "name" && key !== "action");
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
