/** The one judge of what may be done: deny beats ask beats allow, and what no rule allows is denied. Pure. */
import { matchesGlob } from "../base/glob.ts";
import type { Glob } from "../base/glob.ts";
import { visitMatches } from "./compile.ts";
import type { CompiledPolicy, Entry } from "./compile.ts";
import { testCondition } from "./condition.ts";
import type { ActionRequest, Decision, MatchedRule, RiskLevel } from "./decision.ts";
import { higherRisk, mergeDemands } from "./demands.ts";
import { reasonFor, reasonForDefault, reasonForNobody } from "./explain.ts";
import type { PolicyRule } from "./policy.ts";
import { weighRisk } from "./risk.ts";
import { matchFlow } from "./sequence.ts";
import { findTarget } from "./target.ts";

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
  const matches = findMatches(policy, request);
  const [first] = matches;
  if (first === undefined) return defaultDeny(policy, request);
  const matched = matches.map((match) => match.matched);
  const obligations = mergeDemands(
    matches.map((match) => match.rule.demands),
    first.matched.effect,
  );
  const risk = matches.reduce((highest: RiskLevel, match) => higherRisk(highest, match.rule.risk), "low");
  const { revision } = policy;
  if (obligations.approval?.by.length === 0) {
    return { effect: "deny", risk, obligations: {}, matched, reason: reasonForNobody(matched), revision };
  }
  const reason = matches.length === 1 ? first.reason : reasonFor(first.matched, matches.length - 1);
  return { effect: first.matched.effect, risk, obligations, matched, reason, revision };
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
  readonly rule: PolicyRule;
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
  return found.filter((match, index) => match.rule !== found[index - 1]?.rule);
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
  const { scope } = rule;
  const isInScope =
    isAnyOf(scope.agent, request.agent) &&
    isAnyOf(scope.role, request.role) &&
    isAnyOf(scope.tenant, request.tenant);
  if (!isInScope || !hasLabel(rule, request)) return undefined;
  if (rule.except.some((glob) => matchesGlob(glob, request.resource))) return undefined;
  const target = rule.targets.length === 0 ? "" : findTarget(rule.targets, request);
  if (target === undefined) return undefined;
  const untested = testConditions(rule, request);
  if (untested === undefined) return undefined;
  const flow = rule.flow === undefined ? "" : matchFlow(rule.flow, request.flow);
  if (flow === undefined) return undefined;
  const notes = [target, untested, flow].filter((note) => note !== "");
  if (notes.length === 0) return entry;
  const matched = { ...entry.matched, why: [entry.matched.why, ...notes].join(", ") };
  return { rule, order: entry.order, matched, reason: reasonFor(matched, 0) };
}

function isAnyOf(globs: readonly Glob[], text: string): boolean {
  return globs.length === 0 || globs.some((glob) => matchesGlob(glob, text));
}

function hasLabel(rule: PolicyRule, request: ActionRequest): boolean {
  return rule.labelsAny.length === 0 || rule.labelsAny.some((label) => request.labels.includes(label));
}

/** Undefined: not matched. Else why some could not be tested, which counts as matched for deny and ask; empty: all hold. */
function testConditions(rule: PolicyRule, request: ActionRequest): string | undefined {
  const untested: string[] = [];
  for (const condition of rule.conditions) {
    const result = testCondition(condition, request.args);
    if (result === false) return undefined;
    if (result !== true) untested.push(result);
  }
  if (untested.length > 0 && rule.effect === "allow") return undefined;
  return untested.join(", ");
}
