/** Asks policy about every resource an action touches; the strictest answer stands for all. Pure. */
import type { ActionRequest, Decision } from "./decision.ts";
import { approvalDefaults, higherRisk, mergeDemands } from "./demands.ts";
import { reasonForNobody } from "./explain.ts";
import type { Demands } from "./policy.ts";

/** `resources` has at least one. */
export function decideAll(
  request: Omit<ActionRequest, "resource">,
  resources: readonly string[],
  decide: (request: ActionRequest) => Decision,
): Decision {
  return resources.map((resource) => decide({ ...request, resource })).reduce(stricter);
}

/** With several resources the strictest answer stands for all, with everyone's obligations at their tightest. */
function stricter(a: Decision, b: Decision): Decision {
  const rank = { allow: 0, ask: 1, deny: 2 } as const;
  const strict = rank[b.effect] > rank[a.effect] ? b : a;
  const risk = higherRisk(a.risk, b.risk);
  const obligations = mergeDemands([demandsOf(a), demandsOf(b)], strict.effect);
  // Who answers must know every rule that asked.
  const matched = a.effect === b.effect ? uniteMatched(a.matched, b.matched) : strict.matched;
  const merged = { ...strict, risk, obligations, matched, ...higherScore(a, b) };
  if (obligations.approval?.by.length !== 0) return merged;
  return { ...merged, effect: "deny", obligations: {}, reason: reasonForNobody(matched) };
}

/** Who answers by default was only filled in where nobody was named: whom another resource's rule names stands in their place. */
function demandsOf({ obligations }: Decision): Demands {
  const { approval, ...rest } = obligations;
  if (approval === undefined || approval.by !== approvalDefaults.by) return obligations;
  const { by: _, ...named } = approval;
  return { ...rest, approval: named };
}

function uniteMatched(a: Decision["matched"], b: Decision["matched"]): Decision["matched"] {
  const names = new Set(a.map(({ name }) => name));
  return [...a, ...b.filter(({ name }) => !names.has(name))];
}

function higherScore({ score: a }: Decision, { score: b }: Decision): Pick<Decision, "score"> {
  const score = (b?.value ?? -1) > (a?.value ?? -1) ? b : a;
  return score === undefined ? {} : { score };
}
