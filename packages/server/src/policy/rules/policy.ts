/** A policy as read from its file: plain rules, every glob compiled, durations in milliseconds. */
import type { JsonValue } from "../../base/canonical-json.ts";
import type { Glob } from "../../base/glob.ts";
import type { IsolationLevel } from "../../sandbox/sandbox.ts";
import type { Decision, OriginLabel, RiskLevel } from "./decision.ts";
import type { TransformHandling } from "./transform-record.ts";
import type { RiskCondition, RiskThresholds } from "./risk-score.ts";
import type { FlowConditions } from "./sequence.ts";
import type { TimeWindow } from "./time-window.ts";

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
  /** Parts that speak for some only and name a default; absent: none do. */
  readonly sections?: readonly Section[];
  /** `sha256:` and the digest of the files' content: comments and layout do not change it. */
  readonly revision: string;
}

/** From wide to narrow. What stands outside of sections is the organisation's word. */
const sectionLevels = ["tenant", "agent", "user"] as const;
export type SectionLevel = (typeof sectionLevels)[number];

/** A part of the policy for one tenant, agent or user: it can tighten what the organisation says and never loosen it. */
export interface Section {
  readonly name: string;
  readonly level: SectionLevel;
  /** All must match: a section in a file that has a scope keeps to both. */
  readonly scopes: readonly RuleScope[];
  /** What becomes of actions that none of its rules speaks of; null: what the wider policy says. */
  readonly default: "deny" | "ask" | null;
  readonly file?: string;
  readonly line: number;
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
  /** The action's score without what rules add; absent: any. */
  readonly riskScore?: RiskCondition;
  readonly scope: RuleScope;
  /** Times at which the rule speaks; absent: always. */
  readonly window?: TimeWindow;
  /** Absent: the rule is the organisation's. */
  readonly section?: Section;
  /** The file of `policy.d` it stands in; absent: policy.yaml. */
  readonly file?: string;
  /** The least risk of the action. */
  readonly risk: RiskLevel;
  readonly demands: Demands;
}

/** From this score on a passage is quoted (marked as a stranger's words) or stripped (left out, with a note). */
export interface UntrustedHandling {
  readonly instructions: TransformHandling;
  readonly from: number;
}

/** Empty: everybody. */
export interface RuleScope {
  readonly agent: readonly Glob[];
  readonly role: readonly Glob[];
  readonly tenant: readonly Glob[];
  /** Who asked for the run, as `user:ada`. */
  readonly user?: readonly Glob[];
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
  /** Untrusted passages are taken out of texts or quoted in them first; the rule holds for what that leaves. */
  readonly transform?: TransformHandling;
}

/** With wildcards a glob over the whole text, without them a piece of text found anywhere. */
export interface Target {
  readonly source: string;
  readonly glob: Glob | null;
}

/** Each with what its value must be; readers, schema and documentation are made from this table. */
export const conditionTable = {
  eq: "any",
  ne: "any",
  in: "list",
  not_in: "list",
  lt: "number",
  lte: "number",
  gt: "number",
  gte: "number",
  between: "range",
  matches: "glob",
  not_matches: "glob",
  starts_with: "text",
  ends_with: "text",
  contains: "scalar",
  not_contains: "scalar",
  contains_any: "list",
  subset_of: "list",
  longer_than: "number",
  under: "path",
  not_under: "path",
  before: "time",
  after: "time",
  exists: "boolean",
} as const;
export type ConditionOperator = keyof typeof conditionTable;
export const conditionOperators = Object.keys(conditionTable) as readonly ConditionOperator[];
export type ConditionValueKind = (typeof conditionTable)[ConditionOperator];

/** A step of a path into the arguments; `each` stands for `[*]`, every item of a list. */
export type PathStep = string | number | { readonly kind: "each" };

/** `value` has the type the operator wants; the reader has seen to it. */
export interface Condition {
  /** As written, for example `files[0].sizeBytes`. */
  readonly arg: string;
  readonly path: readonly PathStep[];
  readonly op: ConditionOperator;
  readonly value: JsonValue;
  /** For `matches` and `not_matches`. */
  readonly glob: Glob | null;
}
