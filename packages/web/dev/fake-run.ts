/** One fake run: walks the script at given times, so that history is made at once and live runs by timers. */
import { createHash } from "node:crypto";
import type {
  Approval,
  Artifact,
  RunDetail,
  RunEvent,
  RunState,
  StepState,
  StepView,
} from "../src/api/contract.ts";
import { deleteArgs, revision, script, type ScriptStep } from "./fake-script.ts";
import { workflowText } from "./fake-texts.ts";

type Writable<T> = { -readonly [key in keyof T]: T[key] };

export interface FakeRun {
  readonly detail: Writable<Omit<RunDetail, "steps" | "approvals" | "artifacts">> & {
    steps: Writable<StepView>[];
    approvals: Writable<Approval>[];
    artifacts: Artifact[];
  };
  readonly events: RunEvent[];
  readonly contents: Map<string, string>;
  /** Index of the script's next step. */
  next: number;
}

export const iso = (ms: number): string => new Date(ms).toISOString();
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function createRun(id: string, createdMs: number, requester = "admin"): FakeRun {
  const run: FakeRun = {
    detail: {
      id,
      workflow: { name: "brand-audit", digest: sha256(workflowText) },
      state: "QUEUED",
      waitingFor: null,
      priority: "normal",
      attempts: 1,
      maxAttempts: 3,
      requester,
      labels: [],
      createdAt: iso(createdMs),
      startedAt: null,
      endedAt: null,
      error: null,
      headSeq: 0,
      stepsDone: 0,
      stepsTotal: script.length,
      artifactCount: 0,
      parent: null,
      progress: null,
      fault: null,
      stepsListed: script.length,
      origin: null,
      messages: [],
      workspaceRestored: null,
      inputs: {
        folder: "assets",
        stale_days: 365,
        formats: ["png", "svg", "webp"],
        depth: "full",
        dry_run: false,
      },
      outputs: null,
      steps: script.map(toPending),
      approvals: [],
      artifacts: [],
      workflowText,
    },
    events: [],
    contents: new Map(),
    next: 0,
  };
  addEvent(run, createdMs, "run.created", null, {
    workflow: "brand-audit",
    requester,
    inputs: run.detail.inputs,
  });
  return run;
}

function toPending(step: ScriptStep): Writable<StepView> {
  const { path, id, kind, depth, title, tool } = step;
  return {
    path, id, kind, depth, title, tool,
    state: "pending", attempt: 0, startedAt: null, endedAt: null, resource: null, summary: null, effect: null,
    args: null, output: null, error: null, decision: null, approvalId: null,
    role: "step", branch: null, childRunId: null, caught: false, held: null, carried: null, signal: null,
  }; // prettier-ignore
}

export function addEvent(
  run: FakeRun,
  atMs: number,
  kind: string,
  step: string | null,
  body: RunEvent["body"],
): RunEvent {
  const seq = run.events.length + 1;
  const digest = sha256(`${run.events.at(-1)?.digest ?? run.detail.id}${seq}${kind}${JSON.stringify(body)}`);
  const event = { seq, kind, at: iso(atMs), step, body, digest };
  run.events.push(event);
  run.detail.headSeq = seq;
  return event;
}

export function startRun(run: FakeRun, atMs: number): void {
  run.detail.state = "RUNNING";
  run.detail.startedAt ??= iso(atMs);
  addEvent(run, atMs, "run.started", null, { attempt: run.detail.attempts });
}

/** Begins the next step. Answers how long it takes, or null when it asks a person or none is left. */
export function beginStep(run: FakeRun, atMs: number): number | null {
  const step = script[run.next];
  const view = run.detail.steps[run.next];
  if (step === undefined || view === undefined) return null;
  Object.assign(view, {
    state: "running", attempt: step.kind === "tool" ? 1 : 0, startedAt: view.startedAt ?? iso(atMs),
    resource: step.resource, summary: step.summary, effect: step.effect, args: step.args, decision: step.decision,
  }); // prettier-ignore
  if (step.asks === true && !run.detail.approvals.some((approval) => approval.step === step.path)) {
    ask(run, step, view, atMs);
    return null;
  }
  if (step.kind === "tool") {
    addEvent(run, atMs, "action.intended", step.path, {
      tool: step.tool,
      resource: step.resource,
      args: step.args,
      key: `${run.detail.id}/${step.path}/1`,
    });
  } else addEvent(run, atMs, "step.started", step.path, { start: { kind: step.kind } });
  return step.durationMs;
}

export function endStep(run: FakeRun, atMs: number): void {
  const step = script[run.next];
  const view = run.detail.steps[run.next];
  if (step === undefined || view === undefined) return;
  run.next += 1;
  const isGroup = (script[run.next]?.depth ?? 0) > step.depth;
  if (!isGroup) finish(run, view, step.isSkipped === true ? "skipped" : "completed", step.output, atMs);
  if (step.writes !== undefined) addArtifact(run, step, atMs);
  closeGroups(run, atMs);
  if (run.next === script.length) complete(run, atMs);
}

function finish(
  run: FakeRun,
  view: Writable<StepView>,
  state: StepState,
  output: unknown,
  atMs: number,
): void {
  Object.assign(view, { state, output, endedAt: iso(atMs) });
  run.detail.stepsDone += 1;
  addEvent(run, atMs, view.kind === "tool" ? "action.completed" : `step.${state}`, view.path, { output });
}

function closeGroups(run: FakeRun, atMs: number): void {
  const depth = script[run.next]?.depth ?? 0;
  for (const view of run.detail.steps.slice(0, run.next).toReversed()) {
    if (view.endedAt === null && view.startedAt !== null && view.depth >= depth) {
      finish(run, view, "completed", { count: run.next }, atMs);
    }
  }
}

function complete(run: FakeRun, atMs: number): void {
  run.detail.state = "COMPLETED";
  run.detail.endedAt = iso(atMs);
  run.detail.outputs = { summary: { files: 47, stale: 3 } };
  addEvent(run, atMs, "run.completed", null, { outputs: run.detail.outputs });
}

function addArtifact(run: FakeRun, step: ScriptStep, atMs: number): void {
  if (step.writes === undefined) return;
  const { path, title, mediaType, content } = step.writes;
  const id = `art_${sha256(run.detail.id + path).slice(0, 20)}`;
  run.contents.set(id, content);
  run.detail.artifacts.push({
    id, runId: run.detail.id, step: step.path, path: `workspace/${path}`, filename: path, title, description: null, mediaType,
    sizeBytes: content.length, sha256: sha256(content), previousSha256: null, version: 1, status: "active",
    creator: "workflow:brand-audit", createdAt: iso(atMs), modifiedAt: iso(atMs), modifiedBy: "workflow:brand-audit",
    modification: "created",
  }); // prettier-ignore
  run.detail.artifactCount = run.detail.artifacts.length;
}

function ask(run: FakeRun, step: ScriptStep, view: Writable<StepView>, atMs: number): void {
  const approval = makeApproval(run, step, atMs);
  run.detail.approvals.push(approval);
  view.state = "waiting";
  view.approvalId = approval.id;
  setWaiting(run, "WAITING", { kind: "approval", id: approval.id, until: approval.expiresAt });
  addEvent(run, atMs, "approval.requested", step.path, {
    approvalId: approval.id,
    summary: approval.summary,
  });
}

export function setWaiting(run: FakeRun, state: RunState, waitingFor: RunDetail["waitingFor"]): void {
  run.detail.state = state;
  run.detail.waitingFor = waitingFor;
}

function makeApproval(run: FakeRun, step: ScriptStep, atMs: number): Writable<Approval> {
  return {
    id: `apr_${sha256(run.detail.id + step.path).slice(0, 20)}`, kind: "action", status: "waiting", runId: run.detail.id,
    workflow: "brand-audit", step: step.path, action: step.tool, resource: step.resource, summary: step.summary ?? "",
    message: null, args: deleteArgs, argsDigest: sha256(JSON.stringify(deleteArgs)), labels: ["user", "file"],
    risk: "high", reason: step.decision?.reason ?? "", matched: step.decision?.matched ?? [], policyRevision: revision,
    requester: run.detail.requester, by: ["approver", "admin"], requestedAt: iso(atMs), expiresAt: iso(atMs + 3_600_000),
    decidedBy: null, decidedAt: null, decisionReason: null, answer: null,
    runPath: [], delegates: [], quorum: 1, votes: 0, fourEyes: false, mayRemember: true, editedArgs: null,
  }; // prettier-ignore
}
