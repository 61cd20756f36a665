/** Who people are now, and who lets whom answer for them: each is looked up once, however many answers are judged by it. */
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import { listDelegations } from "./delegations.ts";
import type { Delegator } from "./responder.ts";

/** What a name stands for now. */
export interface Holder {
  /** `none` for somebody whose key was revoked or has expired. */
  readonly role: string;
  /** When the key in force was made, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** True for somebody who still has the key they had then: what was handed out with another one has ended with that. */
export function holdsKeyOf({ role, sinceMs }: Holder, atMs: number): boolean {
  return role !== "none" && sinceMs <= atMs;
}

export interface PeopleDeps {
  readonly store: Pick<Store, "read">;
  readonly clock: Pick<Clock, "now">;
  readonly holderOf: (tenant: string, principal: string) => Promise<Holder>;
}

/** Of one tenant, as they are in this moment: made anew for each question, for it does not see a key that ends afterwards. */
export interface People {
  holderOf(principal: string): Promise<Holder>;
  /** Those who let this person answer for them and still hold the key they did it with, the first to do so first. */
  delegatorsOf(principal: string): Promise<readonly (Delegator & Holder)[]>;
}

export function lookUpPeople({ store, clock, holderOf }: PeopleDeps, tenant: string): People {
  const nowMs = clock.now();
  const holderOnce = once((principal) => holderOf(tenant, principal));
  return {
    holderOf: holderOnce,
    delegatorsOf: once(async (principal) => {
      const received = await listDelegations(store, tenant, { to: principal, nowMs });
      const delegators = await Promise.all(
        received.map(async ({ from, createdAtMs }) => ({
          id: from,
          createdAtMs,
          ...(await holderOnce(from)),
        })),
      );
      return delegators.filter((each) => holdsKeyOf(each, each.createdAtMs));
    }),
  };
}

function once<T>(ask: (principal: string) => Promise<T>): (principal: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return (principal) => {
    const answer = asked.get(principal) ?? ask(principal);
    asked.set(principal, answer);
    return answer;
  };
}
