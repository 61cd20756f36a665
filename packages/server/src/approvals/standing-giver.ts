/** Whether a yes from before still counts: whoever gave it must still hold the key they gave it with, and may still answer such a question. */
import type { Clock } from "../base/clock.ts";
import type { Approval } from "../gate/approvals.ts";
import type { Store } from "../store/store.ts";
import { listDelegations } from "./delegations.ts";
import { findResponder } from "./responder.ts";

/** What a name stands for now. */
export interface Holder {
  /** `none` for somebody whose key was revoked or has expired. */
  readonly role: string;
  /** When the key in force was made, in milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface GiverDeps {
  readonly store: Pick<Store, "read">;
  readonly clock: Pick<Clock, "now">;
  readonly holderOf: (tenant: string, principal: string) => Promise<Holder>;
}

/** Who may answer such a question, and whose run it is about. */
export type SuchQuestion = Pick<Approval, "by" | "fourEyes" | "requester"> & {
  /** People to whom this very question was handed; absent: it is about the next ones like it. */
  readonly delegates?: readonly string[];
};

export interface RememberedBy {
  readonly tenant: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
}

/**
 * Why a yes from before does not count any more, in words; undefined: it counts. A key that was made later brings back nothing of
 * its name: what somebody did with a stolen key must end with it. Nor does it count that the one question was handed on.
 */
export async function findVoid(
  deps: GiverDeps,
  { tenant, createdBy, createdAtMs }: RememberedBy,
  question: SuchQuestion,
): Promise<string | undefined> {
  const { role, sinceMs } = await deps.holderOf(tenant, createdBy);
  if (role === "none") return `${createdBy} may not use this server any more`;
  if (sinceMs > createdAtMs) return `${createdBy} has a new key since`;
  const received = await listDelegations(deps.store, tenant, { to: createdBy, nowMs: deps.clock.now() });
  const delegators = await Promise.all(
    received.map(async ({ from }) => ({ id: from, ...(await deps.holderOf(tenant, from)) })),
  );
  const responder = findResponder(
    { delegates: [], ...question },
    { id: createdBy, role },
    { delegators: delegators.filter((each) => each.sinceMs <= createdAtMs), isConsent: true },
  );
  if (responder.kind === "may") return undefined;
  return `${createdBy} (${role}) may not answer such a question now; it is for ${question.by.join(" or ")}`;
}
