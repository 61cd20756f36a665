/** Runs a stack of small guards over a draft. The strictest verdict wins, and a guard that throws denies. */
import { errorMessage, isHomeostatError } from "../base/error.ts";

/** From mild to strict. The words are SPEC's. */
const order = ["allow", "warn", "transform", "throttle", "ask", "deny"] as const;
export type GuardVerdict = (typeof order)[number];

export interface Finding {
  readonly guard: string;
  readonly verdict: GuardVerdict;
  readonly code: string;
  readonly reason: string;
  readonly hint?: string;
  /** For throttle, and for a deny that time will lift: when to try again. */
  readonly retryAtMs?: number;
}

/** What a guard says: an optional finding, and what it learned for the guards behind it. */
export interface GuardResult<Draft> {
  readonly finding?: Omit<Finding, "guard">;
  readonly draft?: Partial<Draft>;
}

/** Guards may be slow but must be abortable by their own means; they run one after the other, in stack order. */
export interface Guard<Draft> {
  readonly name: string;
  judge(draft: Draft): GuardResult<Draft> | Promise<GuardResult<Draft>>;
}

export interface Judgement<Draft> {
  readonly verdict: GuardVerdict;
  readonly draft: Draft;
  readonly findings: readonly Finding[];
}

/**
 * A deny ends the walk: later guards must not spend tokens or approvals on an action that will not happen. A guard that throws
 * denies. Throws STORE_UNAVAILABLE alone.
 */
export async function judge<Draft>(guards: readonly Guard<Draft>[], start: Draft): Promise<Judgement<Draft>> {
  let draft = start;
  let verdict: GuardVerdict = "allow";
  const findings: Finding[] = [];
  for (const guard of guards) {
    const result = await judgeSafely(guard, draft);
    if (result.draft !== undefined) draft = { ...draft, ...result.draft };
    if (result.finding === undefined) continue;
    findings.push({ guard: guard.name, ...result.finding });
    verdict = strictest(verdict, result.finding.verdict);
    if (verdict === "deny") break;
  }
  return { verdict, draft, findings };
}

export function strictest(a: GuardVerdict, b: GuardVerdict): GuardVerdict {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

async function judgeSafely<Draft>(guard: Guard<Draft>, draft: Draft): Promise<GuardResult<Draft>> {
  try {
    return await guard.judge(draft);
  } catch (error) {
    // Says nothing about the action: nothing is done, and whoever asked comes again. A denial would stand for good.
    if (isHomeostatError(error, "STORE_UNAVAILABLE")) throw error;
    const known = isHomeostatError(error);
    return {
      finding: {
        verdict: "deny",
        code: known ? error.code : "GUARD_FAILED",
        reason: known ? error.message : `The guard ${guard.name} failed: ${errorMessage(error)}`,
        ...(known ? { hint: error.hint } : {}),
      },
    };
  }
}
