/** What a question was put for, so that a yes to it never lifts what policy asks beyond that. Pure. */
import type { Decision, MatchedRule, RiskLevel } from "../policy/rules/decision.ts";

export interface AskedFor {
  /** Names of the rules that asked; `riskRule` when the score alone did. */
  readonly rules: readonly string[];
  readonly by: readonly string[];
  readonly quorum: number;
  readonly fourEyes: boolean;
  readonly risk: RiskLevel;
}

/** Stands for the risk's threshold; no rule can have this name. */
export const riskRule = "(risk)";

/** Who may answer when a decision does not say it; admin always may. */
const approversByDefault: readonly string[] = ["admin", "approver"];

export function askedFor({ matched, obligations, risk }: Decision): AskedFor {
  const { by = approversByDefault, quorum = 1, fourEyes = false } = obligations.approval ?? {};
  return { rules: askingRules(matched), by, quorum, fourEyes, risk };
}

export function askingRules(matched: readonly MatchedRule[]): readonly string[] {
  const names = matched.filter(({ effect }) => effect === "ask").map(({ name }) => name);
  return names.length === 0 ? [riskRule] : names;
}

/**
 * True when a yes to the question put `before` is as good as one to a question put `now`: no other rule asks, everybody who could
 * answer then may answer now, and as many had to agree.
 */
export function isCovered(before: AskedFor, now: AskedFor): boolean {
  return (
    now.rules.every((rule) => before.rules.includes(rule)) &&
    before.by.every((who) => who === "admin" || now.by.includes(who)) &&
    now.quorum <= before.quorum &&
    (before.fourEyes || !now.fourEyes)
  );
}
