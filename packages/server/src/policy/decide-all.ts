/** Asks policy about every resource an action touches; the strictest answer stands for all. Pure. */
import type { ActionRequest, Decision } from "./decision.ts";
import { higherRisk, mergeDemands } from "./demands.ts";

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
  return {
    ...strict,
    risk: higherRisk(a.risk, b.risk),
    obligations: mergeDemands([a.obligations, b.obligations], strict.effect),
    ...higherScore(a, b),
  };
}

function higherScore({ score: a }: Decision, { score: b }: Decision): Pick<Decision, "score"> {
  const score = (b?.value ?? -1) > (a?.value ?? -1) ? b : a;
  return score === undefined ? {} : { score };
}
