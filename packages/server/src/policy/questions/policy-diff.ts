/** What differs between two policies: rules added, removed and changed, and actions that would be decided otherwise. Pure. */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { compilePolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest, Decision } from "../rules/decision.ts";
import { describeCondition } from "../rules/explain.ts";
import type { Policy, PolicyRule } from "../rules/policy.ts";
import { makeProbes } from "./probes.ts";
import { describeRisk } from "../rules/risk-condition.ts";
import { describeFlow } from "../rules/sequence.ts";

export interface PartChange {
  readonly part: string;
  /** As people read it; empty: nothing is said. */
  readonly before: string;
  readonly after: string;
}

export interface RuleChange {
  readonly name: string;
  readonly line: number;
  readonly parts: readonly PartChange[];
}

export interface EffectExample {
  readonly request: Pick<
    ActionRequest,
    "action" | "resource" | "args" | "labels" | "agent" | "role" | "tenant"
  >;
  readonly from: Decision["effect"];
  readonly to: Decision["effect"];
  readonly before: string;
  readonly after: string;
}

export interface PolicyDifference {
  readonly added: readonly { readonly name: string; readonly line: number; readonly effect: string }[];
  readonly removed: readonly { readonly name: string; readonly line: number; readonly effect: string }[];
  readonly changed: readonly RuleChange[];
  /** What concerns no single rule: thresholds, sections, handling of untrusted text. */
  readonly settings: readonly PartChange[];
  /** Made-up actions at the edges of both policies' rules whose effect differs; at most 20, loosest changes first. */
  readonly examples: readonly EffectExample[];
}

const mostExamples = 20;

/** Names tell which rules belong together: a renamed rule is one removed and one added. */
export function diffPolicies(before: Policy, after: Policy): PolicyDifference {
  const [old, now] = [byName(before), byName(after)];
  const listed = ({ name, line, effect }: PolicyRule) => ({ name, line, effect });
  return {
    added: after.rules.filter(({ name }) => !old.has(name)).map(listed),
    removed: before.rules.filter(({ name }) => !now.has(name)).map(listed),
    changed: after.rules.flatMap((rule) => {
      const other = old.get(rule.name);
      const parts = other === undefined ? [] : diffParts(describeRule(other), describeRule(rule));
      return parts.length === 0 ? [] : [{ name: rule.name, line: rule.line, parts }];
    }),
    settings: diffParts(describeSettings(before), describeSettings(after)),
    examples: diffEffects(before, after),
  };
}

function byName({ rules }: Policy): ReadonlyMap<string, PolicyRule> {
  return new Map(rules.map((rule) => [rule.name, rule]));
}

type Described = Readonly<Record<string, string>>;

function diffParts(before: Described, after: Described): readonly PartChange[] {
  return Object.keys({ ...before, ...after }).flatMap((part) => {
    const change = { part, before: before[part] ?? "", after: after[part] ?? "" };
    return change.before === change.after ? [] : [change];
  });
}

function describeRule(rule: PolicyRule): Described {
  const sources = (globs: PolicyRule["resources"]): string => globs.map(({ source }) => source).join(", ");
  const { agent, role, tenant, user = [] } = rule.scope;
  return {
    effect: rule.effect,
    action: rule.actions.join(", "),
    resource: sources(rule.resources),
    except: sources(rule.except),
    targets: rule.targets.map(({ source }) => source).join(", "),
    where: rule.conditions.map(describeCondition).join(", "),
    labels_any: rule.labelsAny.join(", "),
    flow: rule.flow === undefined ? "" : describeFlow(rule.flow).join(", "),
    risk_score: rule.riskScore === undefined ? "" : describeRisk(rule.riskScore),
    when: rule.window?.text ?? "",
    agent: sources(agent),
    role: sources(role),
    tenant: sources(tenant),
    user: sources(user),
    section: rule.section?.name ?? "",
    risk: rule.risk,
    // Plain data: durations, names and numbers.
    demands:
      Object.keys(rule.demands).length === 0 ? "" : canonicalJson(rule.demands as unknown as JsonValue),
  };
}

function describeSettings({ thresholds, untrusted, sections = [] }: Policy): Described {
  const settings: Record<string, string> = {
    risk: thresholds === undefined ? "" : canonicalJson({ ...thresholds }),
    untrusted: untrusted === undefined ? "" : canonicalJson({ ...untrusted }),
  };
  for (const { name, scopes, default: fallback } of sections) {
    const who = scopes.flatMap(({ agent, role, tenant, user = [] }) => [
      ...tenant,
      ...agent,
      ...role,
      ...user,
    ]);
    settings[`section ${name}`] =
      `for ${who.map(({ source }) => source).join(", ")}, default ${fallback ?? "none"}`;
  }
  return settings;
}

function diffEffects(before: Policy, after: Policy): readonly EffectExample[] {
  const [old, now] = [compilePolicy(before), compilePolicy(after)];
  const strictness = { allow: 0, ask: 1, deny: 2 } as const;
  const found = new Map<string, EffectExample>();
  for (const request of makeProbes([...before.rules, ...after.rules])) {
    const [was, is] = [decide(old, request), decide(now, request)];
    if (was.effect === is.effect) continue;
    const { action, resource, args, labels, agent, role, tenant } = request;
    // One example for each pair of rules says enough.
    const key = JSON.stringify(
      [was, is].map(({ effect, matched }) => [effect, ...matched.map(({ name }) => name)]),
    );
    if (found.has(key)) continue;
    const example = { action, resource, args, labels, agent, role, tenant };
    found.set(key, {
      request: example,
      from: was.effect,
      to: is.effect,
      before: was.reason,
      after: is.reason,
    });
  }
  return [...found.values()]
    .sort((a, b) => strictness[a.to] - strictness[a.from] - (strictness[b.to] - strictness[b.from]))
    .slice(0, mostExamples);
}
