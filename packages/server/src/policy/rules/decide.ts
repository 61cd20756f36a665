/** The one judge of what may be done: deny beats ask beats allow, and what no rule allows is denied. Pure. */
import { matchesGlob } from "../../base/glob.ts";
import type { Glob } from "../../base/glob.ts";
import { visitMatches } from "./compile.ts";
import type { CompiledPolicy, Entry, SectionDefault } from "./compile.ts";
import { testCondition } from "./condition.ts";
import type { ActionRequest, Decision, MatchedRule, RiskLevel } from "./decision.ts";
import { higherRisk, mergeDemands } from "./demands.ts";
import { reasonFor, reasonForDefault, reasonForNobody, reasonForSections } from "./explain.ts";
import type { Demands, Effect, PolicyRule, RuleScope, Section } from "./policy.ts";
import { matchRisk } from "./risk-condition.ts";
import { weighRisk } from "./risk.ts";
import { matchFlow } from "./sequence.ts";
import { findTarget } from "./target.ts";
import { isInWindow } from "./time-window.ts";
import { leftFlow, planTransforms } from "./transform.ts";
import type { TimeWindow } from "./time-window.ts";

/**
 * Order of rules never matters, and neither does how narrow they are: a rule for one agent, role or tenant can add
 * strictness to what a rule for all says and never take it away. Cost: about 1 us with 1,000 indexable rules.
 */
export function decide(policy: CompiledPolicy, request: ActionRequest): Decision {
  const decision = decideByRules(policy, request);
  // The score costs more than the rules do, so it is only made for actions somebody traced or where it decides.
  const isWeighed =
    request.flow !== undefined || request.risks !== undefined || policy.thresholds !== undefined;
  return isWeighed ? weighRisk(decision, request, policy.thresholds) : decision;
}

function decideByRules(policy: CompiledPolicy, request: ActionRequest): Decision {
  const found = findMatches(policy, request);
  const matches = policy.defaults.length === 0 ? found : withDefaults(policy.defaults, found, request);
  const [first] = matches;
  if (first === undefined) return defaultDeny(policy, request);
  const matched = matches.map((match) => match.matched);
  const isUnfounded =
    first.matched.effect !== "deny" && matches.every(({ section }) => section !== undefined);
  if (isUnfounded)
    return { ...defaultDeny(policy, request), matched, reason: reasonForSections(request, matched) };
  const obligations = mergeAll(matches, first.matched.effect);
  const risk = matches.reduce((highest: RiskLevel, match) => higherRisk(highest, match.risk), "low");
  const { revision } = policy;
  if (obligations.approval?.by.length === 0) {
    return { effect: "deny", risk, obligations: {}, matched, reason: reasonForNobody(matched), revision };
  }
  const reason = matches.length === 1 ? first.reason : reasonFor(first.matched, matches.length - 1);
  const { effect } = first.matched;
  const decision = { effect, risk, obligations, matched, reason, revision };
  if (matches.every(({ demands }) => demands.transform === undefined)) return decision;
  return { ...decision, transforms: planTransforms(matches, request) };
}

/**
 * What the organisation asks for counts with its defaults first: a section that names other people or a longer time
 * would else put them in place of what the organisation left out.
 */
function mergeAll(matches: readonly Match[], effect: Effect): Decision["obligations"] {
  const demandsOf = (some: readonly Match[]): readonly Demands[] => some.map((match) => match.demands);
  if (matches.every(({ section }) => section === undefined)) return mergeDemands(demandsOf(matches), effect);
  const wide = matches.filter(({ section }) => section === undefined);
  const asked = wide[0]?.matched.effect ?? "allow";
  const narrow = matches.filter(({ section }) => section !== undefined);
  return mergeDemands([mergeDemands(demandsOf(wide), asked), ...demandsOf(narrow)], effect);
}

/** Adds the default of each section that speaks for this request and has no rule about it; the strictest stay first. */
function withDefaults(
  defaults: readonly SectionDefault[],
  found: readonly Match[],
  request: ActionRequest,
): readonly Match[] {
  const extra = defaults.flatMap(({ section, effect, matched }): readonly Match[] => {
    if (found.some((match) => match.section === section)) return [];
    if (!section.scopes.every((scope) => isInScope(scope, request, effect))) return [];
    const risk = effect === "deny" ? "high" : "medium";
    return [{ section, demands: {}, risk, order: Infinity, matched, reason: reasonFor(matched, 0) }];
  });
  if (extra.length === 0) return found;
  const rank = { deny: 0, ask: 1, allow: 2 } as const;
  return [...found, ...extra].sort((a, b) => rank[a.matched.effect] - rank[b.matched.effect]);
}

function defaultDeny({ revision }: CompiledPolicy, request: ActionRequest): Decision {
  return {
    effect: "deny",
    risk: "high",
    obligations: {},
    matched: [],
    reason: reasonForDefault(request),
    revision,
  };
}

interface Match {
  readonly rule?: PolicyRule;
  readonly section: Section | undefined;
  readonly demands: Demands;
  readonly risk: RiskLevel;
  readonly order: number;
  readonly matched: MatchedRule;
  readonly reason: string;
}

/** Every rule that matches, once, strictest first and by name within an effect. */
function findMatches(policy: CompiledPolicy, request: ActionRequest): readonly Match[] {
  const found: Match[] = [];
  const visit = (entry: Entry): void => {
    const match = entry.isPlain ? entry : testEntry(entry, request);
    if (match !== undefined) found.push(match);
  };
  const { action, resource } = request;
  visitIndex(policy, "*", resource, visit);
  for (let dot = action.indexOf("."); dot >= 0; dot = action.indexOf(".", dot + 1)) {
    visitIndex(policy, action.slice(0, dot), resource, visit);
  }
  visitIndex(policy, action, resource, visit);
  if (found.length < 2) return found;
  found.sort((a, b) => a.order - b.order);
  return found.filter((match, index) => match.matched.name !== found[index - 1]?.matched.name);
}

function visitIndex(
  policy: CompiledPolicy,
  action: string,
  resource: string,
  visit: (entry: Entry) => void,
): void {
  const index = policy.byAction.get(action);
  if (index !== undefined) visitMatches(index, resource, visit);
}

/** The other parts of a rule whose action and resource match. */
function testEntry(entry: Entry, request: ActionRequest): Match | undefined {
  const { rule } = entry;
  const { effect } = rule;
  if (!isInScope(rule.scope, request, effect) || !hasLabel(rule, request)) return undefined;
  if (rule.section !== undefined && !rule.section.scopes.every((scope) => isInScope(scope, request, effect)))
    return undefined;
  if (rule.except.some((glob) => matchesGlob(glob, request.resource))) return undefined;
  const timing = rule.window === undefined ? "" : testWindow(rule.window, request.atMs, effect);
  if (timing === undefined) return undefined;
  const target = rule.targets.length === 0 ? "" : findTarget(rule.targets, request);
  if (target === undefined) return undefined;
  const untested = testConditions(rule, request);
  if (untested === undefined) return undefined;
  const seen = rule.demands.transform === undefined ? request.flow : leftFlow(request);
  const flow = rule.flow === undefined ? "" : matchFlow(rule.flow, seen);
  if (flow === undefined) return undefined;
  const score = rule.riskScore === undefined ? "" : matchRisk(rule.riskScore, request);
  if (score === undefined) return undefined;
  const notes = [timing, target, untested, flow, score].filter((note) => note !== "");
  if (notes.length === 0) return entry;
  const matched = { ...entry.matched, why: [entry.matched.why, ...notes].join(", ") };
  return { ...entry, matched, reason: reasonFor(matched, 0) };
}

/** As with arguments: what is unknown is no way round a rule that asks or denies, and lets nothing pass. */
export function isInScope(scope: RuleScope, request: ActionRequest, effect: Effect): boolean {
  const { agent, role, tenant, user } = scope;
  if (!isAnyOf(agent, request.agent) || !isAnyOf(role, request.role) || !isAnyOf(tenant, request.tenant))
    return false;
  if (user === undefined) return true;
  return request.user === undefined ? effect !== "allow" : isAnyOf(user, request.user);
}

function testWindow(window: TimeWindow, atMs: number | undefined, effect: Effect): string | undefined {
  if (atMs !== undefined) return isInWindow(window, atMs) ? "" : undefined;
  return effect === "allow" ? undefined : "the time is unknown";
}

function isAnyOf(globs: readonly Glob[], text: string): boolean {
  return globs.length === 0 || globs.some((glob) => matchesGlob(glob, text));
}

export function hasLabel(rule: PolicyRule, request: ActionRequest): boolean {
  return rule.labelsAny.length === 0 || rule.labelsAny.some((label) => request.labels.includes(label));
}

/** Undefined: not matched. Else why some could not be tested, which counts as matched for deny and ask; empty: all hold. */
function testConditions(rule: PolicyRule, request: ActionRequest): string | undefined {
  const untested: string[] = [];
  for (const condition of rule.conditions) {
    const result = testCondition(condition, request.args, rule.effect);
    if (result === false) return undefined;
    if (result !== true) untested.push(result);
  }
  if (untested.length > 0 && rule.effect === "allow") return undefined;
  return untested.join(", ");
}
