/** The shapes that travel between the server's /v1 and this dashboard, as the API's contract has them. */

/** ISO 8601, UTC. */
export type Time = string;

export const runStates = [
  "PENDING",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "WAITING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "DEAD",
] as const;
export type RunState = (typeof runStates)[number];

export interface Page<Row> {
  readonly data: readonly Row[];
  readonly nextCursor: string | null;
}

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly step?: string;
}

export interface WaitingFor {
  readonly kind: "approval" | "outcome" | "timer" | "retry" | "pause";
  readonly id?: string;
  readonly until?: Time | null;
}

export interface RunSummary {
  readonly id: string;
  readonly workflow: { readonly name: string; readonly digest: string };
  readonly state: RunState;
  readonly waitingFor: WaitingFor | null;
  readonly priority: "high" | "normal" | "low";
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly requester: string;
  readonly labels: readonly string[];
  readonly createdAt: Time;
  readonly startedAt: Time | null;
  readonly endedAt: Time | null;
  readonly error: RunError | null;
  readonly headSeq: number;
  readonly stepsDone: number;
  readonly stepsTotal: number;
  readonly artifactCount: number;
  readonly parent: string | null;
}

export type StepState =
  | "pending"
  | "running"
  | "waiting"
  | "retrying"
  | "completed"
  | "failed"
  | "skipped"
  | "denied"
  | "cancelled";

export type StepKind = "tool" | "branch" | "for_each" | "approval" | "wait" | "set";
export type Risk = "low" | "medium" | "high";
export type RuleEffect = "allow" | "ask" | "deny";

export interface MatchedRule {
  readonly name: string;
  readonly effect: RuleEffect;
  readonly line: number;
  readonly why: string;
}

export interface StepDecision {
  readonly effect: RuleEffect;
  readonly risk: Risk;
  readonly reason: string;
  readonly revision: string;
  readonly matched: readonly MatchedRule[];
}

export interface StepView {
  readonly path: string;
  readonly id: string;
  readonly kind: StepKind;
  readonly title: string | null;
  readonly depth: number;
  readonly state: StepState;
  readonly attempt: number;
  readonly startedAt: Time | null;
  readonly endedAt: Time | null;
  readonly tool: string | null;
  readonly resource: string | null;
  readonly summary: string | null;
  readonly effect: string | null;
  readonly args: unknown;
  readonly output: unknown;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  readonly decision: StepDecision | null;
  readonly approvalId: string | null;
}

export interface RunDetail extends RunSummary {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: unknown;
  readonly steps: readonly StepView[];
  readonly approvals: readonly Approval[];
  readonly artifacts: readonly Artifact[];
  readonly workflowText: string;
}

export interface RunEvent {
  readonly seq: number;
  readonly kind: string;
  readonly at: Time;
  readonly step: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly digest: string;
}

export type ApprovalStatus = "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved";
export type ApprovalAnswer = "approve" | "reject" | "happened" | "did-not-happen" | "abandon";

export interface Approval {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly status: ApprovalStatus;
  readonly runId: string;
  readonly workflow: string;
  readonly step: string;
  readonly action: string | null;
  readonly resource: string | null;
  readonly summary: string;
  readonly message: string | null;
  readonly args: unknown;
  readonly argsDigest: string;
  readonly labels: readonly string[];
  readonly risk: string;
  readonly reason: string;
  readonly matched: readonly MatchedRule[];
  readonly policyRevision: string;
  readonly requester: string;
  readonly by: readonly string[];
  readonly requestedAt: Time;
  readonly expiresAt: Time | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Time | null;
  readonly decisionReason: string | null;
  readonly answer: string | null;
}

export interface Artifact {
  readonly id: string;
  readonly runId: string;
  readonly step: string;
  readonly path: string;
  readonly filename: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly previousSha256: string | null;
  readonly version: number;
  readonly status: "active" | "archived" | "quarantined";
  readonly creator: string;
  readonly createdAt: Time;
  readonly modifiedAt: Time;
  readonly modifiedBy: string;
}

export interface LedgerState {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  readonly checkpoint: string;
  readonly verifierKey: string;
  readonly pending: number;
  readonly witnessedTo: number | null;
  readonly lastCheckpointAt: Time | null;
}

export interface LedgerRow {
  readonly index: number;
  readonly entry: {
    readonly at: Time;
    readonly type: string;
    readonly actor: { readonly kind: string; readonly id: string };
    readonly run?: { readonly id: string; readonly seq: number; readonly digest: string };
    readonly data: Readonly<Record<string, unknown>>;
  };
}

export interface VerifyReport {
  readonly verdict: "intact" | "broken";
  readonly text: string;
  readonly size: number;
  readonly root: string;
  readonly pending: number;
  readonly erased: number;
  readonly witnessedTo: number | null;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly count: number;
    readonly detail: string;
  }[];
  readonly findings: readonly { readonly what: string; readonly where: string; readonly detail: string }[];
  readonly durationMs: number;
}

/** What a check of a workflow or a policy found. Line and column count from 1. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  readonly message: string;
  readonly hint?: string;
}

export interface PolicyRule {
  readonly name: string;
  readonly effect: RuleEffect;
  readonly line: number;
  readonly [field: string]: unknown;
}

export interface PolicyView {
  readonly revision: string;
  readonly text: string;
  readonly path: string;
  readonly rules: readonly PolicyRule[];
  readonly findings: readonly Finding[];
}

export interface CheckResult {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export interface InputDefinition {
  readonly type: "string" | "number" | "integer" | "boolean" | "list" | "object";
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly min?: number;
  readonly max?: number;
}

export interface Example {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, InputDefinition>>;
  readonly workflowText: string;
}

export interface SandboxReport {
  readonly level: "full" | "standard" | "none";
  readonly tiers: readonly string[];
  readonly cgroup: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly remedy?: string;
  readonly languages: readonly {
    readonly id: string;
    readonly available: boolean;
    readonly version?: string;
    readonly tiers: readonly string[];
  }[];
}

export interface PartStatus {
  readonly name: string;
  readonly health: { readonly kind: "ok" | "degraded" | "failed"; readonly detail?: string };
}

export interface SystemStatus {
  readonly version: string;
  readonly startedAt: Time;
  readonly uptimeMs: number;
  readonly home: string;
  readonly parts: readonly PartStatus[];
  readonly sandbox: SandboxReport;
  readonly queue: Readonly<Partial<Record<RunState, number>>>;
  readonly ledger: LedgerState;
  readonly policy: { readonly revision: string; readonly rules: number };
}

export interface ConfigRow {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
  readonly description: string;
  readonly env: string;
}

export interface Session {
  readonly principal: string;
  readonly role: string;
}

export interface TaskSubmission {
  readonly example?: string;
  readonly workflow?: string;
  readonly files?: readonly { readonly path: string; readonly contentBase64: string }[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly priority?: "high" | "normal" | "low";
  readonly labels?: readonly string[];
  readonly maxAttempts?: number;
}
