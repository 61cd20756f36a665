/** The risk of an action as a score from 0 to 100 with its reasons. Pure; every factor only adds, and the sum is capped. */
import { targetRoles } from "./argument-origin.ts";
import type { ActionFlow } from "./argument-origin.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import type { RiskFactor, RiskScore, RiskSigns, RiskThresholds } from "./risk-score.ts";
import { approvalDefaults } from "./demands.ts";

/** The weights, as documented in docs/data-flow.md. `per` is multiplied, up to `most`. */
export const riskWeights = {
  level: { low: 0, medium: 15, high: 30 },
  wildcard: 10,
  recursive: 15,
  credential: 15,
  externalHost: 5,
  /** For each power of ten of the largest amount above 10. */
  amount: { per: 4, most: 16 },
  untrustedTarget: 15,
  inventedTarget: 5,
  /** Of the score of the passage an argument stands in. */
  instructed: 0.45,
  unrequested: 15,
  newTarget: 10,
  denials: { per: 8, most: 24 },
  failures: { per: 2, most: 8 },
  burst: { above: 20, per: 0.5, most: 10 },
} as const;

/** The decision with its score, made stricter where the score passes a threshold. */
export function weighRisk(
  decision: Decision,
  request: ActionRequest,
  thresholds: RiskThresholds | undefined,
): Decision {
  const { ask = null, deny = null } = thresholds ?? {};
  const assessed = assessRisk(decision.risk, request);
  const askedFrom = ask !== null && assessed.value >= ask ? ask : null;
  const score: RiskScore = { ...assessed, askedFrom };
  const origins = request.flow?.arguments;
  const weighed: Decision = { ...decision, score, ...(origins === undefined ? {} : { origins }) };
  if (decision.effect === "deny") return weighed;
  if (deny !== null && score.value >= deny) {
    return {
      ...weighed,
      effect: "deny",
      obligations: {},
      reason: `Action blocked by policy: risk ${score.value} of 100, denied from ${deny}: ${explainRisk(score)}`,
    };
  }
  if (decision.effect === "ask" || askedFrom === null) return weighed;
  const obligations = { approval: approvalDefaults, ...decision.obligations };
  return {
    ...weighed,
    effect: "ask",
    obligations,
    reason: `Needs approval: risk ${score.value} of 100, asked from ${askedFrom}: ${explainRisk(score)}`,
  };
}

/** A decision's reason with its score, for those who are asked. */
export function reasonWithRisk({ reason, score }: Decision): string {
  return score === undefined || score.value === 0
    ? reason
    : `${reason}; risk ${score.value} of 100: ${explainRisk(score)}`;
}

/** "high risk by rule 30, new target 10". */
export function explainRisk({ factors }: RiskScore): string {
  return factors.map(({ why, points }) => `${why} ${points}`).join(", ") || "nothing speaks against it";
}

/** Rising any sign never lowers the score. */
export function assessRisk(
  level: Decision["risk"],
  { args, flow, risks }: Pick<ActionRequest, "args" | "flow" | "risks">,
): RiskScore {
  const factors = [
    factor("rule", riskWeights.level[level], `${level} risk by rule`),
    ...argumentFactors(args, flow),
    ...(flow === undefined ? [] : flowFactors(flow)),
    ...(risks === undefined ? [] : historyFactors(risks)),
  ].filter(({ points }) => points > 0);
  factors.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1));
  const value = Math.min(
    100,
    factors.reduce((sum, { points }) => sum + points, 0),
  );
  return { value, factors };
}

function factor(name: string, points: number, why: string): RiskFactor {
  return { name, points: Math.round(points), why };
}

function flowFactors(flow: ActionFlow): readonly RiskFactor[] {
  const targets = flow.arguments.filter(({ role }) => targetRoles.has(role));
  const has = (from: string): boolean => targets.some((origin) => origin.from === from);
  const instructed = flow.arguments.reduce((max, origin) => Math.max(max, origin.instructed), 0);
  const isUnrequested = flow.isEffect && flow.isRequested === false;
  return [
    factor(
      "untrusted target",
      has("untrusted-only") ? riskWeights.untrustedTarget : 0,
      "a target only from untrusted content",
    ),
    factor("invented target", has("invented") ? riskWeights.inventedTarget : 0, "a target from nowhere"),
    factor(
      "instructed",
      instructed * riskWeights.instructed,
      "an argument from a passage that reads as an instruction",
    ),
    factor("unrequested", isUnrequested ? riskWeights.unrequested : 0, "not what the task asks for"),
    factor("new target", (flow.newTargets ?? 0) > 0 ? riskWeights.newTarget : 0, "a target not used before"),
  ];
}

function historyFactors(signs: RiskSigns): readonly RiskFactor[] {
  const { denials, failures, burst } = riskWeights;
  const extra = Math.max(0, signs.recentActions - burst.above);
  return [
    factor(
      "denials",
      Math.min(denials.most, signs.recentDenials * denials.per),
      `${signs.recentDenials} denials before`,
    ),
    factor(
      "failures",
      Math.min(failures.most, signs.recentFailures * failures.per),
      `${signs.recentFailures} failures before`,
    ),
    factor(
      "burst",
      Math.min(burst.most, extra * burst.per),
      `${signs.recentActions} actions within a minute`,
    ),
  ];
}

/** Arguments beyond this many leaves or characters are not looked at: the score must stay cheap. */
const maxLeaves = 200;
const maxCharacters = 2_000;

function argumentFactors(args: ActionRequest["args"], flow: ActionFlow | undefined): readonly RiskFactor[] {
  const found = { wildcard: false, recursive: false, credential: false, external: false, amount: 0 };
  let left = maxLeaves;
  const visit = (value: unknown, name: string): void => {
    if ((left -= 1) < 0) return;
    if (typeof value === "string") look(value.slice(0, maxCharacters), found);
    else if (typeof value === "number" && /amount|price|sum|total|value|quantity/i.test(name))
      found.amount = Math.max(found.amount, Math.abs(value));
    else if (value === true && /recursive|force|all/i.test(name)) found.recursive = true;
    else if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value)) visit(inner, Array.isArray(value) ? name : key);
  };
  visit(args, "");
  const isCredential =
    found.credential || (flow?.arguments.some(({ role }) => role === "credential") ?? false);
  const { amount } = riskWeights;
  return [
    factor("wildcard", found.wildcard ? riskWeights.wildcard : 0, "a wildcard among the arguments"),
    factor("recursive", found.recursive ? riskWeights.recursive : 0, "a whole tree or everything at once"),
    factor("credential", isCredential ? riskWeights.credential : 0, "a credential among the arguments"),
    factor("external host", found.external ? riskWeights.externalHost : 0, "an outside host"),
    factor(
      "amount",
      found.amount > 10 ? Math.min(amount.most, Math.floor(Math.log10(found.amount)) * amount.per) : 0,
      `an amount of ${found.amount}`,
    ),
  ];
}

function look(
  text: string,
  found: { wildcard: boolean; recursive: boolean; credential: boolean; external: boolean },
): void {
  if (/(?:^|[\s/])\*|\*(?:$|[\s/.])/.test(text) && text.length < 500) found.wildcard = true;
  if (/(?:^|\s)(?:-[a-z]*[rR][a-z]*|--recursive|--force|--all)(?:\s|$)/.test(text)) found.recursive = true;
  if (/secret:\/\/|-----begin [a-z ]*private key|\b(?:api[_-]?key|password|bearer)\b\s*[:=]/i.test(text))
    found.credential = true;
  if (/https?:\/\/(?!(?:localhost|127\.|\[::1\]))/i.test(text)) found.external = true;
}
