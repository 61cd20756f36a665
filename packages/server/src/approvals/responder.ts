/** Who may answer a question, and for whom their answer counts. Pure. */
import type { Approval } from "../gate/approvals.ts";

export interface Person {
  readonly id: string;
  readonly role: string;
}

/** Somebody who handed their right to answer on to the caller. */
export type Delegator = Person;

export type Responder =
  /** `countsFor` is the person whose vote this is: the caller, or whoever delegated to them. */
  { readonly kind: "may"; readonly countsFor: string } | { readonly kind: "may-not"; readonly why: string };

/**
 * The caller in their own right first, then for the delegators in order. Four eyes: who asked for the run answers neither
 * themselves nor through somebody else; to say no is always allowed.
 */
export function findResponder(
  approval: Pick<Approval, "by" | "delegates" | "fourEyes" | "requester">,
  caller: Person,
  request: { readonly delegators: readonly Delegator[]; readonly isConsent: boolean },
): Responder {
  const { requester, fourEyes, by } = approval;
  // Who may not use this server any more has nothing left to hand on, also where a rule calls them by name.
  const delegators = request.delegators.filter(({ role }) => role !== "none");
  const entitled = [caller, ...delegators].filter((person) => isEntitled(approval, person));
  if (entitled.length === 0)
    return { kind: "may-not", why: `it is for ${by.join(" or ")}; you are ${caller.role}` };
  const isTooClose = (person: Person): boolean =>
    fourEyes && request.isConsent && (caller.id === requester || person.id === requester);
  const voter = entitled.find((person) => !isTooClose(person));
  if (voter !== undefined) return { kind: "may", countsFor: voter.id };
  return {
    kind: "may-not",
    why: "policy asks for four eyes, and the run is yours: somebody else must agree",
  };
}

/** An admin may always answer; others by role, by name, or because this one question was handed to them. */
export function isEntitled(
  { by, delegates }: Pick<Approval, "by" | "delegates">,
  { id, role }: Person,
): boolean {
  return role === "admin" || by.includes(role) || by.includes(`user:${id}`) || delegates.includes(id);
}
