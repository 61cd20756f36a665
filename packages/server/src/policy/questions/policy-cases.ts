/** Tables of cases for a policy: read from YAML, decided one by one, with the line of each that fails. Pure. */
import type { FindingCollector } from "../../base/finding.ts";
import { createFindingCollector } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode, readYaml, yamlValue } from "../../base/yaml-source.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest, Decision } from "../rules/decision.ts";
import { effects } from "../rules/policy.ts";
import type { Effect } from "../rules/policy.ts";
import { readLabels } from "../file/read-matchers.ts";
import { parseInstant } from "../rules/time-window.ts";

export interface PolicyCase {
  readonly name: string;
  readonly line: number;
  readonly request: ActionRequest;
  readonly expect: {
    readonly effect: Effect | null;
    /** All of them must have matched. */
    readonly rules: readonly string[];
    readonly notRules: readonly string[];
    readonly risk: Decision["risk"] | null;
  };
}

export type PolicyCasesResult =
  | { readonly ok: true; readonly cases: readonly PolicyCase[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export interface CaseResult {
  readonly name: string;
  readonly line: number;
  readonly ok: boolean;
  readonly decision: Decision;
  /** What is otherwise than expected; empty when nothing is. */
  readonly problems: readonly string[];
}

export interface PolicyTestReport {
  readonly passed: number;
  readonly failed: number;
  readonly cases: readonly CaseResult[];
  readonly coverage: RuleCoverage;
}

export interface RuleCoverage {
  readonly rules: number;
  readonly hit: number;
  /** 100 when there are no rules. */
  readonly percent: number;
  readonly missed: readonly { readonly name: string; readonly line: number }[];
}

const requestKeys = [
  "action",
  "resource",
  "args",
  "labels",
  "agent",
  "role",
  "tenant",
  "user",
  "at",
] as const;
const caseKeys = ["name", ...requestKeys, "expect"] as const;
const expectKeys = ["effect", "rule", "not_rule", "risk"] as const;

/** Never throws. `defaults` of the file are put into every case that does not say otherwise. */
export function parsePolicyCases(text: string, file?: string): PolicyCasesResult {
  const source = readYaml(text, file);
  if (!source.ok) return source;
  const collector = createFindingCollector(file);
  const fields = readFields(source.root, ["version", "defaults", "cases"], { path: "", collector });
  const defaults = readDefaults(fields?.field("defaults"), collector);
  const list = fields?.require("cases", "a list of { action, resource, expect }");
  if (list !== undefined && (list.node.kind !== "list" || list.node.items.length === 0))
    collector.error(list.at, list.path, `expected a list of cases, found ${describeNode(list.node)}`);
  const nodes = list?.node.kind === "list" ? list.node.items : [];
  const cases = nodes.flatMap(
    (node, index) => readCase(node, { path: `cases[${index}]`, defaults, collector }) ?? [],
  );
  return collector.hasErrors() ? { ok: false, findings: collector.findings() } : { ok: true, cases };
}

export function runPolicyCases(policy: CompiledPolicy, cases: readonly PolicyCase[]): PolicyTestReport {
  const hit = new Set<string>();
  const results = cases.map(({ name, line, request, expect }): CaseResult => {
    const decision = decide(policy, request);
    for (const rule of decision.matched) hit.add(rule.name);
    const problems = compare(expect, decision);
    return { name, line, ok: problems.length === 0, decision, problems };
  });
  const passed = results.filter(({ ok }) => ok).length;
  return { passed, failed: results.length - passed, cases: results, coverage: coverRules(policy, hit) };
}

/** `hit` holds names of rules that matched something. */
export function coverRules({ rules }: Pick<CompiledPolicy, "rules">, hit: ReadonlySet<string>): RuleCoverage {
  const missed = rules.filter(({ name }) => !hit.has(name)).map(({ name, line }) => ({ name, line }));
  const count = rules.length - missed.length;
  return {
    rules: rules.length,
    hit: count,
    percent: rules.length === 0 ? 100 : (100 * count) / rules.length,
    missed,
  };
}

function compare(
  expected: PolicyCase["expect"],
  { effect, matched, risk, reason }: Decision,
): readonly string[] {
  const names = new Set(matched.map(({ name }) => name));
  const shown = matched.length === 0 ? "none" : [...names].map((name) => `\`${name}\``).join(", ");
  return [
    ...(expected.effect === null || expected.effect === effect
      ? []
      : [`expected ${expected.effect}, got ${effect}: ${reason}`]),
    ...expected.rules
      .filter((name) => !names.has(name))
      .map((name) => `rule \`${name}\` did not match; matched: ${shown}`),
    ...expected.notRules
      .filter((name) => names.has(name))
      .map((name) => `rule \`${name}\` matched and should not`),
    ...(expected.risk === null || expected.risk === risk
      ? []
      : [`expected ${expected.risk} risk, got ${risk}`]),
  ];
}

type Defaults = Partial<Record<(typeof requestKeys)[number], YamlField>>;

function readDefaults(field: YamlField | undefined, collector: FindingCollector): Defaults {
  const fields = field && readFields(field.node, requestKeys, { path: field.path, collector });
  return Object.fromEntries(
    requestKeys.flatMap((key) => (fields?.field(key) === undefined ? [] : [[key, fields.field(key)!]])),
  );
}

interface CasePlace {
  readonly path: string;
  readonly defaults: Defaults;
  readonly collector: FindingCollector;
}

function readCase(node: YamlNode, { path, defaults, collector }: CasePlace): PolicyCase | undefined {
  const fields = readFields(node, caseKeys, { path, collector });
  if (fields === undefined) return undefined;
  const field = (key: (typeof requestKeys)[number]): YamlField | undefined =>
    fields.field(key) ?? defaults[key];
  const text = (key: (typeof requestKeys)[number]): string | undefined => readText(field(key), collector);
  const action = text("action");
  const resource = text("resource");
  if (field("action") === undefined) fields.require("action");
  if (field("resource") === undefined) fields.require("resource");
  const user = text("user");
  const at = text("at");
  const atMs = at === undefined ? undefined : parseInstant(at);
  if (at !== undefined && atMs === undefined)
    collector.error(
      field("at")!.at,
      field("at")!.path,
      "expected a time with zone such as 2026-01-07T09:00:00Z",
    );
  const expect = readExpect(fields, collector);
  if (action === undefined || resource === undefined || expect === undefined) return undefined;
  return {
    name: fields.text("name") ?? `${action} on ${resource}`,
    line: node.at.line,
    request: {
      action,
      resource,
      args: readArgs(field("args"), collector),
      labels: readLabels(field("labels"), collector),
      agent: text("agent") ?? "workflow:test",
      role: text("role") ?? "operator",
      tenant: text("tenant") ?? "default",
      ...(user === undefined ? {} : { user }),
      ...(atMs === undefined ? {} : { atMs }),
    },
    expect,
  };
}

/** `expect: deny`, or a map with what matters. */
function readExpect(fields: YamlFields, collector: FindingCollector): PolicyCase["expect"] | undefined {
  const field = fields.require("expect", "allow, ask or deny, or { effect, rule, not_rule, risk }");
  if (field === undefined) return undefined;
  if (field.node.kind === "scalar") {
    const effect = fields.choice("expect", effects);
    return effect === undefined ? undefined : { effect, rules: [], notRules: [], risk: null };
  }
  const inner = readFields(field.node, expectKeys, { path: field.path, collector });
  if (inner === undefined) return undefined;
  if (inner.keys().length === 0) collector.error(field.at, field.path, "nothing is expected");
  return {
    effect: inner.choice("effect", effects) ?? null,
    rules: inner.texts("rule") ?? [],
    notRules: inner.texts("not_rule") ?? [],
    risk: inner.choice("risk", ["low", "medium", "high"] as const) ?? null,
  };
}

function readText(field: YamlField | undefined, collector: FindingCollector): string | undefined {
  if (field === undefined) return undefined;
  const value = field.node.kind === "scalar" ? field.node.value : undefined;
  if (typeof value === "string") return value;
  collector.error(field.at, field.path, `expected a text, found ${describeNode(field.node)}`);
  return undefined;
}

function readArgs(field: YamlField | undefined, collector: FindingCollector): ActionRequest["args"] {
  if (field === undefined) return {};
  const value = yamlValue(field.node);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as ActionRequest["args"];
  collector.error(field.at, field.path, `expected a map of arguments, found ${describeNode(field.node)}`);
  return {};
}
