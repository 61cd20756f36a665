/** Made by scripts/generate-client.ts from the server's OpenAPI document; do not edit. */

export type Approval = {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly status: "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved";
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
  readonly requestedAt: string;
  readonly expiresAt: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly decisionReason: string | null;
  readonly answer: string | null;
};

export type Artifact = {
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
  readonly createdAt: string;
  readonly modifiedAt: string;
  readonly modifiedBy: string;
};

export type CheckResult = { readonly ok: boolean; readonly findings: readonly Finding[] };

export type Finding = {
  readonly severity: "error" | "warning";
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
};

export type LedgerState = {
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
  readonly verifierKey: string;
  readonly pending: number;
  readonly witnessedTo: number | null;
  readonly lastCheckpointAt: string | null;
};

export type MatchedRule = {
  readonly name: string;
  readonly effect: "allow" | "ask" | "deny";
  readonly line: number;
  readonly why: string;
};

/** RFC 9457 problem document; every error of this API has this shape. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened, with the actual values. */
  readonly detail: string;
  readonly instance: string;
  /** Stable; programs tell errors apart by it. */
  readonly code: string;
  /** What to do. */
  readonly hint: string;
  /** Names the request in the log. */
  readonly requestId: string;
  readonly errors?:
    | readonly {
        /** RFC 6901 pointer into the body. */
        readonly pointer?: string | undefined;
        readonly detail: string;
        readonly hint?: string | undefined;
        readonly file?: string | undefined;
        readonly line?: number | undefined;
        readonly column?: number | undefined;
        /** The field in words, for example `query.limit` or `steps[2].with.path`. */
        readonly path?: string | undefined;
      }[]
    | undefined;
};

export type Readiness = {
  readonly status: "ok" | "degraded" | "failed";
  readonly checks: readonly { readonly name: string; readonly kind: "ok" | "degraded" | "failed" }[];
};

export type RunDetail = {
  readonly id: string;
  readonly workflow: { readonly name: string; readonly digest: string };
  readonly state: RunState;
  readonly waitingFor: {
    readonly kind: "approval" | "outcome" | "timer" | "retry" | "pause";
    readonly id?: string | undefined;
    readonly until?: string | undefined;
  } | null;
  readonly priority: "high" | "normal" | "low";
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly requester: string;
  readonly labels: readonly string[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly step?: string | undefined;
  } | null;
  readonly headSeq: number;
  readonly stepsDone: number;
  readonly stepsTotal: number;
  readonly artifactCount: number;
  readonly parent: string | null;
  readonly inputs: { readonly [key: string]: unknown };
  readonly outputs: unknown;
  readonly steps: readonly StepView[];
  readonly approvals: readonly Approval[];
  readonly artifacts: readonly Artifact[];
  readonly workflowText: string;
};

export type RunEvent = {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly step: string | null;
  readonly body: { readonly [key: string]: unknown };
  readonly digest: string;
};

export type RunState =
  "PENDING" | "QUEUED" | "RUNNING" | "RETRYING" | "WAITING" | "COMPLETED" | "FAILED" | "CANCELLED" | "DEAD";

export type RunSummary = {
  readonly id: string;
  readonly workflow: { readonly name: string; readonly digest: string };
  readonly state: RunState;
  readonly waitingFor: {
    readonly kind: "approval" | "outcome" | "timer" | "retry" | "pause";
    readonly id?: string | undefined;
    readonly until?: string | undefined;
  } | null;
  readonly priority: "high" | "normal" | "low";
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly requester: string;
  readonly labels: readonly string[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly step?: string | undefined;
  } | null;
  readonly headSeq: number;
  readonly stepsDone: number;
  readonly stepsTotal: number;
  readonly artifactCount: number;
  readonly parent: string | null;
};

export type SessionState = {
  readonly principal: string;
  readonly role: "none" | "viewer" | "operator" | "approver" | "admin";
};

export type StepView = {
  readonly path: string;
  readonly id: string;
  readonly kind: "tool" | "branch" | "for_each" | "approval" | "wait" | "set";
  readonly title: string | null;
  readonly depth: number;
  readonly state:
    | "pending"
    | "running"
    | "waiting"
    | "retrying"
    | "completed"
    | "failed"
    | "skipped"
    | "denied"
    | "cancelled";
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly tool: string | null;
  readonly resource: string | null;
  readonly summary: string | null;
  readonly effect: string | null;
  readonly args: unknown;
  readonly output: unknown;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
  } | null;
  readonly decision: {
    readonly effect: "allow" | "ask" | "deny";
    readonly risk: "low" | "medium" | "high";
    readonly reason: string;
    readonly revision: string;
    readonly matched: readonly MatchedRule[];
  } | null;
  readonly approvalId: string | null;
};

export type SystemStatus = {
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly home: string;
  readonly parts: readonly {
    readonly name: string;
    readonly health: { readonly kind: "ok" | "degraded" | "failed"; readonly detail?: string | undefined };
  }[];
  readonly sandbox: { readonly level: "full" | "standard" | "none"; readonly [key: string]: unknown };
  readonly queue: { readonly [key: string]: number };
  readonly ledger: LedgerState;
  readonly policy: { readonly revision: string; readonly rules: number };
};

export type VerifyReport = {
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
};

/** Every operation's input and answer, by operationId. */
export interface Operations {
  /** approvals.decide */
  "approvals.decide": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: {
      readonly answer: "approve" | "reject" | "happened" | "did-not-happen" | "abandon";
      readonly reason?: string | undefined;
      readonly result?: unknown | undefined;
    };
    readonly answer: Approval;
  };
  /** approvals.get */
  "approvals.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Approval;
  };
  /** approvals.list */
  "approvals.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      readonly status?: string | number | boolean | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly Approval[]; readonly nextCursor: string | null };
  };
  /** artifacts.content */
  "artifacts.content": {
    readonly kind: "bytes";
    readonly params: { readonly id: string };
    readonly query: { readonly inline?: string | number | boolean | undefined };
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  /** artifacts.get */
  "artifacts.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Artifact;
  };
  /** artifacts.list */
  "artifacts.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      readonly run?: string | number | boolean | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly Artifact[]; readonly nextCursor: string | null };
  };
  /** config.get */
  "config.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly {
        readonly key: string;
        readonly value: unknown;
        readonly origin: string;
        readonly description: string;
        readonly env: string;
      }[];
    };
  };
  /** examples.list */
  "examples.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly {
        readonly name: string;
        readonly description: string;
        readonly inputs: { readonly [key: string]: unknown };
        readonly workflowText: string;
      }[];
    };
  };
  /** The same as /readyz */
  "health.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Readiness;
  };
  /** Whether the process answers at all */
  "health.live": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** Metrics in Prometheus' text format */
  "health.metrics": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** Whether every part serves */
  "health.ready": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Readiness;
  };
  /** ledger.checkpoint */
  "ledger.checkpoint": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** ledger.consistencyProof */
  "ledger.consistencyProof": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: { readonly from: number; readonly to?: number | undefined };
    readonly body: undefined;
    readonly answer: { readonly from: number; readonly to: number; readonly hashes: readonly string[] };
  };
  /** ledger.entries */
  "ledger.entries": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      readonly from?: number | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly {
        readonly index: number;
        readonly entry: { readonly [key: string]: unknown };
      }[];
      readonly nextCursor: string | null;
    };
  };
  /** ledger.get */
  "ledger.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: LedgerState;
  };
  /** ledger.inclusionProof */
  "ledger.inclusionProof": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: { readonly index: number; readonly size?: number | undefined };
    readonly body: undefined;
    readonly answer: { readonly index: number; readonly size: number; readonly hashes: readonly string[] };
  };
  /** ledger.tile */
  "ledger.tile": {
    readonly kind: "bytes";
    readonly params: { readonly path: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  /** ledger.verify */
  "ledger.verify": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly run?: string | undefined } | undefined;
    readonly answer: VerifyReport;
  };
  /** policy.check */
  "policy.check": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly text: string };
    readonly answer: CheckResult;
  };
  /** policy.get */
  "policy.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly revision: string;
      readonly text: string;
      readonly path: string;
      readonly rules: readonly {
        readonly name: string;
        readonly effect: string;
        readonly line: number;
        readonly [key: string]: unknown;
      }[];
      readonly findings: readonly Finding[];
    };
  };
  /** This API as an OpenAPI 3.1 document */
  "reference.openapi": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** This API as a page to read */
  "reference.page": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** runs.cancel */
  "runs.cancel": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined } | undefined;
    readonly answer: RunSummary;
  };
  /** runs.discard */
  "runs.discard": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined } | undefined;
    readonly answer: RunSummary;
  };
  /** runs.events */
  "runs.events": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: {
      readonly after?: number | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly RunEvent[]; readonly nextCursor: string | null };
  };
  /** runs.get */
  "runs.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: RunDetail;
  };
  /** runs.list */
  "runs.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      readonly state?: string | number | boolean | undefined;
      readonly workflow?: string | number | boolean | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly RunSummary[]; readonly nextCursor: string | null };
  };
  /** runs.pause */
  "runs.pause": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined } | undefined;
    readonly answer: RunSummary;
  };
  /** runs.resume */
  "runs.resume": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined } | undefined;
    readonly answer: RunSummary;
  };
  /** runs.retry */
  "runs.retry": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined } | undefined;
    readonly answer: RunSummary;
  };
  /** runs.stream */
  "runs.stream": {
    readonly kind: "sse";
    readonly params: { readonly id: string };
    readonly query: { readonly after?: number | undefined };
    readonly body: undefined;
    readonly answer: never;
  };
  /** Exchange a bearer token for a session cookie */
  "session.create": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: SessionState;
  };
  /** Sign out: end this session */
  "session.delete": {
    readonly kind: "none";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** Who is signed in */
  "session.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: SessionState;
  };
  /** status.get */
  "status.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: SystemStatus;
  };
  /** stream.all */
  "stream.all": {
    readonly kind: "sse";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: never;
  };
  /** tasks.submit */
  "tasks.submit": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body:
      | {
          readonly workflow: string;
          readonly files?: readonly { readonly path: string; readonly contentBase64: string }[] | undefined;
          readonly inputs?: { readonly [key: string]: unknown } | undefined;
          readonly priority?: "high" | "normal" | "low" | undefined;
          readonly labels?: readonly string[] | undefined;
          readonly maxAttempts?: number | undefined;
        }
      | {
          readonly example: string;
          readonly inputs?: { readonly [key: string]: unknown } | undefined;
          readonly priority?: "high" | "normal" | "low" | undefined;
          readonly labels?: readonly string[] | undefined;
          readonly maxAttempts?: number | undefined;
        };
    readonly answer: RunSummary;
  };
  /** tools.list */
  "tools.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly {
        readonly name: string;
        readonly description: string;
        readonly effect: string;
        readonly risk: string;
        readonly schema: unknown;
      }[];
    };
  };
  /** workflows.check */
  "workflows.check": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly workflow: string };
    readonly answer: CheckResult;
  };
}

export type OperationId = keyof Operations;

export interface OperationFacts {
  readonly method: string;
  readonly path: string;
  readonly kind: "json" | "text" | "bytes" | "sse" | "none";
  /** The path parameter that keeps its slashes. */
  readonly rest?: string;
}

export const operations: Readonly<Record<OperationId, OperationFacts>> = {
  "approvals.decide": { method: "POST", path: "/v1/approvals/{id}/decision", kind: "json" },
  "approvals.get": { method: "GET", path: "/v1/approvals/{id}", kind: "json" },
  "approvals.list": { method: "GET", path: "/v1/approvals", kind: "json" },
  "artifacts.content": { method: "GET", path: "/v1/artifacts/{id}/content", kind: "bytes" },
  "artifacts.get": { method: "GET", path: "/v1/artifacts/{id}", kind: "json" },
  "artifacts.list": { method: "GET", path: "/v1/artifacts", kind: "json" },
  "config.get": { method: "GET", path: "/v1/config", kind: "json" },
  "examples.list": { method: "GET", path: "/v1/examples", kind: "json" },
  "health.get": { method: "GET", path: "/healthz", kind: "json" },
  "health.live": { method: "GET", path: "/livez", kind: "text" },
  "health.metrics": { method: "GET", path: "/metrics", kind: "text" },
  "health.ready": { method: "GET", path: "/readyz", kind: "json" },
  "ledger.checkpoint": { method: "GET", path: "/v1/ledger/checkpoint", kind: "text" },
  "ledger.consistencyProof": { method: "GET", path: "/v1/ledger/proofs/consistency", kind: "json" },
  "ledger.entries": { method: "GET", path: "/v1/ledger/entries", kind: "json" },
  "ledger.get": { method: "GET", path: "/v1/ledger", kind: "json" },
  "ledger.inclusionProof": { method: "GET", path: "/v1/ledger/proofs/inclusion", kind: "json" },
  "ledger.tile": { method: "GET", path: "/v1/ledger/tile/{path}", kind: "bytes", rest: "path" },
  "ledger.verify": { method: "POST", path: "/v1/ledger/verify", kind: "json" },
  "policy.check": { method: "POST", path: "/v1/policy/check", kind: "json" },
  "policy.get": { method: "GET", path: "/v1/policy", kind: "json" },
  "reference.openapi": { method: "GET", path: "/v1/openapi.json", kind: "text" },
  "reference.page": { method: "GET", path: "/reference", kind: "text" },
  "runs.cancel": { method: "POST", path: "/v1/runs/{id}/cancel", kind: "json" },
  "runs.discard": { method: "POST", path: "/v1/runs/{id}/discard", kind: "json" },
  "runs.events": { method: "GET", path: "/v1/runs/{id}/events", kind: "json" },
  "runs.get": { method: "GET", path: "/v1/runs/{id}", kind: "json" },
  "runs.list": { method: "GET", path: "/v1/runs", kind: "json" },
  "runs.pause": { method: "POST", path: "/v1/runs/{id}/pause", kind: "json" },
  "runs.resume": { method: "POST", path: "/v1/runs/{id}/resume", kind: "json" },
  "runs.retry": { method: "POST", path: "/v1/runs/{id}/retry", kind: "json" },
  "runs.stream": { method: "GET", path: "/v1/runs/{id}/stream", kind: "sse" },
  "session.create": { method: "POST", path: "/v1/session", kind: "json" },
  "session.delete": { method: "DELETE", path: "/v1/session", kind: "none" },
  "session.get": { method: "GET", path: "/v1/session", kind: "json" },
  "status.get": { method: "GET", path: "/v1/status", kind: "json" },
  "stream.all": { method: "GET", path: "/v1/stream", kind: "sse" },
  "tasks.submit": { method: "POST", path: "/v1/tasks", kind: "json" },
  "tools.list": { method: "GET", path: "/v1/tools", kind: "json" },
  "workflows.check": { method: "POST", path: "/v1/workflows/check", kind: "json" },
};
