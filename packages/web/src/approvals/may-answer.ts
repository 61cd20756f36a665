/** Whether the person who is signed in may answer a question, and if not, why; the server judges by the same rules. */
import type { Approval, Session } from "../api/contract.ts";
import type { Delegation } from "../api/inbox-calls.ts";

export type MayAnswer =
  | { readonly kind: "may" }
  /** They may say no; somebody else must agree. */
  | { readonly kind: "may-reject"; readonly why: string }
  | { readonly kind: "may-not"; readonly why: string };

type Question = Pick<Approval, "by" | "delegates" | "fourEyes" | "requester">;

/**
 * `delegations` are all that stand: what was handed to the person by somebody counts as that somebody's right. The role of who
 * delegated is not known here, so a delegation is believed and the server has the last word.
 */
export function mayAnswer(
  question: Question,
  session: Session,
  delegations: readonly Delegation[],
): MayAnswer {
  const { principal, role } = session;
  const received = delegations.filter(({ to }) => to === principal).map(({ from }) => from);
  const isEntitled =
    role === "admin" ||
    question.by.includes(role) ||
    question.by.includes(`user:${principal}`) ||
    question.delegates.includes(principal);
  if (!isEntitled && received.length === 0)
    return { kind: "may-not", why: `This is for ${listOf(question.by)}. You are ${principal}, ${role}.` };
  if (!question.fourEyes || question.requester !== principal) return { kind: "may" };
  return {
    kind: "may-reject",
    why: "Policy asks for four eyes and the run is yours: somebody else must agree. You may say no.",
  };
}

/** `approver`, `approver or ada`: roles by their name, people without the mark that tells them from roles. */
export function listOf(by: readonly string[]): string {
  const names = by.map((name) => name.replace(/^user:/, ""));
  const last = names.at(-1);
  if (last === undefined) return "anyone signed in";
  return names.length === 1 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}
