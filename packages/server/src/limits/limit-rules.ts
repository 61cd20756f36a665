/** Configured limits: whose actions each counts, and the buckets, counters and places an action draws on. Pure. */
import { compileGlob, matchesGlob } from "../base/glob.ts";
import type { BulkheadClaim } from "../guards/bulkhead.ts";
import type { RateClaim } from "../guards/rate-limit.ts";

/** Whose actions are counted together. A target is a host with its port, or the first folder of a path. */
export const limitSubjects = ["tenant", "user", "agent", "tool", "target", "all"] as const;
export type LimitSubject = (typeof limitSubjects)[number];

interface Matching {
  /** Counted for each of these on its own. */
  readonly of: LimitSubject;
  /** A glob over action names. */
  readonly action: string;
}

export interface RateRule extends Matching {
  readonly count: number;
  readonly perMs: number;
}

export interface QuotaRule extends Matching {
  readonly count: number;
  /** Calendar days or months in UTC. */
  readonly window: "day" | "month";
}

export interface BulkheadRule extends Matching {
  readonly atOnce: number;
  /** How many may wait for a place. */
  readonly line: number;
}

export interface LimitRules {
  readonly rates: Readonly<Record<string, RateRule>>;
  readonly quotas: Readonly<Record<string, QuotaRule>>;
  readonly bulkheads: Readonly<Record<string, BulkheadRule>>;
}

export const noLimits: LimitRules = { rates: {}, quotas: {}, bulkheads: {} };

/** An action as limits see it. */
export interface LimitedAction {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly action: string;
  readonly resource: string;
}

export interface QuotaClaim {
  readonly key: string;
  readonly count: number;
  readonly window: "day" | "month";
}

export interface Claims {
  readonly rates: readonly RateClaim[];
  readonly quotas: readonly QuotaClaim[];
  readonly bulkheads: readonly BulkheadClaim[];
}

export function claimsOf(rules: LimitRules, action: LimitedAction): Claims {
  return {
    rates: matching(rules.rates, action).map(([name, { count, perMs, of }]) => ({
      key: keyOf(name, of, action),
      limit: { count, perMs },
    })),
    quotas: matching(rules.quotas, action).map(([name, { count, window, of }]) => ({
      key: keyOf(name, of, action),
      count,
      window,
    })),
    bulkheads: matching(rules.bulkheads, action).map(([name, { atOnce, line, of }]) => ({
      key: keyOf(name, of, action),
      atOnce,
      line,
    })),
  };
}

/** A pattern that does not compile matches everything: a limit may be too strict, never absent. */
function matching<Rule extends Matching>(
  rules: Readonly<Record<string, Rule>>,
  { action }: LimitedAction,
): [string, Rule][] {
  return Object.entries(rules).filter(([, rule]) => {
    const compiled = compileGlob(rule.action);
    return !compiled.ok || matchesGlob(compiled.glob, action);
  });
}

/** `name/subject`. Tenants, their users and agents are never another tenant's; `all`, `tool` and `target` are everybody's. */
function keyOf(name: string, of: LimitSubject, action: LimitedAction): string {
  const { tenant, user, agent } = action;
  switch (of) {
    case "all":
      return name;
    case "tenant":
      return `${name}/${tenant}`;
    case "user":
      return `${name}/${tenant}/${user}`;
    case "agent":
      return `${name}/${tenant}/${agent}`;
    case "tool":
      return `${name}/${action.action}`;
    case "target":
      return `${name}/${targetOf(action.resource)}`;
  }
}

/** `https://api.example.org:443`, or `workspace` of `workspace/a/b.txt`. */
export function targetOf(resource: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]+/.exec(resource)?.[0] ?? resource.split("/", 1)[0]!;
}
