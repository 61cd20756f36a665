/** Whether an action under way may go on to a resource it only learned of on its way, such as a redirect's target. Pure. */
import { HomeostatError } from "../base/error.ts";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
import { askedFor, isCovered } from "./asked-for.ts";

/** What policy was asked about an action that was let through, and what it said; without it nothing further is let through. */
export interface LetThrough {
  readonly request?: Omit<ActionRequest, "resource">;
  readonly decision?: Decision;
}

/**
 * The same request about another resource. A yes that people gave counts for it when policy demands no more than they were asked
 * for. Throws ACTION_DENIED.
 */
export function requireFurther(
  { request, decision }: LetThrough,
  resource: string,
  decide: (request: ActionRequest) => Decision,
): void {
  const now = request === undefined ? undefined : decide({ ...request, resource });
  const why = now === undefined || decision === undefined ? "nobody judged it" : problemOf(decision, now);
  if (why === undefined) return;
  throw new HomeostatError("ACTION_DENIED", `The action leads on to ${resource}: ${why}`, {
    resource,
    reason: "FURTHER_RESOURCE_REFUSED",
    effect: now?.effect ?? null,
  });
}

function problemOf(before: Decision, now: Decision): string | undefined {
  if (now.effect === "deny") return `policy denies it: ${now.reason}`;
  if (now.effect === "ask") {
    const isApproved = before.effect === "ask" && isCovered(askedFor(before), askedFor(now));
    if (!isApproved) return `policy asks a person about it, and nobody was asked: ${now.reason}`;
  }
  // What these demand must be known before the answer is kept, or the request sent.
  if (now.obligations.redact === true && before.obligations.redact !== true)
    return "policy wants its answer redacted, which this action does not do";
  const isChanged = before.transformed !== undefined;
  if ((now.transforms ?? []).length > 0 && !isChanged) return "policy wants texts of the request changed";
  return undefined;
}
