/** A policy as read from its file: plain rules, every glob compiled, durations in milliseconds. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { Glob } from "../base/glob.ts";
import type { IsolationLevel } from "../sandbox/sandbox.ts";
import type { Decision, OriginLabel, RiskLevel } from "./decision.ts";
import type { RiskThresholds } from "./risk-score.ts";
import type { FlowConditions } from "./sequence.ts";

export type Effect = Decision["effect"];

/** Strictest first. */
export const effects: readonly Effect[] = ["deny", "ask", "allow"];

export interface Policy {
  readonly version: 1;
  readonly rules: readonly PolicyRule[];
  /** Scores from which an action is asked about or denied; absent: the score is only shown. */
  readonly thresholds?: RiskThresholds;
  /** What an agent is shown in place of untrusted passages that read as instructions; absent: they are left as they are. */
  readonly untrusted?: UntrustedHandling;
  /** `sha256:` and the digest of the file's content: comments and layout do not change it. */
  readonly revision: string;
}

/** All parts must match. The order of rules never matters. */
export interface PolicyRule {
  readonly name: string;
  readonly description: string | null;
  readonly effect: Effect;
  /** 1-based line in the file. */
  readonly line: number;
  /** `*`, or names that cover themselves and what follows their dots: `file_ops` covers `file_ops.read`. */
  readonly actions: readonly string[];
  /** Empty: any resource. */
  readonly resources: readonly Glob[];
  /** Resources the rule does not speak of. */
  readonly except: readonly Glob[];
  /** Blocked targets: when there are any, one of them must be found in the resource or in a text among the arguments. */
  readonly targets: readonly Target[];
  readonly conditions: readonly Condition[];
  /** Empty: any labels. */
  readonly labelsAny: readonly OriginLabel[];
  /** Origins of arguments and what the run did before; absent: any. */
  readonly flow?: FlowConditions;
  readonly scope: RuleScope;
  /** The least risk of the action. */
  readonly risk: RiskLevel;
  readonly demands: Demands;
}

/** From this score on a passage is quoted (marked as a stranger's words) or stripped (left out, with a note). */
export interface UntrustedHandling {
  readonly instructions: "quote" | "strip";
  readonly from: number;
}

/** Empty: everybody. */
export interface RuleScope {
  readonly agent: readonly Glob[];
  readonly role: readonly Glob[];
  readonly tenant: readonly Glob[];
}

/** What the action must keep to; what several rules demand is merged to the strictest. */
export interface Demands {
  readonly approval?: {
    readonly by?: readonly string[];
    readonly quorum?: number;
    readonly expiresMs?: number;
    readonly fourEyes?: boolean;
    readonly remember?: boolean;
  };
  readonly sandbox?: IsolationLevel;
  readonly timeoutMs?: number;
  readonly redact?: boolean;
  readonly rate?: { readonly count: number; readonly perMs: number };
}

/** With wildcards a glob over the whole text, without them a piece of text found anywhere. */
export interface Target {
  readonly source: string;
  readonly glob: Glob | null;
}

export const conditionOperators = [
  "eq",
  "ne",
  "in",
  "not_in",
  "lt",
  "lte",
  "gt",
  "gte",
  "matches",
  "starts_with",
  "contains",
  "exists",
] as const;
export type ConditionOperator = (typeof conditionOperators)[number];

/** `value` has the type the operator wants; the reader has seen to it. */
export interface Condition {
  /** As written, for example `files[0].sizeBytes`. */
  readonly arg: string;
  readonly path: readonly (string | number)[];
  readonly op: ConditionOperator;
  readonly value: JsonValue;
  /** For `matches`. */
  readonly glob: Glob | null;
}
