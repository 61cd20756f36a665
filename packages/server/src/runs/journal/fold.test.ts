import { describe, expect, test } from "vitest";
import type { ArtifactRecord } from "../../artifacts/artifact.ts";
import type { ActionIntent, EventBody, RunError } from "./event.ts";
import { fold, hasEnded, initialState } from "./fold.ts";
import type { RunState } from "./fold.ts";
import { projectRow } from "./project.ts";

const error: RunError = { code: "ACTION_FAILED", message: "broke" };

const created: EventBody = {
  kind: "run.created",
  workflow: { name: "w", digest: "d", text: "t" },
  inputs: { n: 1 },
  requester: "admin",
  priority: "high",
  labels: ["l"],
  maxAttempts: 3,
  parent: null,
  pins: { stateVersion: 1, expressionVersion: 1, tools: {} },
  workspace: null,
};

const intent: ActionIntent = {
  tool: "file_ops.delete",
  effect: "unsafe",
  args: { path: "a" },
  argsDigest: "digest",
  resource: "workspace/a",
  summary: "delete a",
  labels: ["operator"],
  attempt: 1,
  key: "run_1/s/1",
  decision: { effect: "allow", risk: "low", obligations: {}, matched: [], reason: "", revision: "r" },
  approvalId: null,
  deadlineAtMs: 9_000,
  resumed: false,
};

const artifact: ArtifactRecord = {
  id: "art_1",
  path: "a",
  sha256: "x",
  sizeBytes: 1,
  version: 1,
  change: "created",
  previousSha256: null,
  title: null,
  description: null,
  mediaType: "text/plain",
  step: "s",
  creator: "workflow:w",
  createdAtMs: 1,
  modifiedBy: "workflow:w",
  modifiedAtMs: 1,
  modification: "created",
};

function run(...bodies: readonly EventBody[]): RunState {
  let state = initialState("run_1", "start");
  bodies.forEach((body, index) => {
    const actor = { kind: "agent", id: "workflow:w" } as const;
    state = fold(state, {
      runId: "run_1",
      seq: index + 1,
      v: 1,
      atMs: 1_000 + index,
      actor,
      digest: `d${index + 1}`,
      body,
    });
  });
  return state;
}

const started: EventBody = { kind: "run.started", attempt: 1 };
const intended: EventBody = { kind: "action.intended", step: "s", intent };
const asked = (about: "action" | "outcome"): EventBody => ({
  kind: "approval.requested",
  step: "s",
  approvalId: "apr_1",
  about,
  argsDigest: "digest",
  policyRevision: "r",
  expiresAtMs: 5_000,
  summary: "?",
});

describe("the fold of a run", () => {
  test("begins with what was submitted and keeps the head", () => {
    const state = run(created);
    expect(state).toMatchObject({
      phase: "created",
      inputs: { n: 1 },
      priority: "high",
      headSeq: 1,
      headDigest: "d1",
    });
    expect(hasEnded(state)).toBe(false);
  });

  test("an intent without an outcome stays visible until there is one", () => {
    expect(run(created, started, intended).steps.get("s")).toMatchObject({
      status: "running",
      outcomeMissing: true,
    });
    const done: EventBody = {
      kind: "action.completed",
      step: "s",
      attempt: 1,
      output: { ok: true },
      labels: ["tool"],
      durationMs: 3,
      workspace: { subject: "run_1", sha256: "m", sizeBytes: 2 },
      artifacts: [artifact],
      recovered: false,
    };
    const state = run(created, started, intended, done);
    expect(state.steps.get("s")).toMatchObject({
      status: "completed",
      outcomeMissing: false,
      output: { ok: true },
    });
    expect(state.stepsDone).toBe(1);
    expect(state.workspace?.sha256).toBe("m");
    expect(state.artifacts.get("a")?.version).toBe(1);
  });

  test("a failure that is tried again keeps its time, and forgets the consent", () => {
    const failedOnce: EventBody = {
      kind: "action.failed",
      step: "s",
      attempt: 1,
      error,
      retryAtMs: 7_000,
      transient: true,
    };
    const approved: EventBody = {
      kind: "approval.decided",
      step: "s",
      approvalId: "apr_1",
      answer: "approve",
      by: "eve",
      reason: null,
    };
    const state = run(created, started, asked("action"), approved, intended, failedOnce);
    expect(state.steps.get("s")).toMatchObject({
      status: "retrying",
      retryAtMs: 7_000,
      answer: null,
      attempt: 1,
    });
  });

  test("an answer is bound to the arguments that were asked about", () => {
    const approved: EventBody = {
      kind: "approval.decided",
      step: "s",
      approvalId: "apr_1",
      answer: "approve",
      by: "eve",
      reason: "fine",
    };
    const state = run(created, started, asked("action"), approved);
    expect(state.steps.get("s")).toMatchObject({
      question: null,
      answer: { argsDigest: "digest", by: "eve" },
    });
  });

  test.each([
    ["happened", "completed"],
    ["did-not-happen", "running"],
    ["abandon", "failed"],
  ] as const)("a lost outcome resolved as %s leaves the step %s", (answer, status) => {
    const resolved: EventBody = {
      kind: "outcome.resolved",
      step: "s",
      approvalId: "apr_1",
      answer,
      by: "eve",
      reason: null,
      output: "seen",
    };
    const step = run(created, started, intended, asked("outcome"), resolved).steps.get("s");
    expect(step).toMatchObject({ status, outcomeMissing: false, question: null, resolution: answer });
  });

  test("a new attempt of the run opens its failed steps again and leaves done ones alone", () => {
    const state = run(
      created,
      started,
      { kind: "step.completed", step: "a", output: 1 },
      { kind: "step.failed", step: "s", error },
      { kind: "run.retrying", error, retryAtMs: 5_000 },
      { kind: "run.started", attempt: 2 },
    );
    expect(state).toMatchObject({ phase: "running", attempt: 2, error: null });
    expect(state.steps.get("s")?.status).toBe("retrying");
    expect(state.steps.get("a")?.status).toBe("completed");
  });

  test("cancelling ends open steps and questions; a dead letter can be revived", () => {
    const cancelled = run(created, started, asked("action"), {
      kind: "run.cancelled",
      by: "eve",
      reason: null,
    });
    expect(cancelled.steps.get("s")).toMatchObject({ status: "cancelled", question: null });
    expect(hasEnded(cancelled)).toBe(true);
    const revived = run(created, started, { kind: "run.died", error }, { kind: "run.revived", by: "eve" });
    expect(revived).toMatchObject({ phase: "created", attempt: 0, error: null, endedAtMs: null });
  });

  test("pause and resume, skip, denial, waits and completion show in the state", () => {
    expect(run(created, started, { kind: "run.paused", by: "eve", reason: null }).phase).toBe("paused");
    const resumed = run(
      created,
      started,
      { kind: "run.paused", by: "e", reason: null },
      { kind: "run.resumed", by: "e" },
    );
    expect(resumed.phase).toBe("running");
    const rest = run(
      created,
      started,
      { kind: "step.skipped", step: "x", reason: "if" },
      { kind: "step.started", step: "w", start: { kind: "wait", untilMs: 9 } },
      { kind: "step.started", step: "b", start: { kind: "branch", chosen: 0 } },
      { kind: "action.denied", step: "s", tool: "t", resource: "r", error, decision: intent.decision },
      { kind: "run.completed", outputs: { a: 1 } },
    );
    expect(rest.steps.get("x")?.status).toBe("skipped");
    expect(rest.steps.get("w")?.status).toBe("waiting");
    expect(rest.steps.get("b")?.status).toBe("running");
    expect(rest.steps.get("s")).toMatchObject({ status: "denied", denial: intent.decision });
    expect(rest).toMatchObject({ phase: "completed", outputs: { a: 1 } });
    expect(run(created, started, { kind: "run.failed", error }).phase).toBe("failed");
  });
});

describe("the projection of a run", () => {
  const base = { tenant: "default", stepsTotal: 4, nowMs: 50, leaseUntilMs: 99 };
  const wait = { kind: "wait", waiting: { kind: "timer", untilMs: 70 } } as const;

  test("tells each state and when somebody should look", () => {
    const cases = [
      [run(created), null, "QUEUED", 50],
      [run(created, started), null, "RUNNING", 99],
      [run(created, started), { kind: "yield" } as const, "QUEUED", 50],
      [run(created, started), wait, "WAITING", 70],
      [run(created, started, { kind: "run.paused", by: "e", reason: null }), null, "WAITING", null],
      [run(created, started, { kind: "run.retrying", error, retryAtMs: 60 }), null, "RETRYING", 60],
      [run(created, started, { kind: "run.failed", error }), null, "FAILED", null],
      [run(created, started, { kind: "run.died", error }), null, "DEAD", null],
      [run(created, started, { kind: "run.completed", outputs: {} }), null, "COMPLETED", null],
      [run(created, { kind: "run.cancelled", by: "e", reason: null }), null, "CANCELLED", null],
    ] as const;
    for (const [state, letting, expected, wakeAtMs] of cases) {
      const row = projectRow(state, { ...base, letting });
      expect([row.state, row.wakeAtMs]).toEqual([expected, wakeAtMs]);
    }
  });
});

test("an outcome that came late after all leaves no question about it open, and nothing held back", () => {
  const question: EventBody = {
    ...{ kind: "approval.requested", step: "s", approvalId: "apr_1", about: "outcome", argsDigest: "d" },
    ...{ policyRevision: "r", expiresAtMs: null, summary: "did it happen?" },
  };
  const before: readonly EventBody[] = [
    created,
    started,
    { kind: "action.intended", step: "s", intent },
    { kind: "action.held", step: "s", reason: "may still act", retryAtMs: 5_000 },
  ];
  const known = { step: "s", attempt: 1 } as const;
  const completed: EventBody = {
    ...{ kind: "action.completed", ...known, output: 1, labels: ["tool"], durationMs: 0 },
    ...{ workspace: null, artifacts: [], recovered: true },
  };
  const failed: EventBody = { kind: "action.failed", ...known, error, retryAtMs: null, transient: false };
  for (const outcome of [completed, failed]) {
    const asked = run(...before, question, outcome).steps.get("s");
    expect(asked).toMatchObject({ question: null, held: null });
    expect(run(...before, outcome).steps.get("s")).toMatchObject({ question: null, held: null });
  }
});

test.each<[string, EventBody]>([
  ["completed", { kind: "step.completed", step: "s", output: 1 }],
  ["failed", { kind: "step.failed", step: "s", error }],
  ["skipped", { kind: "step.skipped", step: "s", reason: "not needed" }],
  ["failed", { kind: "run.failed", error }],
  ["failed", { kind: "run.died", error }],
  ["cancelled", { kind: "run.cancelled", by: "eve", reason: null }],
  ["failed", { kind: "run.unwinding", outcome: "failed", error, by: "system", reason: null }],
])("a step that was held back and then ended as %s waits for nothing any more: %j", (status, ending) => {
  const held: EventBody = { kind: "action.held", step: "s", reason: "rate", retryAtMs: 5_000 };
  expect(run(created, started, held).steps.get("s")).toMatchObject({ status: "waiting", held: {} });
  expect(run(created, started, held, ending).steps.get("s")).toMatchObject({ status, held: null });
});

test("a person's word on a lost outcome ends the wait for it, in journals that asked before the wait was over too", () => {
  for (const answer of ["happened", "did-not-happen", "abandon"] as const) {
    const state = run(
      created,
      started,
      { kind: "action.intended", step: "s", intent },
      {
        ...{ kind: "approval.requested", step: "s", approvalId: "apr_1", about: "outcome", argsDigest: "d" },
        ...{ policyRevision: "r", expiresAtMs: null, summary: "did it happen?" },
      },
      { kind: "action.held", step: "s", reason: "may still act", retryAtMs: 5_000 },
      {
        kind: "outcome.resolved",
        step: "s",
        approvalId: "apr_1",
        answer,
        by: "eve",
        reason: null,
        output: 1,
      },
    );
    expect(state.steps.get("s")).toMatchObject({ question: null, held: null, resolution: answer });
  }
});

test("an answer to a question that was given up says nothing, in journals of versions that wrote one", () => {
  const before = run(created, started, { kind: "step.started", step: "s", start: { kind: "group" } });
  const step = before.steps.get("s");
  const answer = { step: "s", approvalId: "apr_1", by: "eve", reason: null } as const;
  for (const late of [
    { kind: "approval.decided", ...answer, answer: "approve" },
    { kind: "outcome.resolved", ...answer, answer: "happened", output: 1 },
  ] satisfies readonly EventBody[]) {
    const state = run(created, started, { kind: "step.started", step: "s", start: { kind: "group" } }, late);
    expect(state.steps.get("s")).toEqual(step);
  }
});

test("the files that a task brought are told apart from those the run begins with", () => {
  const brought = { sha256: "b", sizeBytes: 1, subject: "run_1" };
  const workspace = { sha256: "w", sizeBytes: 2, subject: "run_1" };
  expect(run({ ...created, workspace }).broughtFiles).toEqual(workspace);
  expect(run({ ...created, workspace, brought })).toMatchObject({ broughtFiles: brought, workspace });
});

test("a run that was paused before it began is created again when it goes on", () => {
  const paused: EventBody = { kind: "run.paused", by: "eve", reason: null };
  expect(run(created, paused, { kind: "run.resumed", by: "eve" }).phase).toBe("created");
});
