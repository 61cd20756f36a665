/** Made by scripts/generate-client.ts from the server's OpenAPI document; do not edit. */

export type ApiKey = {
  readonly id: string;
  readonly principal: string;
  readonly tenant: string;
  readonly role: "viewer" | "operator" | "approver" | "admin";
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
};

export type Approval = {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly status: "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved";
  readonly runId: string;
  /** The runs around it, the outermost first: steps that run a workflow and wait for it */
  readonly runPath: readonly { readonly runId: string; readonly workflow: string; readonly step: string }[];
  readonly workflow: string;
  readonly step: string;
  readonly action: string | null;
  readonly resource: string | null;
  readonly summary: string;
  readonly message: string | null;
  readonly args: unknown;
  readonly argsDigest: string;
  readonly labels: readonly string[];
  readonly risk: "low" | "medium" | "high";
  readonly reason: string;
  readonly matched: readonly {
    readonly name: string;
    readonly effect: "allow" | "ask" | "deny";
    /** Line of policy.yaml */
    readonly line: number;
    readonly why: string;
  }[];
  readonly policyRevision: string;
  readonly requester: string;
  readonly by: readonly string[];
  /** People this question was handed to */
  readonly delegates: readonly string[];
  /** How many must agree */
  readonly quorum: number;
  /** How many have agreed */
  readonly votes: number;
  /** Who asked for the run may not agree */
  readonly fourEyes: boolean;
  readonly mayRemember: boolean;
  /** What the answer put in place of `args`; null when nothing */
  readonly editedArgs: unknown;
  /** ISO 8601, UTC */
  readonly requestedAt: string;
  readonly expiresAt: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly decisionReason: string | null;
  readonly answer: string | null;
};

export type ApprovalDetail = {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly status: "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved";
  readonly runId: string;
  /** The runs around it, the outermost first: steps that run a workflow and wait for it */
  readonly runPath: readonly { readonly runId: string; readonly workflow: string; readonly step: string }[];
  readonly workflow: string;
  readonly step: string;
  readonly action: string | null;
  readonly resource: string | null;
  readonly summary: string;
  readonly message: string | null;
  readonly args: unknown;
  readonly argsDigest: string;
  readonly labels: readonly string[];
  readonly risk: "low" | "medium" | "high";
  readonly reason: string;
  readonly matched: readonly {
    readonly name: string;
    readonly effect: "allow" | "ask" | "deny";
    /** Line of policy.yaml */
    readonly line: number;
    readonly why: string;
  }[];
  readonly policyRevision: string;
  readonly requester: string;
  readonly by: readonly string[];
  /** People this question was handed to */
  readonly delegates: readonly string[];
  /** How many must agree */
  readonly quorum: number;
  /** How many have agreed */
  readonly votes: number;
  /** Who asked for the run may not agree */
  readonly fourEyes: boolean;
  readonly mayRemember: boolean;
  /** What the answer put in place of `args`; null when nothing */
  readonly editedArgs: unknown;
  /** ISO 8601, UTC */
  readonly requestedAt: string;
  readonly expiresAt: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly decisionReason: string | null;
  readonly answer: string | null;
  readonly voters: readonly {
    readonly by: string;
    readonly countsFor: string;
    readonly reason: string | null;
    readonly at: string;
  }[];
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
  /** ISO 8601, UTC */
  readonly createdAt: string;
  /** ISO 8601, UTC */
  readonly modifiedAt: string;
  readonly modifiedBy: string;
  /** What the last change was */
  readonly modification: string;
};

export type BreakerReset = {
  readonly processes: readonly {
    /** As in /v1/workers */
    readonly id: string;
    readonly role: "all" | "gateway" | "worker";
    readonly host: string;
    readonly pid: number;
    /** Whose failures it forgot. Null when it did not answer in time; it does it when it can */
    readonly targets: readonly string[] | null;
  }[];
};

export type Delegation = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly createdAt: string;
  readonly until: string;
};

export type Erasure = {
  readonly id: string;
  /** ISO 8601, UTC */
  readonly erasedAt: string;
  readonly by: string;
  readonly reason: string | null;
};

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export type LedgerState = {
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
  readonly verifierKey: string;
  readonly pending: number;
  readonly witnessedTo: number | null;
  readonly lastCheckpointAt: string | null;
};

export type Limits = {
  readonly configured: readonly {
    readonly name: string;
    readonly kind: "rate" | "quota" | "bulkhead";
    readonly of: "tenant" | "user" | "agent" | "tool" | "target" | "all";
    readonly action: string;
    readonly count: number;
    /** A time in milliseconds, `day`, `month`, or `at once` */
    readonly per: string;
  }[];
  /** Those that are not full */
  readonly buckets: readonly {
    readonly key: string;
    readonly left: number;
    readonly count: number;
    readonly perMs: number;
    /** How many processes count it, each for itself: the figures are their sums. Null: all share one */
    readonly processes: number | null;
  }[];
  readonly quotas: readonly {
    readonly key: string;
    readonly used: number;
    readonly count: number;
    readonly endsAt: string;
  }[];
  readonly bulkheads: readonly {
    readonly key: string;
    readonly inUse: number;
    readonly atOnce: number;
    readonly waiting: number;
    /** How many may wait */
    readonly line: number;
    readonly refused: number;
    /** How many processes count it, each for itself: the figures are their sums. Null: all share one */
    readonly processes: number | null;
  }[];
  /** What was held back since the processes started, the latest first */
  readonly refusals: readonly {
    readonly kind: "rate" | "quota" | "bulkhead";
    readonly limit: string;
    readonly count: number;
    readonly lastAt: string;
  }[];
  /** Of several processes the worst state, the most failures and the latest end */
  readonly breakers: readonly {
    readonly target: string;
    readonly state: "counting" | "open" | "probing";
    readonly failures: number;
    readonly openUntil: string | null;
    /** How many processes count it, each for itself: the figures are their sums. Null: all share one */
    readonly processes: number | null;
  }[];
  /** The answering process first */
  readonly processes: readonly {
    /** As in /v1/workers */
    readonly id: string;
    readonly role: "all" | "gateway" | "worker";
    readonly host: string;
    readonly pid: number;
    /** What a `silent` one told is old and in no total */
    readonly state: "running" | "stopping" | "silent";
    readonly isAnswering: boolean;
    /** Null before it told anything */
    readonly reportedAt: string | null;
    /** What it knows besides and did not tell, because it is too much */
    readonly leftOut: number;
    readonly buckets: readonly {
      readonly key: string;
      readonly left: number;
      readonly count: number;
      readonly perMs: number;
    }[];
    readonly bulkheads: readonly {
      readonly key: string;
      readonly inUse: number;
      readonly atOnce: number;
      readonly waiting: number;
      /** How many may wait */
      readonly line: number;
      readonly refused: number;
    }[];
    readonly refusals: readonly {
      readonly kind: "rate" | "quota" | "bulkhead";
      readonly limit: string;
      readonly count: number;
      readonly lastAt: string;
    }[];
    readonly breakers: readonly {
      readonly target: string;
      readonly state: "counting" | "open" | "probing";
      readonly failures: number;
      readonly openUntil: string | null;
    }[];
  }[];
};

export type Policy = {
  readonly revision: string;
  readonly path: string;
  /** Of policy.yaml */
  readonly text: string;
  /** policy.yaml first, then those of policy.d */
  readonly files: readonly PolicyText[];
  readonly rules: readonly {
    readonly name: string;
    readonly description: string | null;
    readonly effect: "allow" | "ask" | "deny";
    readonly line: number;
    readonly file: string | null;
    readonly section: string | null;
    readonly actions: readonly string[];
    readonly resources: readonly string[];
    readonly risk: "low" | "medium" | "high";
  }[];
  readonly findings: readonly PolicyFinding[];
};

export type PolicyDecision = {
  readonly effect: "allow" | "ask" | "deny";
  readonly risk: "low" | "medium" | "high";
  readonly reason: string;
  readonly revision: string;
  readonly matched: readonly {
    readonly name: string;
    readonly effect: "allow" | "ask" | "deny";
    readonly line: number;
    readonly file?: string | undefined;
    readonly why: string;
  }[];
  /** What the action must keep to, in words; empty when nothing */
  readonly demands: string;
  readonly score: number | null;
  /** What the score is made of, largest first */
  readonly factors: readonly { readonly name: string; readonly points: number; readonly why: string }[];
};

export type PolicyFinding = {
  readonly severity: "error" | "warning";
  readonly file?: string | undefined;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
};

export type PolicyShadow = {
  readonly shadow: {
    readonly revision: string;
    readonly by: string;
    readonly setAt: string;
    readonly rules: number;
    /** Decisions both policies agreed on */
    readonly same: number;
    readonly changes: readonly {
      readonly from: "allow" | "ask" | "deny";
      readonly to: "allow" | "ask" | "deny";
      readonly count: number;
      readonly samples: readonly {
        readonly at: string;
        readonly action: string;
        readonly resource: string;
        readonly agent: string;
        readonly from: "allow" | "ask" | "deny";
        readonly to: "allow" | "ask" | "deny";
        readonly reason: string;
      }[];
    }[];
  } | null;
};

export type PolicyText = { readonly name: string; readonly text: string };

export type PolicyVersion = {
  readonly number: number;
  readonly revision: string;
  readonly rules: number;
  /** Null: the files were changed */
  readonly by: string | null;
  readonly note: string | null;
  readonly at: string;
  readonly isActive: boolean;
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

export type QueueLevels = {
  readonly lanes: readonly {
    readonly priority: "high" | "normal" | "low";
    /** Could be taken now, were there a free worker and no limit */
    readonly due: number;
    /** Have a time that is still to come: a retry, a timer, a delay */
    readonly later: number;
    /** A worker has them */
    readonly held: number;
    /** Since when the longest due one has been due */
    readonly oldestDueAt: string | null;
  }[];
  readonly limits: readonly {
    readonly scope: "tenant" | "workflow";
    readonly name: string;
    /** How many may be held at once */
    readonly concurrency: number | null;
    /** How many may begin within a time */
    readonly rate: { readonly count: number; readonly perMs: number } | null;
    readonly held: number;
    /** How many began within the rate's time */
    readonly begun: number | null;
    readonly due: number;
    /** Nothing more of it is taken at the moment */
    readonly isFull: boolean;
  }[];
  readonly agingMinutes: number;
};

export type Readiness = {
  readonly status: "ok" | "degraded" | "failed";
  readonly checks: readonly { readonly name: string; readonly kind: "ok" | "degraded" | "failed" }[];
};

export type RegisteredWorkflow = {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly description: string | null;
  readonly addedBy: string;
  /** ISO 8601, UTC */
  readonly addedAt: string;
  readonly triggers: readonly {
    readonly kind: "cron" | "interval" | "webhook";
    readonly name: string;
    /** The cron expression with its time zone, the interval, or the address */
    readonly detail: string;
  }[];
};

export type RunEvent = {
  readonly seq: number;
  readonly kind: string;
  /** ISO 8601, UTC */
  readonly at: string;
  readonly step: string | null;
  /** Redacted */
  readonly body: { readonly [key: string]: unknown };
  readonly digest: string;
};

export type RunSummary = {
  readonly id: string;
  readonly workflow: { readonly name: string; readonly digest: string };
  readonly state:
    "PENDING" | "QUEUED" | "RUNNING" | "RETRYING" | "WAITING" | "COMPLETED" | "FAILED" | "CANCELLED" | "DEAD";
  readonly waitingFor: {
    readonly kind: "approval" | "outcome" | "signal" | "child" | "timer" | "retry" | "pause";
    /** The approval or child run that is waited for */
    readonly id?: string | undefined;
    /** The signal that is waited for */
    readonly name?: string | undefined;
    /** How many other things are waited for at the same time */
    readonly more?: number | undefined;
    readonly until?: string | null | undefined;
    /** Why the run is held back, when a guard does so */
    readonly reason?: string | undefined;
  } | null;
  readonly priority: "high" | "normal" | "low";
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly requester: string;
  readonly labels: readonly string[];
  /** ISO 8601, UTC */
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
  /** What the run last said of how far it is */
  readonly progress: {
    readonly percent: number | null;
    readonly text: string;
    /** ISO 8601, UTC */
    readonly at: string;
  } | null;
  /** Why the server could not work on the run, and when it tries again; nothing of the run itself failed */
  readonly fault: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    /** ISO 8601, UTC */
    readonly at: string;
    readonly nextTryAt: string | null;
  } | null;
};

export type Schedule = {
  readonly id: string;
  readonly name: string;
  readonly cron: string | null;
  readonly timezone: string | null;
  readonly every: string | null;
  /** `trigger`: it stands in the file of a registered workflow */
  readonly source: "text" | "registered" | "trigger";
  readonly workflowName: string;
  readonly inputs: { readonly [key: string]: unknown };
  readonly priority: "high" | "normal" | "low";
  readonly labels: readonly string[];
  readonly missed: "skip" | "once" | "all";
  readonly missedCap: number;
  readonly overlap: "allow" | "skip" | "queue";
  readonly paused: boolean;
  /** On whose behalf it runs */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly nextAt: string | null;
  /** A time that waits for the end of the run before */
  readonly waitingAt: string | null;
  readonly lastAt: string | null;
  readonly lastRunId: string | null;
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null;
  /** Times that were passed over */
  readonly passed: number;
};

export type Secret = {
  readonly name: string;
  readonly handle: string;
  readonly version: number;
  readonly source: "store" | "vault" | "environment" | "file";
  readonly uses: readonly { readonly action: string; readonly resource: string }[];
  readonly description: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
};

export type SessionState = {
  readonly principal: string;
  readonly role: "none" | "viewer" | "operator" | "approver" | "admin";
};

export type StandingApproval = {
  readonly id: string;
  readonly action: string;
  readonly resource: string;
  readonly match: "exact" | "resource";
  readonly scope: "run" | "workflow" | "tenant";
  readonly scopeId: string;
  readonly approvalId: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Why it does not count any more, such as a key of its giver that has ended; null: it counts */
  readonly voidBecause: string | null;
};

export type StepView = {
  readonly path: string;
  readonly id: string;
  readonly kind:
    "tool" | "branch" | "for_each" | "parallel" | "group" | "workflow" | "approval" | "wait" | "set";
  /** Whether it is one of the workflow's steps or belongs to a handler of one */
  readonly role: "step" | "catch" | "finally" | "compensate";
  /** Name of the branch of a `parallel` step it begins */
  readonly branch: string | null;
  /** The run that a `workflow` step waits for or has run */
  readonly childRunId: string | null;
  /** It failed, and the workflow has dealt with that */
  readonly caught: boolean;
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
    readonly step?: string | undefined;
  } | null;
  /** Why a rate or the circuit breaker holds the step back */
  readonly held: {
    readonly reason: string;
    /** ISO 8601, UTC */
    readonly until: string;
  } | null;
  /** The event of another run whose outcome this is: it was not done again */
  readonly carried: { readonly run: string; readonly seq: number } | null;
  /** The signal that a `wait` step waits for */
  readonly signal: {
    readonly name: string;
    /** Roles that may send it; null: all that may run tasks */
    readonly by: readonly string[] | null;
    /** The members its data must have; null: any JSON */
    readonly payload:
      | readonly {
          readonly name: string;
          readonly type: "string" | "number" | "integer" | "boolean" | "list" | "object";
          readonly description: string | null;
          readonly isNeeded: boolean;
        }[]
      | null;
  } | null;
  readonly decision: {
    readonly effect: "allow" | "ask" | "deny";
    readonly risk: "low" | "medium" | "high";
    readonly reason: string;
    readonly revision: string;
    readonly matched: readonly {
      readonly name: string;
      readonly effect: "allow" | "ask" | "deny";
      /** Line of policy.yaml */
      readonly line: number;
      readonly why: string;
    }[];
    /** The action's risk and what it is made of */
    readonly score?:
      | {
          /** 0 to 100 */
          readonly value: number;
          readonly factors: readonly {
            readonly name: string;
            readonly points: number;
            readonly why: string;
          }[];
          /** The policy's threshold that it reaches, from which on a person is asked */
          readonly askedFrom?: number | null | undefined;
        }
      | undefined;
    /** Where each argument came from */
    readonly origins?:
      | readonly {
          readonly path: string;
          /** What the argument is for: recipient, payee, host ... */
          readonly role: string;
          readonly from: "trusted" | "mixed" | "untrusted-only" | "invented";
          readonly how: string;
          readonly labels: readonly string[];
          readonly sources: readonly string[];
          /** 0 to 100: how much the passage reads as an instruction */
          readonly instructed: number;
          readonly isDelegated: boolean;
        }[]
      | undefined;
    /** Untrusted passages that were taken out of the arguments, or quoted in them, before this was decided */
    readonly transformed?:
      | {
          readonly rules: readonly string[];
          readonly changes: readonly {
            readonly path: string;
            readonly handling: "strip" | "quote";
            /** SHA-256 of the text as it was */
            readonly digest: string;
            readonly passages: readonly {
              /** Character in the text as it was */
              readonly at: number;
              readonly length: number;
              /** 0 to 100: how much it reads as an instruction */
              readonly score: number;
              readonly reasons: readonly string[];
            }[];
          }[];
        }
      | undefined;
  } | null;
  readonly approvalId: string | null;
};

/** What runs below what, and how it is */
export type SupervisionTree = {
  readonly name: string;
  readonly kind: "supervisor" | "part" | "actor" | "run";
  readonly state: "starting" | "running" | "restarting" | "failed" | "stopped";
  readonly health: { readonly kind: "ok" | "degraded" | "failed"; readonly detail?: string | undefined };
  readonly restarts: number;
  readonly lastError: string | null;
  readonly uptimeMs: number | null;
  readonly strategy: "one-for-one" | "all-for-one" | "rest-for-one" | null;
  readonly mailbox: {
    readonly length: number;
    readonly capacity: number;
    readonly overflow: "reject" | "drop-oldest" | "drop-newest";
    readonly accepted: number;
    readonly dropped: number;
    readonly rejected: number;
    readonly longest: number;
  } | null;
  readonly children: readonly SupervisionTree[];
};

export type VerifyReport = {
  readonly verdict: "intact" | "broken";
  /** The verdict in one line */
  readonly text: string;
  readonly size: number;
  readonly root: string;
  /** Facts that wait for the publisher */
  readonly pending: number;
  /** Bodies deleted on purpose; their digests still prove them */
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

export type Worker = {
  readonly id: string;
  readonly role: "all" | "gateway" | "worker";
  readonly state: "running" | "stopping" | "silent" | "gone";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly url: string;
  readonly languages: readonly string[];
  readonly roots: readonly string[];
  readonly isolation: string;
  readonly concurrency: number;
  readonly active: number;
  readonly policyRevision: string;
  readonly startedAt: string;
  readonly seenAt: string;
};

export type WorkflowGraph = {
  readonly name: string;
  readonly nodes: readonly {
    /** Path in the file; `start` and `end` are the run's own */
    readonly id: string;
    readonly kind: string;
    readonly label: string;
    readonly detail: string | null;
    /** Null for a workflow that does not run */
    readonly state: string | null;
    /** How often a step inside a loop ran, when more than once */
    readonly times: number | null;
    /** Of the upper left corner, in pixels */
    readonly x: number;
    readonly y: number;
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly label: string | null;
    readonly kind: "next" | "error";
    /** Corners of its line: x and y of each */
    readonly points: readonly (readonly number[])[];
  }[];
  readonly boxes: readonly {
    readonly id: string;
    readonly label: string;
    readonly nodes: readonly string[];
  }[];
  /** Of the picture and of each node, in pixels */
  readonly size: {
    readonly width: number;
    readonly height: number;
    readonly nodeWidth: number;
    readonly nodeHeight: number;
  };
  readonly mermaid: string;
  readonly svg: string;
};

/** Every operation's input and answer, by operationId. */
export interface Operations {
  /** Answer the question behind a link, as the person it was made for */
  "approvalLinks.answer": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly token: string;
      readonly answer: "approve" | "reject";
      readonly reason?: string | undefined;
    };
    readonly answer: Approval;
  };
  /** The question behind a link; decides nothing and does not use the link up */
  "approvalLinks.open": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly token: string };
    readonly answer: { readonly principal: string; readonly approval: Approval };
  };
  /** A link for mail or chat with which one person can answer this question once */
  "approvals.createLink": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly for: string; readonly expires?: string | undefined };
    readonly answer: {
      readonly url: string;
      readonly for: string;
      readonly expiresAt: string;
      /** Whoever it is for must sign in; else the link alone is enough */
      readonly needsSession: boolean;
    };
  };
  /** Answer an approval */
  "approvals.decide": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: {
      readonly answer: "approve" | "reject" | "happened" | "did-not-happen" | "abandon";
      readonly reason?: string | undefined;
      /** For `happened`: what the action gave back */
      readonly result?: JsonValue | undefined;
      /** With `approve`: the arguments to use instead; policy judges them anew */
      readonly edit?: { readonly [key: string]: JsonValue } | undefined;
      /** With `approve`: the same again need not be asked */
      readonly remember?:
        | {
            /** For the rest of this run, runs of this workflow, or everybody */
            readonly scope: "run" | "workflow" | "tenant";
            /** The same arguments, or the same resource */
            readonly match?: "exact" | "resource" | undefined;
            /** How long, for example `8h` */
            readonly for: string;
          }
        | undefined;
    };
    readonly answer: Approval;
  };
  /** Let somebody else answer this question too */
  "approvals.delegate": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly to: string };
    readonly answer: Approval;
  };
  /** One approval, with the exact arguments and who has agreed */
  "approvals.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: ApprovalDetail;
  };
  /** What waits for a person, oldest first */
  "approvals.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
      readonly status?:
        "waiting" | "approved" | "rejected" | "expired" | "cancelled" | "resolved" | "all" | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly Approval[]; readonly nextCursor: string | null };
  };
  /** The bytes of an artifact */
  "artifacts.content": {
    readonly kind: "bytes";
    readonly params: { readonly id: string };
    readonly query: {
      /** Show instead of download */
      readonly inline?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  /** One artifact */
  "artifacts.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Artifact;
  };
  /** Artifacts, newest first */
  "artifacts.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
      /** Only those of this run */
      readonly run?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly Artifact[]; readonly nextCursor: string | null };
  };
  /** The effective configuration, with where each value comes from; secrets are masked */
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
  /** Give dead letters up */
  "deadLetters.discard": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly ids?: readonly string[] | undefined;
      readonly all?: boolean | undefined;
      readonly workflow?: string | undefined;
      /** Code of the error it died of */
      readonly code?: string | undefined;
      /** It died at or after this time */
      readonly since?: string | undefined;
      /** It died before this time */
      readonly until?: string | undefined;
      readonly limit?: number | undefined;
      readonly reason?: string | undefined;
      readonly dryRun?: boolean | undefined;
    };
    readonly answer: {
      readonly results: readonly {
        readonly id: string;
        readonly ok: boolean;
        readonly error: { readonly code: string; readonly message: string } | null;
      }[];
      readonly done: number;
      readonly failed: number;
      /** More fit than the limit lets through: ask again */
      readonly hasMore: boolean;
    };
  };
  /** One dead letter with what led to its end */
  "deadLetters.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly run: RunSummary;
      readonly history: readonly {
        readonly seq: number;
        readonly at: string;
        readonly kind: string;
        readonly step: string | null;
        readonly attempt: number | null;
        readonly error: {
          readonly code: string;
          readonly message: string;
          readonly hint?: string | undefined;
        } | null;
      }[];
    };
  };
  /** Dead letters, the last to die first */
  "deadLetters.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
      readonly workflow?: string | number | boolean | undefined;
      /** Code of the error it died of */
      readonly code?: string | number | boolean | undefined;
      /** It died at or after this time */
      readonly since?: string | number | boolean | undefined;
      /** It died before this time */
      readonly until?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly RunSummary[];
      readonly nextCursor: string | null;
      /** All that fit the filter (the latest 10,000), by workflow and error; only on the first page */
      readonly groups: readonly {
        readonly workflow: string;
        readonly code: string;
        readonly count: number;
      }[];
    };
  };
  /** Try dead letters again */
  "deadLetters.retry": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly ids?: readonly string[] | undefined;
      readonly all?: boolean | undefined;
      readonly workflow?: string | undefined;
      /** Code of the error it died of */
      readonly code?: string | undefined;
      /** It died at or after this time */
      readonly since?: string | undefined;
      /** It died before this time */
      readonly until?: string | undefined;
      readonly limit?: number | undefined;
      readonly reason?: string | undefined;
      readonly dryRun?: boolean | undefined;
    };
    readonly answer: {
      readonly results: readonly {
        readonly id: string;
        readonly ok: boolean;
        readonly error: { readonly code: string; readonly message: string } | null;
      }[];
      readonly done: number;
      readonly failed: number;
      /** More fit than the limit lets through: ask again */
      readonly hasMore: boolean;
    };
  };
  /** Let somebody answer for you until a time */
  "delegations.create": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly to: string; readonly until: string };
    readonly answer: Delegation;
  };
  /** Who may answer for whom now */
  "delegations.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly data: readonly Delegation[] };
  };
  /** End a delegation of yours; an admin ends anybody's */
  "delegations.revoke": {
    readonly kind: "none";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** Examples to start from */
  "examples.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly {
        readonly name: string;
        readonly description: string | null;
        readonly inputs: readonly {
          readonly name: string;
          readonly type: "string" | "number" | "integer" | "boolean" | "list" | "object";
          readonly description: string | null;
          readonly default: unknown;
          readonly enum?: readonly unknown[] | undefined;
          readonly min?: number | undefined;
          readonly max?: number | undefined;
        }[];
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
  /** Start a run by webhook */
  "hooks.call": {
    readonly kind: "json";
    readonly params: { readonly name: string };
    readonly query: undefined;
    readonly body: { readonly [key: string]: JsonValue } | readonly JsonValue[];
    readonly answer: { readonly runId: string };
  };
  /** Make a key for somebody; it is shown in this answer alone */
  "keys.create": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      /** The name under which policy and approvals know them */
      readonly principal: string;
      readonly role: "viewer" | "operator" | "approver" | "admin";
      readonly expiresAt?: string | undefined;
      /** Absent: the caller's. Another one, which begins with its first key, is for admins of the tenant that runs the server (`default`). */
      readonly tenant?: string | undefined;
    };
    readonly answer: {
      readonly id: string;
      readonly principal: string;
      readonly tenant: string;
      readonly role: "viewer" | "operator" | "approver" | "admin";
      readonly createdBy: string;
      readonly createdAt: string;
      readonly expiresAt: string | null;
      readonly key: string;
    };
  };
  /** Who has a key, and in which role */
  "keys.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** Absent: the caller's. Another one, or `*` for all of them, is for admins of the tenant that runs the server (`default`). */
      readonly tenant?: string | "*" | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly ApiKey[] };
  };
  /** End a key and every session opened with it */
  "keys.revoke": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly id: string;
      readonly principal: string;
      readonly tenant: string;
      readonly role: "viewer" | "operator" | "approver" | "admin";
      readonly createdBy: string;
      readonly createdAt: string;
      readonly expiresAt: string | null;
      /** Null: the key has ended, and they could not be counted */
      readonly rememberedAnswersVoid: number | null;
      /** What was handed out with the key and ended with it; null: it could not be counted */
      readonly rightsVoid: {
        /** From its holder to others */
        readonly delegations: number;
        /** Of open questions, by its holder and from there */
        readonly handOns: number;
        /** To open questions, unused, by its holder or for them */
        readonly links: number;
      } | null;
    };
  };
  /** The checkpoint as a C2SP signed note */
  "ledger.checkpoint": {
    readonly kind: "text";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: string;
  };
  /** Proof that an older tree is a prefix of a newer one (RFC 6962) */
  "ledger.consistencyProof": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: { readonly from: number; readonly to?: number | undefined };
    readonly body: undefined;
    readonly answer: { readonly from: number; readonly to: number; readonly hashes: readonly string[] };
  };
  /** Entries by index, oldest first; of one's own tenant alone, unless it is the one that runs the server */
  "ledger.entries": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      readonly from?: number | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | number | boolean | undefined;
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
  /** Size, root and signed checkpoint of the ledger */
  "ledger.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: LedgerState;
  };
  /** Proof that an entry is in the tree (RFC 6962) */
  "ledger.inclusionProof": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: { readonly index: number; readonly size?: number | undefined };
    readonly body: undefined;
    readonly answer: { readonly index: number; readonly size: number; readonly hashes: readonly string[] };
  };
  /** A tile of the Merkle tree in C2SP tlog-tiles layout */
  "ledger.tile": {
    readonly kind: "bytes";
    readonly params: { readonly path: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  /** Verify the whole ledger against journals and artifacts, or one run */
  "ledger.verify": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly run?: string | undefined };
    readonly answer: VerifyReport;
  };
  /** Rates, quotas, places and circuit breakers: what is configured and how far it is used */
  "limits.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Limits;
  };
  /** Forget failures, so that calls go again: of one target or all, in one process or all */
  "limits.resetBreakers": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      /** All targets without */
      readonly target?: string | undefined;
      /** Id of one process; all of them without */
      readonly process?: string | undefined;
    };
    readonly answer: BreakerReset;
  };
  /** Put another policy in force */
  "policy.activate": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
      /** The revision the change was made on; If-Match says the same */
      readonly expected?: string | undefined;
      /** Why, for those who look at the versions later */
      readonly note?: string | undefined;
    };
    readonly answer: Policy;
  };
  /** Check a candidate policy without activating it */
  "policy.check": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
    };
    readonly answer: {
      readonly ok: boolean;
      readonly revision: string | null;
      readonly findings: readonly PolicyFinding[];
    };
  };
  /** Take the shadow policy away, with its counts */
  "policy.clearShadow": {
    readonly kind: "none";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** What differs between two policies, by rules and by example */
  "policy.diff": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly from?:
        | {
            readonly text?: string | undefined;
            readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
            readonly version?: number | undefined;
          }
        | undefined;
      readonly to?:
        | {
            readonly text?: string | undefined;
            readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
            readonly version?: number | undefined;
          }
        | undefined;
    };
    readonly answer: {
      readonly added: readonly { readonly name: string; readonly line: number; readonly effect: string }[];
      readonly removed: readonly { readonly name: string; readonly line: number; readonly effect: string }[];
      readonly changed: readonly {
        readonly name: string;
        readonly line: number;
        readonly parts: readonly { readonly part: string; readonly before: string; readonly after: string }[];
      }[];
      readonly settings: readonly {
        readonly part: string;
        readonly before: string;
        readonly after: string;
      }[];
      readonly examples: readonly {
        readonly request: {
          readonly action: string;
          readonly resource: string;
          readonly args: { readonly [key: string]: unknown };
          readonly labels: readonly string[];
          readonly agent: string;
          readonly role: string;
          readonly tenant: string;
        };
        readonly from: "allow" | "ask" | "deny";
        readonly to: "allow" | "ask" | "deny";
        readonly before: string;
        readonly after: string;
      }[];
    };
  };
  /** Decide recorded actions again under a candidate policy */
  "policy.dryRun": {
    readonly kind: "sse";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
      readonly version?: number | undefined;
      /** A duration before now, or an ISO 8601 time */
      readonly since?: string | undefined;
      /** Compare with what was decided then, or with what the policy in force says now */
      readonly against?: "recorded" | "active" | undefined;
      readonly examples?: number | undefined;
    };
    readonly answer: never;
  };
  /** Decide a made-up action and say why; nothing is done */
  "policy.explain": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly action: string;
      readonly resource: string;
      readonly args?: { readonly [key: string]: unknown } | undefined;
      readonly labels?:
        readonly ("user" | "operator" | "agent" | "web" | "mail" | "file" | "tool" | "mcp")[] | undefined;
      readonly agent?: string | undefined;
      readonly role?: string | undefined;
      readonly tenant?: string | undefined;
      readonly user?: string | undefined;
      /** When; now without it */
      readonly at?: string | undefined;
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
    };
    readonly answer: {
      readonly decision: PolicyDecision;
      readonly nearMisses: readonly {
        readonly name: string;
        readonly effect: "allow" | "ask" | "deny";
        readonly line: number;
        readonly file?: string | undefined;
        readonly missed: readonly string[];
      }[];
    };
  };
  /** The policy in force, its rules and what its files' check found */
  "policy.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Policy;
  };
  /** What an agent would be shown of a text, and which passages read as instructions */
  "policy.reading": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text: string;
      /** Where the text comes from */
      readonly label: "user" | "operator" | "agent" | "web" | "mail" | "file" | "tool" | "mcp";
      /** The task the agent is at, in the user's words */
      readonly task?: string | undefined;
    };
    readonly answer: {
      readonly shown: string;
      readonly isChanged: boolean;
      /** The policy's `untrusted.from`; null: all is shown as it is */
      readonly from: number | null;
      readonly passages: readonly {
        readonly start: number;
        readonly end: number;
        readonly score: number;
        readonly reasons: readonly string[];
      }[];
    };
  };
  /** Put an earlier version in force again */
  "policy.rollback": {
    readonly kind: "json";
    readonly params: { readonly number: number };
    readonly query: undefined;
    readonly body: {
      /** The revision the change was made on; If-Match says the same */
      readonly expected?: string | undefined;
      /** Why, for those who look at the versions later */
      readonly note?: string | undefined;
    };
    readonly answer: Policy;
  };
  /** The JSON schema of policy files, for editors */
  "policy.schema": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly [key: string]: unknown };
  };
  /** Run a candidate beside the policy in force; it decides nothing */
  "policy.setShadow": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
      readonly version?: number | undefined;
    };
    readonly answer: PolicyShadow;
  };
  /** The shadow policy and where it would decide otherwise */
  "policy.shadow": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: PolicyShadow;
  };
  /** Run a table of cases against a policy */
  "policy.test": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly text?: string | undefined;
      readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined;
      readonly cases: string;
    };
    readonly answer: {
      readonly passed: number;
      readonly failed: number;
      readonly cases: readonly {
        readonly name: string;
        readonly line: number;
        readonly ok: boolean;
        readonly effect: "allow" | "ask" | "deny";
        readonly problems: readonly string[];
      }[];
      readonly coverage: {
        readonly rules: number;
        readonly hit: number;
        readonly percent: number;
        readonly missed: readonly { readonly name: string; readonly line: number }[];
      };
    };
  };
  /** The files of one version */
  "policy.version": {
    readonly kind: "json";
    readonly params: { readonly number: number };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly number: number; readonly files: readonly PolicyText[] };
  };
  /** What was in force, newest first, with who activated it */
  "policy.versions": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly PolicyVersion[]; readonly nextCursor: string | null };
  };
  /** How full the queue is: its lanes, and the limits that hold runs back */
  "queue.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: QueueLevels;
  };
  /** One command for many runs, each with a result of its own */
  "runs.bulk": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      readonly action: "cancel" | "retry" | "rerun" | "pause" | "resume" | "discard";
      readonly ids?: readonly string[] | undefined;
      readonly filter?:
        | {
            readonly states?:
              | readonly (
                  | "PENDING"
                  | "QUEUED"
                  | "RUNNING"
                  | "RETRYING"
                  | "WAITING"
                  | "COMPLETED"
                  | "FAILED"
                  | "CANCELLED"
                  | "DEAD"
                )[]
              | undefined;
            readonly workflow?: string | undefined;
            readonly label?: string | undefined;
            readonly createdBefore?: string | undefined;
          }
        | undefined;
      readonly reason?: string | undefined;
      /** 100 by default */
      readonly limit?: number | undefined;
      /** With a `filter`: `nextCursor` of the answer before, to go on with older runs */
      readonly cursor?: string | undefined;
      /** For `rerun`: effects that cannot be taken back may be repeated */
      readonly confirm?: boolean | undefined;
      readonly dryRun?: boolean | undefined;
    };
    readonly answer: {
      readonly results: readonly {
        readonly id: string;
        readonly ok: boolean;
        readonly newRunId: string | null;
        readonly error: { readonly code: string; readonly message: string } | null;
      }[];
      readonly done: number;
      readonly failed: number;
      /** More runs match than the limit lets through */
      readonly hasMore: boolean;
      /** Goes on with the older ones; for `rerun`, asking again without it would take the same */
      readonly nextCursor: string | null;
      readonly dryRun: boolean;
    };
  };
  /** End the run; a tool that is acting is stopped */
  "runs.cancel": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined };
    readonly answer: RunSummary;
  };
  /** What two runs did differently */
  "runs.diff": {
    readonly kind: "json";
    readonly params: { readonly a: string; readonly b: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly runs: { readonly a: RunSummary; readonly b: RunSummary };
      readonly workflow: readonly {
        readonly kind: "removed" | "added";
        readonly line: number;
        readonly text: string;
      }[];
      readonly inputs: readonly {
        readonly path: string;
        /** Left out where this side has nothing */
        readonly a: unknown;
        readonly b: unknown;
      }[];
      readonly pins: readonly {
        readonly path: string;
        /** Left out where this side has nothing */
        readonly a: unknown;
        readonly b: unknown;
      }[];
      readonly outcome: readonly {
        readonly path: string;
        /** Left out where this side has nothing */
        readonly a: unknown;
        readonly b: unknown;
      }[];
      /** Steps that differ, at most 1000 */
      readonly steps: readonly {
        readonly path: string;
        readonly change: "only-a" | "only-b" | "changed";
        readonly differences: readonly {
          readonly path: string;
          /** Left out where this side has nothing */
          readonly a: unknown;
          readonly b: unknown;
        }[];
        readonly durationMs: { readonly a: number | null; readonly b: number | null };
      }[];
      readonly stepsDiffer: number;
      readonly stepsSame: number;
      /** By SHA-256; null: that run has none of this path */
      readonly artifacts: readonly {
        readonly path: string;
        readonly a: string | null;
        readonly b: string | null;
      }[];
    };
  };
  /** Give a dead letter up */
  "runs.discard": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined };
    readonly answer: RunSummary;
  };
  /** Erase a run that is over */
  "runs.erase": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: {
      /** Why, for the record */
      readonly reason?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: Erasure;
  };
  /** A run's journal, oldest first */
  "runs.events": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: {
      /** Only events with a higher seq */
      readonly after?: number | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly RunEvent[]; readonly nextCursor: string | null };
  };
  /** Go on from any event of a run in a new run; the source goes on too */
  "runs.fork": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: {
      /** The last event that counts; the newest by default */
      readonly seq?: number | undefined;
      /** Inputs that replace those of the source */
      readonly inputs?: { readonly [key: string]: JsonValue } | undefined;
      /** By step path: arguments that replace those the workflow gives */
      readonly stepArguments?: { readonly [key: string]: { readonly [key: string]: JsonValue } } | undefined;
      /** Effects that cannot be taken back may be repeated */
      readonly confirm?: boolean | undefined;
      /** Only say what would be carried over and repeated */
      readonly dryRun?: boolean | undefined;
    };
    readonly answer: {
      /** Null for a dry run */
      readonly run: RunSummary | null;
      readonly origin: { readonly run: string; readonly seq: number };
      /** Paths of steps that keep their outcome, at most 200 */
      readonly carried: readonly string[];
      readonly carriedCount: number;
      /** What the source has begun and the new run does again, under new keys; at most 200 */
      readonly repeats: readonly {
        readonly step: string;
        readonly tool: string;
        readonly effect: "pure" | "idempotent" | "checkable" | "unsafe";
        readonly resource: string;
        readonly summary: string;
        readonly outcome: "completed" | "failed" | "unknown";
      }[];
      readonly repeatsCount: number;
    };
  };
  /** One run with its steps, approvals and artifacts */
  "runs.get": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly id: string;
      readonly workflow: { readonly name: string; readonly digest: string };
      readonly state:
        | "PENDING"
        | "QUEUED"
        | "RUNNING"
        | "RETRYING"
        | "WAITING"
        | "COMPLETED"
        | "FAILED"
        | "CANCELLED"
        | "DEAD";
      readonly waitingFor: {
        readonly kind: "approval" | "outcome" | "signal" | "child" | "timer" | "retry" | "pause";
        /** The approval or child run that is waited for */
        readonly id?: string | undefined;
        /** The signal that is waited for */
        readonly name?: string | undefined;
        /** How many other things are waited for at the same time */
        readonly more?: number | undefined;
        readonly until?: string | null | undefined;
        /** Why the run is held back, when a guard does so */
        readonly reason?: string | undefined;
      } | null;
      readonly priority: "high" | "normal" | "low";
      readonly attempts: number;
      readonly maxAttempts: number;
      readonly requester: string;
      readonly labels: readonly string[];
      /** ISO 8601, UTC */
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
      /** What the run last said of how far it is */
      readonly progress: {
        readonly percent: number | null;
        readonly text: string;
        /** ISO 8601, UTC */
        readonly at: string;
      } | null;
      /** Why the server could not work on the run, and when it tries again; nothing of the run itself failed */
      readonly fault: {
        readonly code: string;
        readonly message: string;
        readonly hint: string;
        /** ISO 8601, UTC */
        readonly at: string;
        readonly nextTryAt: string | null;
      } | null;
      readonly inputs: { readonly [key: string]: unknown };
      readonly outputs: unknown;
      /** The first 1000; the others by /v1/runs/{id}/steps */
      readonly steps: readonly StepView[];
      /** How many steps there are to list */
      readonly stepsListed: number;
      readonly approvals: readonly Approval[];
      readonly artifacts: readonly Artifact[];
      readonly workflowText: string;
      /** The run it was made from, and the last event of that run which counts for it */
      readonly origin: { readonly kind: "rerun" | "fork"; readonly run: string; readonly seq: number } | null;
      /** What people said to it, oldest first, at most the last 100 */
      readonly messages: readonly { readonly at: string; readonly by: string; readonly text: string }[];
      /** The last time files in the run's folder had been changed from outside and were put right */
      readonly workspaceRestored: {
        /** ISO 8601, UTC */
        readonly at: string;
        readonly putBack: readonly string[];
        readonly removed: readonly string[];
        readonly count: number;
      } | null;
    };
  };
  /** A run as a graph, with the states of its steps */
  "runs.graph": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: WorkflowGraph;
  };
  /** Runs, newest first */
  "runs.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
      /** One or more of the run states, comma-separated */
      readonly state?: string | number | boolean | undefined;
      readonly workflow?: string | number | boolean | undefined;
      readonly label?: string | number | boolean | undefined;
      /** Only runs made from this one (re-run, fork) or by a step of it */
      readonly parent?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly RunSummary[]; readonly nextCursor: string | null };
  };
  /** Let the run rest after its current step */
  "runs.pause": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined };
    readonly answer: RunSummary;
  };
  /** Run it again, from a step if one is named, in a new run */
  "runs.rerun": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: {
      /** Path of the first step to be done again */
      readonly fromStep?: string | undefined;
      /** Inputs that replace those of the source */
      readonly inputs?: { readonly [key: string]: JsonValue } | undefined;
      /** By step path: arguments that replace those the workflow gives */
      readonly stepArguments?: { readonly [key: string]: { readonly [key: string]: JsonValue } } | undefined;
      /** Effects that cannot be taken back may be repeated */
      readonly confirm?: boolean | undefined;
      /** Only say what would be carried over and repeated */
      readonly dryRun?: boolean | undefined;
    };
    readonly answer: {
      /** Null for a dry run */
      readonly run: RunSummary | null;
      readonly origin: { readonly run: string; readonly seq: number };
      /** Paths of steps that keep their outcome, at most 200 */
      readonly carried: readonly string[];
      readonly carriedCount: number;
      /** What the source has begun and the new run does again, under new keys; at most 200 */
      readonly repeats: readonly {
        readonly step: string;
        readonly tool: string;
        readonly effect: "pure" | "idempotent" | "checkable" | "unsafe";
        readonly resource: string;
        readonly summary: string;
        readonly outcome: "completed" | "failed" | "unknown";
      }[];
      readonly repeatsCount: number;
    };
  };
  /** Let a paused run go on */
  "runs.resume": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined };
    readonly answer: RunSummary;
  };
  /** Try a dead letter again */
  "runs.retry": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly reason?: string | undefined };
    readonly answer: RunSummary;
  };
  /** Send a signal to a run */
  "runs.signal": {
    readonly kind: "json";
    readonly params: { readonly id: string; readonly name: string };
    readonly query: undefined;
    readonly body: { readonly data?: JsonValue | undefined };
    readonly answer: RunSummary;
  };
  /** Say something to a run that goes on; its workflow reads it as `run.messages` */
  "runs.steer": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: { readonly message: string };
    readonly answer: RunSummary;
  };
  /** A run's steps in the order of the workflow, loops unrolled */
  "runs.steps": {
    readonly kind: "json";
    readonly params: { readonly id: string };
    readonly query: {
      /** Only steps whose path begins so, for example `each/3/` */
      readonly prefix?: string | number | boolean | undefined;
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly StepView[]; readonly nextCursor: string | null };
  };
  /** A run's events as they happen */
  "runs.stream": {
    readonly kind: "sse";
    readonly params: { readonly id: string };
    readonly query: { readonly after?: number | undefined };
    readonly body: undefined;
    readonly answer: never;
  };
  /** Run a workflow at its times */
  "schedules.add": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      /** Unique in the tenant: small letters, digits, - and _ */
      readonly name: string;
      /** minute hour day month weekday; seconds in front are allowed; or a name such as @daily */
      readonly cron?: string | undefined;
      /** IANA name, for `cron`; UTC by default */
      readonly timezone?: string | undefined;
      /** Instead of `cron`: an interval such as 15m, counted from now */
      readonly every?: string | undefined;
      /** The workflow file's text (YAML) */
      readonly workflow?: string | undefined;
      /** Instead: a registered workflow, its newest version */
      readonly workflowName?: string | undefined;
      readonly inputs?: { readonly [key: string]: JsonValue } | undefined;
      readonly priority?: "high" | "normal" | "low" | undefined;
      readonly labels?: readonly string[] | undefined;
      /** Times that passed while no server ran: `skip`, run `once` (default) for all, or make up for `all` */
      readonly missed?: "skip" | "once" | "all" | undefined;
      /** With `all`: the most that are made up for; 24 by default */
      readonly missedCap?: number | undefined;
      /** While the run before goes on: `allow` another (default), `skip`, or `queue` one until it has ended */
      readonly overlap?: "allow" | "skip" | "queue" | undefined;
      readonly paused?: boolean | undefined;
    };
    readonly answer: Schedule;
  };
  /** Change a schedule */
  "schedules.change": {
    readonly kind: "json";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: {
      /** minute hour day month weekday; seconds in front are allowed; or a name such as @daily */
      readonly cron?: string | undefined;
      /** IANA name, for `cron`; UTC by default */
      readonly timezone?: string | undefined;
      /** Instead of `cron`: an interval such as 15m, counted from now */
      readonly every?: string | undefined;
      /** The workflow file's text (YAML) */
      readonly workflow?: string | undefined;
      /** Instead: a registered workflow, its newest version */
      readonly workflowName?: string | undefined;
      readonly inputs?: { readonly [key: string]: JsonValue } | undefined;
      readonly priority?: "high" | "normal" | "low" | undefined;
      readonly labels?: readonly string[] | undefined;
      /** Times that passed while no server ran: `skip`, run `once` (default) for all, or make up for `all` */
      readonly missed?: "skip" | "once" | "all" | undefined;
      /** With `all`: the most that are made up for; 24 by default */
      readonly missedCap?: number | undefined;
      /** While the run before goes on: `allow` another (default), `skip`, or `queue` one until it has ended */
      readonly overlap?: "allow" | "skip" | "queue" | undefined;
    };
    readonly answer: Schedule;
  };
  /** One schedule with its next five times */
  "schedules.get": {
    readonly kind: "json";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly id: string;
      readonly name: string;
      readonly cron: string | null;
      readonly timezone: string | null;
      readonly every: string | null;
      /** `trigger`: it stands in the file of a registered workflow */
      readonly source: "text" | "registered" | "trigger";
      readonly workflowName: string;
      readonly inputs: { readonly [key: string]: unknown };
      readonly priority: "high" | "normal" | "low";
      readonly labels: readonly string[];
      readonly missed: "skip" | "once" | "all";
      readonly missedCap: number;
      readonly overlap: "allow" | "skip" | "queue";
      readonly paused: boolean;
      /** On whose behalf it runs */
      readonly createdBy: string;
      readonly createdAt: string;
      readonly updatedAt: string;
      readonly nextAt: string | null;
      /** A time that waits for the end of the run before */
      readonly waitingAt: string | null;
      readonly lastAt: string | null;
      readonly lastRunId: string | null;
      readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null;
      /** Times that were passed over */
      readonly passed: number;
      readonly upcoming: readonly string[];
      readonly workflowText: string | null;
    };
  };
  /** Schedules, by name */
  "schedules.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: {
      /** How many items at most, 1 to 200 */
      readonly limit?: number | undefined;
      /** `nextCursor` of the page before */
      readonly cursor?: string | number | boolean | undefined;
    };
    readonly body: undefined;
    readonly answer: { readonly data: readonly Schedule[]; readonly nextCursor: string | null };
  };
  /** Let a schedule rest */
  "schedules.pause": {
    readonly kind: "json";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Schedule;
  };
  /** Delete a schedule; its runs stay */
  "schedules.remove": {
    readonly kind: "none";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** Let a paused schedule go on; times of the pause are not made up for */
  "schedules.resume": {
    readonly kind: "json";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: Schedule;
  };
  /** Run it now, beside its times */
  "schedules.trigger": {
    readonly kind: "json";
    readonly params: {
      /** Id or name; a / in it as %2F */
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: RunSummary;
  };
  /** Every secret by name, with what it may be used for; never a value */
  "secrets.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly data: readonly Secret[] };
  };
  /** Destroy every version of a secret */
  "secrets.remove": {
    readonly kind: "none";
    readonly params: { readonly name: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** Give a secret a new value for the same uses */
  "secrets.rotate": {
    readonly kind: "json";
    readonly params: { readonly name: string };
    readonly query: undefined;
    readonly body: {
      readonly value?: string | undefined;
      readonly reference?:
        | {
            readonly kind: "vault";
            readonly path: string;
            readonly field: string;
            readonly version?: number | undefined;
          }
        | { readonly kind: "environment"; readonly name: string }
        | { readonly kind: "file"; readonly name: string }
        | undefined;
      /** Destroy the version before at once, not at the next rotation */
      readonly retirePrevious?: boolean | undefined;
    };
    readonly answer: Secret;
  };
  /** Make a secret, or replace its value and what it may be used for */
  "secrets.set": {
    readonly kind: "json";
    readonly params: { readonly name: string };
    readonly query: undefined;
    readonly body: {
      readonly value?: string | undefined;
      readonly reference?:
        | {
            readonly kind: "vault";
            readonly path: string;
            readonly field: string;
            readonly version?: number | undefined;
          }
        | { readonly kind: "environment"; readonly name: string }
        | { readonly kind: "file"; readonly name: string }
        | undefined;
      readonly uses: readonly {
        /** A glob over action names, for example `http.*` */
        readonly action: string;
        /** A glob over resources, for example `https://api.example.org:443/**` */
        readonly resource: string;
      }[];
      readonly description?: string | undefined;
    };
    readonly answer: Secret;
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
  /** Answers that are remembered, newest first */
  "standingApprovals.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly data: readonly StandingApproval[] };
  };
  /** Ask again from now on */
  "standingApprovals.revoke": {
    readonly kind: "none";
    readonly params: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
  };
  /** How every part of the runtime is */
  "status.get": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: {
      readonly version: string;
      readonly startedAt: string;
      readonly uptimeMs: number;
      readonly home: string;
      readonly parts: readonly {
        readonly name: string;
        readonly health: {
          readonly kind: "ok" | "degraded" | "failed";
          readonly detail?: string | undefined;
        };
      }[];
      readonly tree: SupervisionTree;
      readonly sandbox: {
        readonly level: "full" | "standard" | "none";
        readonly tiers: readonly ("bubblewrap" | "quickjs")[];
        readonly cgroup: "v1" | "v2" | "none";
        readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
        readonly remedy?: string | undefined;
        readonly languages: readonly {
          readonly id: string;
          readonly available: boolean;
          readonly version?: string | undefined;
          readonly tiers: readonly ("bubblewrap" | "quickjs")[];
        }[];
      };
      readonly queue: { readonly counts: { readonly [key: string]: number } };
      readonly ledger: {
        readonly size: number;
        readonly root: string;
        readonly pending: number;
        readonly witnessedTo: number | null;
        readonly lastCheckpointAt: string | null;
      };
      readonly policy: { readonly revision: string; readonly rules: number };
    };
  };
  /** Runs and approvals as they change */
  "stream.all": {
    readonly kind: "sse";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: never;
  };
  /** Submit a task */
  "tasks.submit": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      /** The workflow file's text (YAML) */
      readonly workflow?: string | undefined;
      /** Instead of `workflow`: an example's name */
      readonly example?: string | undefined;
      /** Instead of `workflow`: a registered workflow's name; its newest version runs */
      readonly registered?: string | undefined;
      /** What the run's workspace begins with */
      readonly files?: readonly { readonly path: string; readonly contentBase64: string }[] | undefined;
      readonly inputs?: { readonly [key: string]: JsonValue } | undefined;
      readonly priority?: "high" | "normal" | "low" | undefined;
      readonly labels?: readonly string[] | undefined;
      /** Attempts before it is a dead letter */
      readonly maxAttempts?: number | undefined;
      /** Begins this much later, for example 10m; the run is PENDING until then */
      readonly delay?: string | undefined;
      /** Instead of `delay`: begins at this time (ISO 8601 with an offset), at most 366 days from now */
      readonly notBefore?: string | undefined;
      readonly deduplication?:
        | {
            /** The same key gives the same run, whoever in the tenant submits it */
            readonly key: string;
            /** How long the key stands for this run; 24h by default */
            readonly window?: string | undefined;
          }
        | undefined;
    };
    readonly answer: {
      readonly id: string;
      readonly workflow: { readonly name: string; readonly digest: string };
      readonly state:
        | "PENDING"
        | "QUEUED"
        | "RUNNING"
        | "RETRYING"
        | "WAITING"
        | "COMPLETED"
        | "FAILED"
        | "CANCELLED"
        | "DEAD";
      readonly waitingFor: {
        readonly kind: "approval" | "outcome" | "signal" | "child" | "timer" | "retry" | "pause";
        /** The approval or child run that is waited for */
        readonly id?: string | undefined;
        /** The signal that is waited for */
        readonly name?: string | undefined;
        /** How many other things are waited for at the same time */
        readonly more?: number | undefined;
        readonly until?: string | null | undefined;
        /** Why the run is held back, when a guard does so */
        readonly reason?: string | undefined;
      } | null;
      readonly priority: "high" | "normal" | "low";
      readonly attempts: number;
      readonly maxAttempts: number;
      readonly requester: string;
      readonly labels: readonly string[];
      /** ISO 8601, UTC */
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
      /** What the run last said of how far it is */
      readonly progress: {
        readonly percent: number | null;
        readonly text: string;
        /** ISO 8601, UTC */
        readonly at: string;
      } | null;
      /** Why the server could not work on the run, and when it tries again; nothing of the run itself failed */
      readonly fault: {
        readonly code: string;
        readonly message: string;
        readonly hint: string;
        /** ISO 8601, UTC */
        readonly at: string;
        readonly nextTryAt: string | null;
      } | null;
      /** True when the key stood for this run already; the status is 200 then */
      readonly deduplicated: boolean;
    };
  };
  /** The tools actions may use, with the schema of their arguments */
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
        /** What it does to the run's files; steps that may write act one after the other */
        readonly files: "none" | "reads" | "writes";
        readonly defaultTimeoutMs: number;
        readonly maxTimeoutMs: number;
        readonly schema: { readonly [key: string]: unknown };
        /** What arguments are for (path, host, body ...), by name at any depth: rules on data flow go by these; others are inferred */
        readonly argumentRoles: { readonly [key: string]: string };
      }[];
    };
  };
  /** The processes that work on this database */
  "workers.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: { readonly all?: string | number | boolean | undefined };
    readonly body: undefined;
    readonly answer: {
      readonly data: readonly Worker[];
      readonly nextCursor: null;
      readonly unmet: readonly { readonly need: string; readonly runs: number }[];
    };
  };
  /** Register a workflow under its name */
  "workflows.add": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: {
      /** The file's text (YAML) */
      readonly workflow: string;
    };
    readonly answer: {
      readonly name: string;
      readonly version: number;
      readonly digest: string;
      readonly description: string | null;
      readonly addedBy: string;
      /** ISO 8601, UTC */
      readonly addedAt: string;
      readonly triggers: readonly {
        readonly kind: "cron" | "interval" | "webhook";
        readonly name: string;
        /** The cron expression with its time zone, the interval, or the address */
        readonly detail: string;
      }[];
      readonly hooks: readonly {
        readonly name: string;
        readonly path: string;
        readonly auth: "signature" | "bearer";
        /** Shown this once */
        readonly secret: string;
      }[];
    };
  };
  /** Check a workflow without running it */
  "workflows.check": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly workflow: string };
    readonly answer: {
      readonly ok: boolean;
      readonly findings: readonly {
        readonly severity: "error" | "warning";
        readonly line: number;
        readonly column: number;
        readonly path: string;
        readonly message: string;
        readonly hint?: string | undefined;
      }[];
    };
  };
  /** One registered workflow with its text and versions */
  "workflows.get": {
    readonly kind: "json";
    readonly params: { readonly name: string };
    readonly query: { readonly version?: number | undefined };
    readonly body: undefined;
    readonly answer: {
      readonly name: string;
      readonly version: number;
      readonly digest: string;
      readonly description: string | null;
      readonly addedBy: string;
      /** ISO 8601, UTC */
      readonly addedAt: string;
      readonly triggers: readonly {
        readonly kind: "cron" | "interval" | "webhook";
        readonly name: string;
        /** The cron expression with its time zone, the interval, or the address */
        readonly detail: string;
      }[];
      readonly workflowText: string;
      readonly versions: readonly {
        readonly version: number;
        readonly digest: string;
        readonly addedAt: string;
      }[];
      readonly hooks: readonly {
        readonly name: string;
        readonly path: string;
        readonly auth: "signature" | "bearer";
      }[];
    };
  };
  /** A workflow as a graph */
  "workflows.graph": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: { readonly workflow: string };
    readonly answer: WorkflowGraph;
  };
  /** Registered workflows, newest versions */
  "workflows.list": {
    readonly kind: "json";
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: { readonly data: readonly RegisteredWorkflow[] };
  };
  /** Take a workflow away from new runs, with its triggers */
  "workflows.remove": {
    readonly kind: "none";
    readonly params: { readonly name: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answer: undefined;
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
  "approvalLinks.answer": { method: "POST", path: "/v1/approval-links/answer", kind: "json" },
  "approvalLinks.open": { method: "POST", path: "/v1/approval-links/open", kind: "json" },
  "approvals.createLink": { method: "POST", path: "/v1/approvals/{id}/links", kind: "json" },
  "approvals.decide": { method: "POST", path: "/v1/approvals/{id}/decision", kind: "json" },
  "approvals.delegate": { method: "POST", path: "/v1/approvals/{id}/delegate", kind: "json" },
  "approvals.get": { method: "GET", path: "/v1/approvals/{id}", kind: "json" },
  "approvals.list": { method: "GET", path: "/v1/approvals", kind: "json" },
  "artifacts.content": { method: "GET", path: "/v1/artifacts/{id}/content", kind: "bytes" },
  "artifacts.get": { method: "GET", path: "/v1/artifacts/{id}", kind: "json" },
  "artifacts.list": { method: "GET", path: "/v1/artifacts", kind: "json" },
  "config.get": { method: "GET", path: "/v1/config", kind: "json" },
  "deadLetters.discard": { method: "POST", path: "/v1/dead-letters/discard", kind: "json" },
  "deadLetters.get": { method: "GET", path: "/v1/dead-letters/{id}", kind: "json" },
  "deadLetters.list": { method: "GET", path: "/v1/dead-letters", kind: "json" },
  "deadLetters.retry": { method: "POST", path: "/v1/dead-letters/retry", kind: "json" },
  "delegations.create": { method: "POST", path: "/v1/delegations", kind: "json" },
  "delegations.list": { method: "GET", path: "/v1/delegations", kind: "json" },
  "delegations.revoke": { method: "DELETE", path: "/v1/delegations/{id}", kind: "none" },
  "examples.list": { method: "GET", path: "/v1/examples", kind: "json" },
  "health.get": { method: "GET", path: "/healthz", kind: "json" },
  "health.live": { method: "GET", path: "/livez", kind: "text" },
  "health.metrics": { method: "GET", path: "/metrics", kind: "text" },
  "health.ready": { method: "GET", path: "/readyz", kind: "json" },
  "hooks.call": { method: "POST", path: "/v1/hooks/{name}", kind: "json" },
  "keys.create": { method: "POST", path: "/v1/api-keys", kind: "json" },
  "keys.list": { method: "GET", path: "/v1/api-keys", kind: "json" },
  "keys.revoke": { method: "DELETE", path: "/v1/api-keys/{id}", kind: "json" },
  "ledger.checkpoint": { method: "GET", path: "/v1/ledger/checkpoint", kind: "text" },
  "ledger.consistencyProof": { method: "GET", path: "/v1/ledger/proofs/consistency", kind: "json" },
  "ledger.entries": { method: "GET", path: "/v1/ledger/entries", kind: "json" },
  "ledger.get": { method: "GET", path: "/v1/ledger", kind: "json" },
  "ledger.inclusionProof": { method: "GET", path: "/v1/ledger/proofs/inclusion", kind: "json" },
  "ledger.tile": { method: "GET", path: "/v1/ledger/tile/{path}", kind: "bytes", rest: "path" },
  "ledger.verify": { method: "POST", path: "/v1/ledger/verify", kind: "json" },
  "limits.get": { method: "GET", path: "/v1/limits", kind: "json" },
  "limits.resetBreakers": { method: "POST", path: "/v1/limits/breakers/reset", kind: "json" },
  "policy.activate": { method: "PUT", path: "/v1/policy", kind: "json" },
  "policy.check": { method: "POST", path: "/v1/policy/check", kind: "json" },
  "policy.clearShadow": { method: "DELETE", path: "/v1/policy/shadow", kind: "none" },
  "policy.diff": { method: "POST", path: "/v1/policy/diff", kind: "json" },
  "policy.dryRun": { method: "POST", path: "/v1/policy/dry-run", kind: "sse" },
  "policy.explain": { method: "POST", path: "/v1/policy/explain", kind: "json" },
  "policy.get": { method: "GET", path: "/v1/policy", kind: "json" },
  "policy.reading": { method: "POST", path: "/v1/policy/reading", kind: "json" },
  "policy.rollback": { method: "POST", path: "/v1/policy/versions/{number}/activate", kind: "json" },
  "policy.schema": { method: "GET", path: "/v1/policy/schema", kind: "json" },
  "policy.setShadow": { method: "POST", path: "/v1/policy/shadow", kind: "json" },
  "policy.shadow": { method: "GET", path: "/v1/policy/shadow", kind: "json" },
  "policy.test": { method: "POST", path: "/v1/policy/test", kind: "json" },
  "policy.version": { method: "GET", path: "/v1/policy/versions/{number}", kind: "json" },
  "policy.versions": { method: "GET", path: "/v1/policy/versions", kind: "json" },
  "queue.get": { method: "GET", path: "/v1/queue", kind: "json" },
  "runs.bulk": { method: "POST", path: "/v1/runs/bulk", kind: "json" },
  "runs.cancel": { method: "POST", path: "/v1/runs/{id}/cancel", kind: "json" },
  "runs.diff": { method: "GET", path: "/v1/runs/{a}/diff/{b}", kind: "json" },
  "runs.discard": { method: "POST", path: "/v1/runs/{id}/discard", kind: "json" },
  "runs.erase": { method: "DELETE", path: "/v1/runs/{id}", kind: "json" },
  "runs.events": { method: "GET", path: "/v1/runs/{id}/events", kind: "json" },
  "runs.fork": { method: "POST", path: "/v1/runs/{id}/fork", kind: "json" },
  "runs.get": { method: "GET", path: "/v1/runs/{id}", kind: "json" },
  "runs.graph": { method: "GET", path: "/v1/runs/{id}/graph", kind: "json" },
  "runs.list": { method: "GET", path: "/v1/runs", kind: "json" },
  "runs.pause": { method: "POST", path: "/v1/runs/{id}/pause", kind: "json" },
  "runs.rerun": { method: "POST", path: "/v1/runs/{id}/rerun", kind: "json" },
  "runs.resume": { method: "POST", path: "/v1/runs/{id}/resume", kind: "json" },
  "runs.retry": { method: "POST", path: "/v1/runs/{id}/retry", kind: "json" },
  "runs.signal": { method: "POST", path: "/v1/runs/{id}/signals/{name}", kind: "json" },
  "runs.steer": { method: "POST", path: "/v1/runs/{id}/steer", kind: "json" },
  "runs.steps": { method: "GET", path: "/v1/runs/{id}/steps", kind: "json" },
  "runs.stream": { method: "GET", path: "/v1/runs/{id}/stream", kind: "sse" },
  "schedules.add": { method: "POST", path: "/v1/schedules", kind: "json" },
  "schedules.change": { method: "PATCH", path: "/v1/schedules/{id}", kind: "json" },
  "schedules.get": { method: "GET", path: "/v1/schedules/{id}", kind: "json" },
  "schedules.list": { method: "GET", path: "/v1/schedules", kind: "json" },
  "schedules.pause": { method: "POST", path: "/v1/schedules/{id}/pause", kind: "json" },
  "schedules.remove": { method: "DELETE", path: "/v1/schedules/{id}", kind: "none" },
  "schedules.resume": { method: "POST", path: "/v1/schedules/{id}/resume", kind: "json" },
  "schedules.trigger": { method: "POST", path: "/v1/schedules/{id}/trigger", kind: "json" },
  "secrets.list": { method: "GET", path: "/v1/secrets", kind: "json" },
  "secrets.remove": { method: "DELETE", path: "/v1/secrets/{name}", kind: "none" },
  "secrets.rotate": { method: "POST", path: "/v1/secrets/{name}/rotate", kind: "json" },
  "secrets.set": { method: "PUT", path: "/v1/secrets/{name}", kind: "json" },
  "session.create": { method: "POST", path: "/v1/session", kind: "json" },
  "session.delete": { method: "DELETE", path: "/v1/session", kind: "none" },
  "session.get": { method: "GET", path: "/v1/session", kind: "json" },
  "standingApprovals.list": { method: "GET", path: "/v1/standing-approvals", kind: "json" },
  "standingApprovals.revoke": { method: "DELETE", path: "/v1/standing-approvals/{id}", kind: "none" },
  "status.get": { method: "GET", path: "/v1/status", kind: "json" },
  "stream.all": { method: "GET", path: "/v1/stream", kind: "sse" },
  "tasks.submit": { method: "POST", path: "/v1/tasks", kind: "json" },
  "tools.list": { method: "GET", path: "/v1/tools", kind: "json" },
  "workers.list": { method: "GET", path: "/v1/workers", kind: "json" },
  "workflows.add": { method: "POST", path: "/v1/workflows", kind: "json" },
  "workflows.check": { method: "POST", path: "/v1/workflows/check", kind: "json" },
  "workflows.get": { method: "GET", path: "/v1/workflows/{name}", kind: "json" },
  "workflows.graph": { method: "POST", path: "/v1/workflows/graph", kind: "json" },
  "workflows.list": { method: "GET", path: "/v1/workflows", kind: "json" },
  "workflows.remove": { method: "DELETE", path: "/v1/workflows/{name}", kind: "none" },
};
