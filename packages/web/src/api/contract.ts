/** The API's shapes under the names the pages use; all of them come from the generated client. */
import type { JsonValue, Operations, RunSummary, StepView } from "@homeostat/client/api";

export type {
  Approval,
  Artifact,
  JsonValue,
  LedgerState,
  RunEvent,
  RunSummary,
  SessionState as Session,
  StepView,
  VerifyReport,
} from "@homeostat/client/api";

/** ISO 8601, UTC. */
export type Time = string;

export type RunState = RunSummary["state"];
export const runStates: readonly RunState[] = [
  "PENDING",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "WAITING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "DEAD",
];

export interface Page<Row> {
  readonly data: readonly Row[];
  readonly nextCursor: string | null;
}

export type RunError = NonNullable<RunSummary["error"]>;
export type WaitingFor = NonNullable<RunSummary["waitingFor"]>;
export type RunDetail = Operations["runs.get"]["answer"];
export type RunCommand = "pause" | "resume" | "cancel" | "retry" | "discard";

export type StepState = StepView["state"];
export type StepKind = StepView["kind"];
export type StepDecision = NonNullable<StepView["decision"]>;
export type MatchedRule = StepDecision["matched"][number];
export type RuleEffect = MatchedRule["effect"];

export type Decision = Operations["approvals.decide"]["body"];
export type ApprovalAnswer = Decision["answer"];
export type ApprovalStatus = Operations["approvals.get"]["answer"]["status"];

/** An entry is journal-like and open: only what every one has is named here. */
export interface LedgerRow {
  readonly index: number;
  readonly entry: {
    readonly at: Time;
    readonly type: string;
    readonly actor: { readonly kind: string; readonly id: string };
    readonly run?: { readonly id: string; readonly seq: number; readonly digest: string };
  };
}

export type CheckResult = Operations["workflows.check"]["answer"];
/** What a check of a workflow or a policy found. Line and column count from 1. */
export type Finding = CheckResult["findings"][number];
export type PolicyView = Operations["policy.get"]["answer"];
export type PolicyRule = PolicyView["rules"][number];

export type Example = Operations["examples.list"]["answer"]["data"][number];
/** An input as a workflow file declares it. */
export interface InputDefinition {
  readonly type: Example["inputs"][number]["type"];
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly JsonValue[];
  readonly min?: number;
  readonly max?: number;
}

export type SystemStatus = Operations["status.get"]["answer"];
export type SandboxReport = SystemStatus["sandbox"];
export type PartStatus = SystemStatus["parts"][number];
export type QueueCounts = SystemStatus["queue"]["counts"];
export type ConfigRow = Operations["config.get"]["answer"]["data"][number];
export type TaskSubmission = Operations["tasks.submit"]["body"];
