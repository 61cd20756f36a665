/** A rule's `risk_score`: from which score on, or up to which, the rule speaks of an action. Pure. */
import type { FindingCollector } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField } from "../../base/yaml-fields.ts";
import type { ActionRequest } from "./decision.ts";
import type { Effect } from "./policy.ts";
import { assessRisk, explainRisk } from "./risk.ts";
import type { RiskCondition } from "./risk-score.ts";

/** Undefined: not matched. Else what matched, in words. An action whose flow nobody traced is up to no score. */
export function matchRisk({ kind, score }: RiskCondition, request: ActionRequest): string | undefined {
  const own = assessRisk("low", request);
  if (kind === "from") return own.value >= score ? `score ${own.value}: ${explainRisk(own)}` : undefined;
  return request.flow !== undefined && own.value <= score ? `score ${own.value}` : undefined;
}

/** What stood in the way of a rule that did not match. */
export function riskMissed(condition: RiskCondition, request: ActionRequest): string {
  const own = assessRisk("low", request);
  const isUnknown = condition.kind === "up-to" && request.flow === undefined;
  const why = isUnknown ? "nobody traced where the arguments came from" : `it is ${own.value}`;
  return `${describeRisk(condition)}: ${why}`;
}

export function describeRisk({ kind, score }: RiskCondition): string {
  return kind === "from" ? `risk score from ${score} on` : `risk score up to ${score}`;
}

export function readRiskCondition(
  field: YamlField | undefined,
  effect: Effect,
  collector: FindingCollector,
): RiskCondition | undefined {
  if (field === undefined) return undefined;
  const fields = readFields(field.node, ["from", "up_to"], { path: field.path, collector });
  if (fields === undefined) return undefined;
  const from = fields.integer("from", 1, 100);
  const upTo = fields.integer("up_to", 0, 99);
  const [wanted, other, hint] =
    effect === "allow"
      ? (["up_to", "from", "`risk_score: { up_to: 20 }`: a worse sign must not allow more"] as const)
      : (["from", "up_to", "`risk_score: { from: 50 }`: a worse sign must not ask less"] as const);
  const wrong = fields.field(other);
  if (wrong !== undefined)
    collector.error(
      wrong.keyAt,
      wrong.path,
      `\`${other}\` is not for a rule with \`effect: ${effect}\``,
      hint,
    );
  else if (fields.field(wanted) === undefined)
    collector.error(field.at, field.path, "no score is given", hint);
  const score = effect === "allow" ? upTo : from;
  return score === undefined ? undefined : { kind: effect === "allow" ? "up-to" : "from", score };
}
