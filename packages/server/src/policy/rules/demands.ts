/** Merges what matching rules demand to the strictest of each. Pure, and the same for every order of the rules. */
import type { Obligations, RiskLevel } from "./decision.ts";
import type { Demands, Effect } from "./policy.ts";
import { strongerTransform } from "./transform-record.ts";

/** Who answers when no rule says it, and how long a question stands. */
export const approvalDefaults: {
  readonly by: readonly string[];
  readonly quorum: number;
  readonly expiresMs: number;
} = {
  by: ["admin", "approver"],
  quorum: 1,
  expiresMs: 24 * 3_600_000,
};

const none: Obligations = {};
const isolationStrength = { none: 0, standard: 1, full: 2 } as const;
const riskHeight: Readonly<Record<RiskLevel, number>> = { low: 0, medium: 1, high: 2 };

/**
 * Nothing is demanded of what is denied. `approval` is there only for `ask`, its roles being those that every rule accepts: possibly none, and then nobody may
 * answer. Rates are compared by count per time, at the same pace the smaller count wins.
 */
export function mergeDemands(all: readonly Demands[], effect: Effect): Obligations {
  if (effect === "deny" || (effect === "allow" && all.every(isEmpty))) return none;
  let merged: Demands = {};
  for (const demands of all) merged = strictest(merged, demands);
  const { approval, ...rest } = merged;
  if (effect !== "ask") return rest;
  return { approval: { ...approvalDefaults, ...approval }, ...rest };
}

export function higherRisk(a: RiskLevel, b: RiskLevel): RiskLevel {
  return riskHeight[a] >= riskHeight[b] ? a : b;
}

function isEmpty(demands: Demands): boolean {
  for (const key in demands) if (Object.hasOwn(demands, key)) return false;
  return true;
}

function strictest(a: Demands, b: Demands): Demands {
  return {
    ...pick("approval", both(a.approval, b.approval, mergeApproval)),
    ...pick(
      "sandbox",
      both(a.sandbox, b.sandbox, (x, y) => (isolationStrength[x] >= isolationStrength[y] ? x : y)),
    ),
    ...pick("timeoutMs", both(a.timeoutMs, b.timeoutMs, Math.min)),
    ...pick(
      "redact",
      both(a.redact, b.redact, (x, y) => x || y),
    ),
    ...pick("rate", both(a.rate, b.rate, slowerRate)),
    ...pick("transform", both(a.transform, b.transform, strongerTransform)),
  };
}

type Approval = NonNullable<Demands["approval"]>;

function mergeApproval(a: Approval, b: Approval): Approval {
  return {
    ...pick(
      "by",
      both(a.by, b.by, (x, y) => x.filter((role) => y.includes(role))),
    ),
    ...pick("quorum", both(a.quorum, b.quorum, Math.max)),
    ...pick("expiresMs", both(a.expiresMs, b.expiresMs, Math.min)),
    ...pick(
      "fourEyes",
      both(a.fourEyes, b.fourEyes, (x, y) => x || y),
    ),
    ...pick(
      "remember",
      both(a.remember, b.remember, (x, y) => x && y),
    ),
  };
}

type Rate = NonNullable<Demands["rate"]>;

function slowerRate(a: Rate, b: Rate): Rate {
  const difference = a.count * b.perMs - b.count * a.perMs;
  if (difference !== 0) return difference < 0 ? a : b;
  return a.count <= b.count ? a : b;
}

function both<T>(a: T | undefined, b: T | undefined, merge: (a: T, b: T) => T): T | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : merge(a, b);
}

function pick<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  // An absent member and one that is undefined are different under exactOptionalPropertyTypes.
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: T };
}
