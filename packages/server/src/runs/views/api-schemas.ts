/** What the API says about runs: the shapes of answers, from which OpenAPI and the client are made. */
import { z } from "zod";
import { stepKindNames } from "../../workflows/step-kinds.ts";
import { taskStates } from "../../queue/task.ts";
import { inputTypes } from "../../workflows/workflow.ts";

const time = z.string().describe("ISO 8601, UTC");

const runErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  step: z.string().optional(),
});

const waitingSchema = z.object({
  kind: z.enum(["approval", "outcome", "signal", "child", "timer", "retry", "pause"]),
  id: z.string().optional().describe("The approval or child run that is waited for"),
  name: z.string().optional().describe("The signal that is waited for"),
  more: z.number().int().optional().describe("How many other things are waited for at the same time"),
  until: time.nullable().optional(),
  reason: z.string().optional().describe("Why the run is held back, when a guard does so"),
});

const matchedRuleSchema = z.object({
  name: z.string(),
  effect: z.enum(["allow", "ask", "deny"]),
  line: z.number().int().describe("Line of policy.yaml"),
  why: z.string(),
});

const decisionSchema = z.object({
  effect: z.enum(["allow", "ask", "deny"]),
  risk: z.enum(["low", "medium", "high"]),
  reason: z.string(),
  revision: z.string(),
  matched: z.array(matchedRuleSchema),
  score: z
    .object({
      value: z.number().int().describe("0 to 100"),
      factors: z.array(z.object({ name: z.string(), points: z.number(), why: z.string() })),
      askedFrom: z
        .number()
        .int()
        .nullable()
        .optional()
        .describe("The policy's threshold that it reaches, from which on a person is asked"),
    })
    .optional()
    .describe("The action's risk and what it is made of"),
  origins: z
    .array(
      z.object({
        path: z.string(),
        role: z.string().describe("What the argument is for: recipient, payee, host ..."),
        from: z.enum(["trusted", "mixed", "untrusted-only", "invented"]),
        how: z.string(),
        labels: z.array(z.string()),
        sources: z.array(z.string()),
        instructed: z.number().describe("0 to 100: how much the passage reads as an instruction"),
        isDelegated: z.boolean(),
      }),
    )
    .optional()
    .describe("Where each argument came from"),
  transformed: z
    .object({
      rules: z.array(z.string()),
      changes: z.array(
        z.object({
          path: z.string(),
          handling: z.enum(["strip", "quote"]),
          digest: z.string().describe("SHA-256 of the text as it was"),
          passages: z.array(
            z.object({
              at: z.number().int().describe("Character in the text as it was"),
              length: z.number().int(),
              score: z.number().describe("0 to 100: how much it reads as an instruction"),
              reasons: z.array(z.string()),
            }),
          ),
        }),
      ),
    })
    .optional()
    .describe(
      "Untrusted passages that were taken out of the arguments, or quoted in them, before this was decided",
    ),
});

export const runSummarySchema = z
  .object({
    id: z.string(),
    workflow: z.object({ name: z.string(), digest: z.string() }),
    state: z.enum(taskStates),
    waitingFor: waitingSchema.nullable(),
    priority: z.enum(["high", "normal", "low"]),
    attempts: z.number().int(),
    maxAttempts: z.number().int(),
    requester: z.string(),
    labels: z.array(z.string()),
    createdAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    error: runErrorSchema.nullable(),
    headSeq: z.number().int(),
    stepsDone: z.number().int(),
    stepsTotal: z.number().int(),
    artifactCount: z.number().int(),
    parent: z.string().nullable(),
    progress: z
      .object({ percent: z.number().int().nullable(), text: z.string(), at: time })
      .nullable()
      .describe("What the run last said of how far it is"),
    fault: z
      .object({
        code: z.string(),
        message: z.string(),
        hint: z.string(),
        at: time,
        nextTryAt: time.nullable(),
      })
      .nullable()
      .describe(
        "Why the server could not work on the run, and when it tries again; nothing of the run itself failed",
      ),
  })
  .meta({ id: "RunSummary" });

export const stepViewSchema = z
  .object({
    path: z.string(),
    id: z.string(),
    kind: z.enum(stepKindNames),
    role: z
      .enum(["step", "catch", "finally", "compensate"])
      .describe("Whether it is one of the workflow's steps or belongs to a handler of one"),
    branch: z.string().nullable().describe("Name of the branch of a `parallel` step it begins"),
    childRunId: z.string().nullable().describe("The run that a `workflow` step waits for or has run"),
    caught: z.boolean().describe("It failed, and the workflow has dealt with that"),
    title: z.string().nullable(),
    depth: z.number().int(),
    state: z.enum([
      "pending",
      "running",
      "waiting",
      "retrying",
      "completed",
      "failed",
      "skipped",
      "denied",
      "cancelled",
    ]),
    attempt: z.number().int(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    tool: z.string().nullable(),
    resource: z.string().nullable(),
    summary: z.string().nullable(),
    effect: z.string().nullable(),
    args: z.unknown(),
    output: z.unknown(),
    error: runErrorSchema.nullable(),
    held: z
      .object({ reason: z.string(), until: time })
      .nullable()
      .describe("Why a rate or the circuit breaker holds the step back"),
    carried: z
      .object({ run: z.string(), seq: z.number().int() })
      .nullable()
      .describe("The event of another run whose outcome this is: it was not done again"),
    signal: z
      .object({
        name: z.string(),
        by: z.array(z.string()).nullable().describe("Roles that may send it; null: all that may run tasks"),
        payload: z
          .array(
            z.object({
              name: z.string(),
              type: z.enum(inputTypes),
              description: z.string().nullable(),
              isNeeded: z.boolean(),
            }),
          )
          .nullable()
          .describe("The members its data must have; null: any JSON"),
      })
      .nullable()
      .describe("The signal that a `wait` step waits for"),
    decision: decisionSchema.nullable(),
    approvalId: z.string().nullable(),
  })
  .meta({ id: "StepView" });

export const runEventSchema = z
  .object({
    seq: z.number().int(),
    kind: z.string(),
    at: time,
    step: z.string().nullable(),
    body: z.record(z.string(), z.unknown()).describe("Redacted"),
    digest: z.string(),
  })
  .meta({ id: "RunEvent" });

export const approvalSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["action", "step", "outcome"]),
    status: z.enum(["waiting", "approved", "rejected", "expired", "cancelled", "resolved"]),
    runId: z.string(),
    runPath: z
      .array(z.object({ runId: z.string(), workflow: z.string(), step: z.string() }))
      .describe("The runs around it, the outermost first: steps that run a workflow and wait for it"),
    workflow: z.string(),
    step: z.string(),
    action: z.string().nullable(),
    resource: z.string().nullable(),
    summary: z.string(),
    message: z.string().nullable(),
    args: z.unknown(),
    argsDigest: z.string(),
    labels: z.array(z.string()),
    risk: z.enum(["low", "medium", "high"]),
    reason: z.string(),
    matched: z.array(matchedRuleSchema),
    policyRevision: z.string(),
    requester: z.string(),
    by: z.array(z.string()),
    delegates: z.array(z.string()).describe("People this question was handed to"),
    quorum: z.number().int().describe("How many must agree"),
    votes: z.number().int().describe("How many have agreed"),
    fourEyes: z.boolean().describe("Who asked for the run may not agree"),
    mayRemember: z.boolean(),
    editedArgs: z.unknown().describe("What the answer put in place of `args`; null when nothing"),
    requestedAt: time,
    expiresAt: time.nullable(),
    decidedBy: z.string().nullable(),
    decidedAt: time.nullable(),
    decisionReason: z.string().nullable(),
    answer: z.string().nullable(),
  })
  .meta({ id: "Approval" });

export type RunSummary = z.infer<typeof runSummarySchema>;
export type StepView = z.infer<typeof stepViewSchema>;
export type RunEventView = z.infer<typeof runEventSchema>;
export type ApprovalView = z.infer<typeof approvalSchema>;
