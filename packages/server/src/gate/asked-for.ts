/** What a question was put for, so that a yes to it never lifts what policy asks beyond that. Pure. */
import type { Decision, MatchedRule, RiskLevel } from "../policy/rules/decision.ts";
import { approvalDefaults } from "../policy/rules/demands.ts";

export interface AskedFor {
  /** Names of the rules that asked; `riskRule` when the score alone did. */
  readonly rules: readonly string[];
  readonly by: readonly string[];
  readonly quorum: number;
  readonly fourEyes: boolean;
  readonly risk: RiskLevel;
  /** Absent in what older versions recorded, and when nobody weighed the action. */
  readonly score?: AskedScore;
}

export interface AskedScore {
  /** 0 to 100, as those who were asked saw it. */
  readonly value: number;
  /** The threshold that it reached; null: none. */
  readonly askedFrom: number | null;
}

/** As much as one light sign weighs: a target not used before, or a wildcard. */
const bearableRise = 10;

/** Stands for the risk's threshold; no rule can have this name. */
export const riskRule = "(risk)";

export function askedFor({ matched, obligations, risk, score }: Decision): AskedFor {
  const { by, quorum, fourEyes = false } = { ...approvalDefaults, ...obligations.approval };
  const { value = 0, askedFrom } = score ?? {};
  return {
    ...{ rules: askingRules(matched), by, quorum, fourEyes, risk },
    ...(askedFrom === undefined ? {} : { score: { value, askedFrom } }),
  };
}

export function askingRules(matched: readonly MatchedRule[]): readonly string[] {
  const names = matched.filter(({ effect }) => effect === "ask").map(({ name }) => name);
  return names.length === 0 ? [riskRule] : names;
}

/**
 * True when a yes to the question put `before` is as good as one to a question put `now`: no other rule asks, everybody who could
 * answer then may answer now, as many had to agree, and the risk that they saw is the risk there is.
 */
export function isCovered(before: AskedFor, now: AskedFor): boolean {
  return (
    now.rules.every((rule) => before.rules.includes(rule)) &&
    before.by.every((who) => who === "admin" || now.by.includes(who)) &&
    now.quorum <= before.quorum &&
    (before.fourEyes || !now.fourEyes) &&
    isScoreCovered(before.score, now.score)
  );
}

/**
 * Where the score is a reason to ask now, it must have been as high when the question was put, and may have risen no more than a
 * light sign weighs. What older versions recorded says nothing about the score, and counts as it did there.
 */
function isScoreCovered(before: AskedScore | undefined, now: AskedScore | undefined): boolean {
  if (before === undefined || now === undefined || now.askedFrom === null) return true;
  return before.value >= now.askedFrom && now.value <= before.value + bearableRise;
}
