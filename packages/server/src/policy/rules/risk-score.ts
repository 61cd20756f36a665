/** The shapes of risk: what it is made of, the score, and from where on it decides. */

/** From `ask` on a person is asked, from `deny` on the action is refused, whatever the rules allow. */
export interface RiskThresholds {
  readonly ask: number | null;
  readonly deny: number | null;
}

/**
 * A rule's `risk_score`. `from` is for rules that ask or deny, `up-to` for rules that allow: so a worse sign never allows
 * more. The score is that of the action alone: with what matching rules add to the risk it would depend on itself.
 */
export interface RiskCondition {
  readonly kind: "from" | "up-to";
  /** 0 to 100. */
  readonly score: number;
}

/** What the gate knows besides rules and data flow. */
export interface RiskSigns {
  /** Of this agent in this run. */
  readonly recentDenials: number;
  readonly recentFailures: number;
  /** Actions in the last minute. */
  readonly recentActions: number;
}

export interface RiskFactor {
  readonly name: string;
  readonly points: number;
  readonly why: string;
}

export interface RiskScore {
  /** 0 to 100. */
  readonly value: number;
  /** Largest first. */
  readonly factors: readonly RiskFactor[];
  /** The policy's threshold from which on a person is asked, when the score reaches it, whatever rules ask; absent in older versions. */
  readonly askedFrom?: number | null;
}
