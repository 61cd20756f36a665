/** Whether a person's answer, given now or remembered, lets exactly this action through. */
import type { JsonObject } from "../base/canonical-json.ts";
import { digestJson } from "../base/digest.ts";
import type { GuardResult } from "../guards/pipeline.ts";
import type { Decision } from "../policy/rules/decision.ts";
import { askedFor, isCovered } from "./asked-for.ts";
import type { AskedFor } from "./asked-for.ts";
import type { Draft, GateInput, GivenAnswer, ResolvedAction } from "./gate-input.ts";

/** An answer that is remembered for the same again; `void` when whoever gave it may not give it any more. */
export type RememberedYes =
  | { readonly kind: "stands"; readonly id: string }
  | {
      readonly kind: "void";
      readonly id: string;
      readonly by: string;
      /** In words. */
      readonly why: string;
    };

/** What is about to be asked; a remembered yes for it, if there is one. */
export type FindStanding = (question: {
  readonly tenant: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly argsDigest: string;
  readonly runId: string;
  readonly workflow: string;
  /** Who asked for the run; empty: nobody knows. */
  readonly requester: string;
  /** What policy demands for it now; the yes must have been given to no less. */
  readonly now: AskedFor;
}) => Promise<RememberedYes | undefined>;

/**
 * A refusal counts whatever policy says now; a consent only lifts an `ask`, and only one that demands no more than the question
 * it answered: another rule, fewer who may answer or more who must agree is asked anew.
 */
export async function weighApproval(draft: Draft, findStanding: FindStanding): Promise<GuardResult<Draft>> {
  const { input, argsDigest, decision } = draft;
  const { answer } = input;
  const isAboutThis = answer !== null && answer.argsDigest === argsDigest;
  if (isAboutThis && answer.answer !== "approve") return refusal(answer.answer);
  if (decision?.effect !== "ask") return {};
  const now = askedFor(decision);
  const isEnough = answer?.askedFor === undefined || isCovered(answer.askedFor, now);
  if (answer?.answer === "approve" && isEnough && (isAboutThis || isEditOf(answer, draft)))
    return { draft: { consent: { kind: "answer" } } };
  if (!mayRemember(decision)) return {};
  const yes = await findStanding({ ...questionOf(input, draft.resolved!, argsDigest!), now });
  if (yes === undefined) return {};
  if (yes.kind === "stands") return { draft: { consent: { kind: "standing", id: yes.id } } };
  // Whoever is asked once more is told why the answer from before does not do.
  const reason = `${decision.reason}; the remembered yes ${yes.id} of ${yes.by} does not count: ${yes.why}`;
  return { draft: { decision: { ...decision, reason } } };
}

/** A yes may stand for the same again unless policy says no, or wants to hear several people or somebody else each time. */
export function mayRemember({ obligations }: Decision): boolean {
  const { approval } = obligations;
  return approval?.remember !== false && (approval?.quorum ?? 1) === 1 && approval?.fourEyes !== true;
}

/**
 * Who edits the arguments agrees to them as written. What the tool found out on top, such as the digest of a file to be deleted,
 * they have not seen: then they are asked with it.
 */
function isEditOf(answer: GivenAnswer, { input, parsed, resolved }: Draft): boolean {
  if (answer.editDigest === undefined || answer.editDigest !== digestJson(input.args)) return false;
  const seen = parsed as JsonObject;
  return Object.keys(resolved!.args).every((name) => Object.hasOwn(seen, name));
}

function questionOf(input: GateInput, resolved: ResolvedAction, argsDigest: string) {
  return {
    tenant: input.tenant,
    action: input.toolName,
    resources: [resolved.resource, ...(resolved.otherResources ?? [])],
    argsDigest,
    runId: input.runId,
    workflow: input.agent.replace(/^workflow:/, ""),
    requester: (input.user ?? "").replace(/^user:/, ""),
  };
}

function refusal(answer: "reject" | "expire"): GuardResult<Draft> {
  const expired = answer === "expire";
  return {
    finding: {
      verdict: "deny",
      code: expired ? "APPROVAL_EXPIRED" : "APPROVAL_REJECTED",
      reason: expired ? "Nobody answered the approval in time" : "A person rejected the action",
    },
  };
}
