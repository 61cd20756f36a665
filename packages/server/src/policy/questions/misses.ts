/** Says of rules that did not match an action what stood in the way, the nearest first. Pure. */
import { matchesGlob } from "../../base/glob.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { testCondition } from "../rules/condition.ts";
import { hasLabel, isInScope } from "../rules/decide.ts";
import type { ActionRequest, MatchedRule } from "../rules/decision.ts";
import { describeCondition } from "../rules/explain.ts";
import type { PolicyRule, RuleScope } from "../rules/policy.ts";
import { matchRisk, riskMissed } from "../rules/risk-condition.ts";
import { describeFlow, matchFlow } from "../rules/sequence.ts";
import { findTarget } from "../rules/target.ts";
import { isInWindow } from "../rules/time-window.ts";

export interface NearMiss extends Pick<MatchedRule, "name" | "effect" | "line" | "file"> {
  /** Each part that did not match, with what was found instead. */
  readonly missed: readonly string[];
}

/** At most `limit` rules that did not match: fewest parts missed first, then the strictest, then by name. */
export function findNearMisses(
  policy: CompiledPolicy,
  request: ActionRequest,
  limit = 3,
): readonly NearMiss[] {
  const rank = { deny: 0, ask: 1, allow: 2 } as const;
  return policy.rules
    .map((rule) => ({ rule, missed: partsMissed(rule, request) }))
    .filter(({ missed }) => missed.length > 0)
    .sort(
      (a, b) =>
        a.missed.length - b.missed.length ||
        Number(isActionMissed(a.missed)) - Number(isActionMissed(b.missed)) ||
        rank[a.rule.effect] - rank[b.rule.effect] ||
        (a.rule.name < b.rule.name ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ rule: { name, effect, line, file }, missed }) => {
      return { name, effect, line, ...(file === undefined ? {} : { file }), missed };
    });
}

/** A rule about another action is further away than any other. */
function isActionMissed(missed: readonly string[]): boolean {
  return missed[0]?.startsWith("action ") === true;
}

/** Empty when the rule matches. */
export function partsMissed(rule: PolicyRule, request: ActionRequest): readonly string[] {
  const { action, resource } = request;
  const missed: string[] = [];
  const actions = rule.actions.filter((name) => name === "*" || `${action}.`.startsWith(`${name}.`));
  if (actions.length === 0) missed.push(`action ${action} is not ${rule.actions.join(" or ")}`);
  const sources = (globs: PolicyRule["resources"]): string => globs.map(({ source }) => source).join(" or ");
  if (rule.resources.length > 0 && !rule.resources.some((glob) => matchesGlob(glob, resource)))
    missed.push(`resource ${resource} does not match ${sources(rule.resources)}`);
  const exception = rule.except.find((glob) => matchesGlob(glob, resource));
  if (exception !== undefined) missed.push(`resource ${resource} is an exception by ${exception.source}`);
  for (const scope of [rule.scope, ...(rule.section?.scopes ?? [])])
    missed.push(...scopeMissed(scope, rule, request));
  missed.push(...windowMissed(rule, request));
  if (!hasLabel(rule, request))
    missed.push(
      `no value comes from ${rule.labelsAny.join(" or ")}, only from ${request.labels.join(", ") || "nowhere"}`,
    );
  if (rule.targets.length > 0 && findTarget(rule.targets, request) === undefined)
    missed.push("none of its blocked targets is found");
  for (const condition of rule.conditions) {
    const result = testCondition(condition, request.args, rule.effect);
    if (result === false) missed.push(`${describeCondition(condition)} does not hold`);
    else if (result !== true && rule.effect === "allow")
      missed.push(`${describeCondition(condition)}: ${result}`);
  }
  if (rule.flow !== undefined && matchFlow(rule.flow, request.flow) === undefined) {
    const why = request.flow === undefined ? "nobody traced where the arguments came from" : "it is not so";
    missed.push(`${describeFlow(rule.flow).join(", ")}: ${why}`);
  }
  if (rule.riskScore !== undefined && matchRisk(rule.riskScore, request) === undefined)
    missed.push(riskMissed(rule.riskScore, request));
  return missed;
}

function scopeMissed(scope: RuleScope, { effect }: PolicyRule, request: ActionRequest): readonly string[] {
  if (isInScope(scope, request, effect)) return [];
  return (["agent", "role", "tenant", "user"] as const).flatMap((part) => {
    const globs = scope[part] ?? [];
    const found = request[part];
    if (globs.length === 0 || (found !== undefined && globs.some((glob) => matchesGlob(glob, found))))
      return [];
    return [`${part} ${found ?? "unknown"} is not ${globs.map(({ source }) => source).join(" or ")}`];
  });
}

function windowMissed({ window, effect }: PolicyRule, { atMs }: ActionRequest): readonly string[] {
  if (window === undefined) return [];
  if (atMs === undefined) return effect === "allow" ? [`${window.text}: the time is unknown`] : [];
  return isInWindow(window, atMs) ? [] : [`${new Date(atMs).toISOString()} is not ${window.text}`];
}
