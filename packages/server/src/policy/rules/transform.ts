/** The verdict `transform`: which texts of an action a policy wants changed before its rules hold. Pure. */
import type { ActionFlow } from "./argument-origin.ts";
import type { ActionRequest } from "./decision.ts";
import type { PolicyRule } from "./policy.ts";
import { matchesOrigin } from "./sequence.ts";
import type { PlannedTransform } from "./transform-record.ts";

/** From this score on a passage speaks to the assistant, when a rule names no other. */
const speaksFrom = 60;

/** What rules with `transform` are shown of the flow: without the arguments that were seen to. */
export function leftFlow({ flow, transformed = [] }: ActionRequest): ActionFlow | undefined {
  if (flow === undefined || transformed === "all") return undefined;
  if (transformed.length === 0) return flow;
  return { ...flow, arguments: flow.arguments.filter(({ path }) => !transformed.includes(path)) };
}

/**
 * Texts only: a payee, address or command with a part left out would be another payee, address or command. `matches` holds at
 * least one rule with `transform`.
 */
export function planTransforms(
  matches: readonly { readonly rule?: PolicyRule }[],
  request: ActionRequest,
): readonly PlannedTransform[] {
  // A rule with `transform` has conditions on arguments (the reader asks for them), and matched: both are there.
  const texts = leftFlow(request)!.arguments.filter(({ role }) => role === "body");
  return matches.flatMap(({ rule }) => {
    const handling = rule?.demands.transform;
    if (rule === undefined || handling === undefined) return [];
    return rule.flow!.arguments.flatMap((condition) =>
      texts
        .filter((origin) => matchesOrigin(condition, origin))
        .map(({ path }) => ({
          path,
          handling,
          from: condition.instructed ?? speaksFrom,
          rule: rule.name,
        })),
    );
  });
}
