/** What is asked of policy and what it answers. All plain data; `decide` is pure. */
import type { IsolationLevel } from "../../sandbox/sandbox.ts";
import type { ActionFlow, ArgumentOrigin, OriginLabel } from "./argument-origin.ts";
import type { RiskScore, RiskSigns } from "./risk-score.ts";
import type { PlannedTransform, TransformHandling, TransformRecord } from "./transform-record.ts";

/** Strictest wins, in this order. */
const verdicts = ["allow", "warn", "transform", "throttle", "ask", "deny"] as const;
export type Verdict = (typeof verdicts)[number];

export type { OriginLabel } from "./argument-origin.ts";

export type RiskLevel = "low" | "medium" | "high";

/** An action as the gate judges it: after schema check, with the resource resolved (paths real, hosts lower-case). */
export interface ActionRequest {
  /** Tool action, for example `file_ops.delete`, `code_exec.run`, `http.get`. */
  readonly action: string;
  /** Resolved: `workspace/stale/old.png`, `https://example.org:443/x`, `python`. */
  readonly resource: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly labels: readonly OriginLabel[];
  /** `workflow:brand-audit` or an agent's id. */
  readonly agent: string;
  readonly role: string;
  readonly tenant: string;
  /** Who asked for the run, as `user:ada`; absent: nobody knows. */
  readonly user?: string;
  /** When it is decided, in milliseconds since 1970, for rules with `when`; absent: nobody knows. */
  readonly atMs?: number;
  /** Where the arguments came from and what the run did before; absent when nobody traced it. */
  readonly flow?: ActionFlow;
  /** What counts for the risk besides policy and flow. */
  readonly risks?: RiskSigns;
  /**
   * Rules with `transform` do not hold for these arguments, which were seen to; `all`: such rules are left out altogether,
   * to learn what the others say. Absent: they hold like every rule.
   */
  readonly transformed?: "all" | readonly string[];
}

export interface Obligations {
  /** Who may answer (roles), how many must, and when the question expires. */
  readonly approval?: {
    readonly by: readonly string[];
    readonly quorum: number;
    readonly expiresMs: number;
    /** Who asked for the run may not agree to it. */
    readonly fourEyes?: boolean;
    /** False: a yes never stands for the same again. */
    readonly remember?: boolean;
  };
  /** The weakest isolation under which the action may run. */
  readonly sandbox?: IsolationLevel;
  readonly timeoutMs?: number;
  readonly redact?: boolean;
  readonly rate?: { readonly count: number; readonly perMs: number };
  /** What is tried first: passages stripped from texts, or quoted in them. */
  readonly transform?: TransformHandling;
}

export interface MatchedRule {
  readonly name: string;
  readonly effect: "allow" | "ask" | "deny";
  /** 1-based line in policy.yaml, or in `file`. */
  readonly line: number;
  /** The file of policy.d, as in `policy.d/acme.yaml`. */
  readonly file?: string;
  /** One sentence: which parts matched. */
  readonly why: string;
}

export interface Decision {
  readonly effect: "allow" | "ask" | "deny";
  readonly risk: RiskLevel;
  readonly obligations: Obligations;
  /** Every rule that matched, strictest effect first. Empty: default deny. */
  readonly matched: readonly MatchedRule[];
  /** One sentence for people. */
  readonly reason: string;
  /** Content hash of the policy that decided. */
  readonly revision: string;
  /** 0 to 100 and why; absent in decisions of older versions. */
  readonly score?: RiskScore;
  /** Where each argument came from; absent when nobody traced it. */
  readonly origins?: readonly ArgumentOrigin[];
  /** Texts that matching rules want changed before they hold; never recorded, for the gate sees to it at once. */
  readonly transforms?: readonly PlannedTransform[];
  /** What the gate took out of the arguments or quoted in them, before it decided this. */
  readonly transformed?: TransformRecord;
}
