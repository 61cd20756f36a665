/** All limits of actions in one: rates, quotas and places at once, from policy and configuration, taken together or not at all. */
import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import type { Bulkhead } from "../guards/bulkhead.ts";
import type { RateLimiter, RateClaim } from "../guards/rate-limit.ts";
import type { Store } from "../store/store.ts";
import { claimsOf } from "./limit-rules.ts";
import type { LimitedAction, LimitRules } from "./limit-rules.ts";
import { useQuotas } from "./quotas.ts";

export interface LimitsDeps {
  readonly rules: LimitRules;
  readonly limiter: RateLimiter;
  readonly bulkhead: Bulkhead;
  readonly store: Pick<Store, "write">;
  readonly clock: Clock;
  /** Told of each refusal, for metrics. Must not throw. */
  readonly observe?: (kind: LimitKind, limit: string) => void;
}

export type LimitKind = "rate" | "quota" | "bulkhead";

export type LimitAnswer =
  /** `places` must be given back by `leave` once the action is over. */
  | { readonly kind: "entered"; readonly places: readonly string[] }
  | { readonly kind: "held"; readonly by: LimitKind; readonly reason: string; readonly retryAtMs: number };

export interface Limits {
  /** `own` are buckets that policy's obligations add. Rejects when a limit cannot be asked; the gate then denies. */
  enter(action: LimitedAction, own: readonly RateClaim[]): Promise<LimitAnswer>;
  leave(places: readonly string[]): void;
}

/** A place is free again soon; asking more often would only cost. */
const tryAgainMs = 250;
/** In line for a place no longer than this: the decision was made before, and a cancel waits for it. */
const patienceMs = 1_000;

export function createLimits(deps: LimitsDeps): Limits {
  const { rules, limiter, bulkhead, store, clock } = deps;
  return {
    async enter(action, own) {
      const claims = claimsOf(rules, action);
      // Places first, for they can be given back; then buckets, which refill; then quotas, which do not.
      const full = await bulkhead.enter(claims.bulkheads, patienceMs);
      if (full !== undefined) {
        const reason = `${nameOf(full)} allows no more at once; the action waits for a place`;
        return held("bulkhead", full, { reason, retryAtMs: clock.now() + tryAgainMs });
      }
      const places = claims.bulkheads.map(({ key }) => key);
      try {
        const refusal = await spend([...own, ...claims.rates], claims.quotas);
        if (refusal === undefined) return { kind: "entered", places };
        bulkhead.leave(places);
        return refusal;
      } catch (error) {
        bulkhead.leave(places);
        throw error;
      }
    },
    leave: bulkhead.leave,
  };

  async function spend(
    rates: readonly RateClaim[],
    quotas: ReturnType<typeof claimsOf>["quotas"],
  ): Promise<LimitAnswer | undefined> {
    const slow = rates.length === 0 ? undefined : await limiter.take(rates);
    if (slow !== undefined) {
      const { limit } = rates.find(({ key }) => key === slow.key)!;
      const reason = `${nameOf(slow.key)} allows ${limit.count} per ${formatDuration(limit.perMs)}`;
      return held("rate", slow.key, { reason, retryAtMs: slow.retryAtMs });
    }
    const spent = await useQuotas(store, quotas, clock.now());
    if (spent === undefined) return undefined;
    const { count, window } = quotas.find(({ key }) => key === spent.key)!;
    const reason = `${nameOf(spent.key)} allows ${count} a ${window} (UTC), and they are used up`;
    return held("quota", spent.key, { reason, retryAtMs: spent.retryAtMs });
  }

  function held(
    by: LimitKind,
    key: string,
    told: { readonly reason: string; readonly retryAtMs: number },
  ): LimitAnswer {
    deps.observe?.(by, nameOf(key).slice(nameOf(key).indexOf(" ") + 1));
    return { kind: "held", by, ...told };
  }
}

/** `policy/...` is a rule's own rate; everything else a limit of the configuration by its name. */
function nameOf(key: string): string {
  return key.startsWith("policy/")
    ? `Policy for ${key.slice("policy/".length)}`
    : `Limit ${key.split("/", 1)[0]!}`;
}
