/** Whether a yes from before still counts: whoever gave it must still hold the key they gave it with, and may still answer such a question. */
import type { Approval } from "../gate/approvals.ts";
import type { People } from "./people.ts";
import { findResponder } from "./responder.ts";

/** A vote, or an answer that is remembered. */
export interface PastYes {
  readonly createdBy: string;
  readonly createdAtMs: number;
}

/** Who may answer such a question, and whose run it is about. */
export type SuchQuestion = Pick<Approval, "by" | "fourEyes" | "requester"> & {
  /** People to whom this very question was handed; absent: it is about the next ones like it. */
  readonly delegates?: readonly string[];
};

/**
 * Why a yes from before does not count any more, in words; undefined: it counts. A key that was made later brings back nothing of
 * its name: what somebody did with a stolen key must end with it. Nor does it count that the one question was handed on.
 */
export async function findVoid(
  people: People,
  { createdBy, createdAtMs }: PastYes,
  question: SuchQuestion,
): Promise<string | undefined> {
  const { role, sinceMs } = await people.holderOf(createdBy);
  if (role === "none") return `${createdBy} may not use this server any more`;
  if (sinceMs > createdAtMs) return `${createdBy} has a new key since`;
  const delegators = await people.delegatorsOf(createdBy);
  const responder = findResponder(
    { delegates: [], ...question },
    { id: createdBy, role },
    { delegators: delegators.filter((each) => each.sinceMs <= createdAtMs), isConsent: true },
  );
  if (responder.kind === "may") return undefined;
  return `${createdBy} (${role}) may not answer such a question now; it is for ${question.by.join(" or ")}`;
}
