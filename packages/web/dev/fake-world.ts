/** Everything the fake server knows: a history that looks lived-in, and live runs that move by timers. */
import type { Approval, RunEvent, RunSummary } from "../src/api/contract.ts";
import {
  addEvent,
  beginStep,
  createRun,
  endStep,
  iso,
  setWaiting,
  sha256,
  startRun,
  type FakeRun,
} from "./fake-run.ts";
import { script } from "./fake-script.ts";

export type Change =
  | { readonly kind: "run"; readonly run: FakeRun }
  | { readonly kind: "event"; readonly run: FakeRun; readonly event: RunEvent }
  | { readonly kind: "progress"; readonly run: FakeRun; readonly step: string; readonly text: string }
  | { readonly kind: "approval"; readonly approval: Approval };

export interface World {
  readonly runs: FakeRun[];
  readonly listeners: Set<(change: Change) => void>;
  tell(change: Change): void;
  submit(requester: string): FakeRun;
  /** Goes on after an answer or a pause. */
  resume(run: FakeRun): void;
}

const minute = 60_000;

export function createWorld(isEmpty: boolean, slowness: number): World {
  const listeners = new Set<(change: Change) => void>();
  const runs: FakeRun[] = isEmpty ? [] : makeHistory(Date.now());
  const tell = (change: Change): void => listeners.forEach((listener) => listener(change));
  let count = runs.length;

  /** Tells every event the action appended, then the run's new state. */
  function act(run: FakeRun, action: () => void): void {
    const before = run.events.length;
    action();
    for (const event of run.events.slice(before)) tell({ kind: "event", run, event });
    for (const approval of run.detail.approvals)
      if (approval.status === "waiting") tell({ kind: "approval", approval });
    tell({ kind: "run", run });
  }

  function step(run: FakeRun): void {
    if (run.detail.state !== "RUNNING") return;
    let durationMs: number | null = null;
    act(run, () => (durationMs = beginStep(run, Date.now())));
    if (durationMs === null) return;
    const lasts: number = durationMs * slowness;
    const current = script[run.next];
    (current?.progress ?? []).forEach((text, index, all) => {
      setTimeout(
        () => tell({ kind: "progress", run, step: current?.path ?? "", text }),
        (lasts * index) / all.length,
      );
    });
    setTimeout(() => {
      if (run.detail.state !== "RUNNING") return;
      act(run, () => endStep(run, Date.now()));
      step(run);
    }, lasts);
  }

  return {
    runs,
    listeners,
    tell,
    submit(requester) {
      const run = createRun(idOf(Date.now(), (count += 1)), Date.now(), requester);
      runs.unshift(run);
      tell({ kind: "run", run });
      setTimeout(() => {
        act(run, () => startRun(run, Date.now()));
        step(run);
      }, 200);
      return run;
    },
    resume(run) {
      setWaiting(run, "RUNNING", null);
      step(run);
    },
  };
}

function idOf(atMs: number, count: number): string {
  return `run_${atMs.toString(36).toUpperCase().padStart(10, "0")}${sha256(String(count)).slice(0, 12).toUpperCase()}`;
}

function makeHistory(now: number): FakeRun[] {
  const runs = [
    ...[3, 26, 27, 30, 51, 75, 99].map((hours, index) => finished(now - hours * 60 * minute, index)),
    failed(now - 48 * minute),
    dead(now - 5 * 60 * minute),
    cancelled(now - 28 * 60 * minute),
    retrying(now - 4 * minute),
    paused(now - 14 * minute),
    lost(now - 22 * minute),
    waiting(now - 9 * minute),
  ];
  return runs.sort((a, b) => b.detail.createdAt.localeCompare(a.detail.createdAt));
}

/** Walks the script without waiting; stops before `until` or where a person is asked. */
function walk(run: FakeRun, fromMs: number, until?: string): number {
  let atMs = fromMs;
  while (script[run.next] !== undefined && script[run.next]?.path !== until) {
    const durationMs = beginStep(run, atMs);
    if (durationMs === null) break;
    atMs += durationMs;
    endStep(run, atMs);
    atMs += 8;
  }
  return atMs;
}

function begun(createdMs: number, seed: number, requester = "admin"): FakeRun {
  const run = createRun(idOf(createdMs, seed + Math.floor(createdMs / 1000)), createdMs, requester);
  startRun(run, createdMs + 240);
  return run;
}

function finished(createdMs: number, seed: number): FakeRun {
  const run = begun(createdMs, seed, seed % 3 === 1 ? "nightly" : "admin");
  if (seed % 3 === 1) run.detail.labels = ["nightly"];
  const askedMs = walk(run, createdMs + 260);
  const answeredMs = askedMs + (seed + 1) * 94_000;
  const reason = seed === 0 ? "All three are replaced since 2020" : null;
  decide(run, { answer: "approve", by: "anna", reason }, answeredMs);
  walk(run, answeredMs + 12);
  return run;
}

export interface FakeAnswer {
  readonly answer: string;
  readonly by: string;
  readonly reason: string | null;
}

export function decide(run: FakeRun, { answer, by, reason }: FakeAnswer, atMs: number): void {
  const status = { approve: "approved", reject: "rejected" }[answer] ?? "resolved";
  const approval = run.detail.approvals.find((candidate) => candidate.status === "waiting");
  if (approval === undefined) return;
  Object.assign(approval, {
    status,
    decidedBy: by,
    decidedAt: iso(atMs),
    decisionReason: reason,
    answer,
  });
  addEvent(run, atMs, approval.kind === "outcome" ? "outcome.resolved" : "approval.decided", approval.step, {
    answer,
    by,
    reason,
  });
  if (status !== "rejected" && answer !== "abandon") setWaiting(run, "RUNNING", null);
  else
    fail(run, atMs, {
      code: "APPROVAL_REJECTED",
      message: `${by} rejected: ${reason ?? "no reason"}`,
      step: approval.step,
    });
}

export function fail(run: FakeRun, atMs: number, error: NonNullable<RunSummary["error"]>): void {
  for (const view of run.detail.steps) {
    if (view.startedAt === null || view.endedAt !== null) continue;
    Object.assign(view, {
      state: "failed",
      endedAt: iso(atMs),
      ...(view.path === error.step ? { error } : {}),
    });
  }
  Object.assign(run.detail, { state: "FAILED", error, endedAt: iso(atMs), waitingFor: null });
  addEvent(run, atMs, "run.failed", null, { error });
}

function waiting(createdMs: number): FakeRun {
  const run = begun(createdMs, 101);
  walk(run, createdMs + 260);
  return run;
}

function failed(createdMs: number): FakeRun {
  const run = begun(createdMs, 102, "ci");
  const atMs = walk(run, createdMs + 260, "chart");
  beginStep(run, atMs);
  fail(run, atMs + 60_000, {
    code: "TIMEOUT",
    message: "code_exec.run took longer than its 60 s and was stopped",
    hint: "Give it more time with `timeout:`, or look at what it waits for.",
    step: "chart",
  });
  return run;
}

function dead(createdMs: number): FakeRun {
  const run = begun(createdMs, 103);
  const atMs = walk(run, createdMs + 260, "measure");
  beginStep(run, atMs);
  fail(run, atMs + 1_900, {
    code: "SANDBOX_UNAVAILABLE",
    message: "python needs isolation `standard`, and this machine gives `none`",
    hint: "Install bubblewrap: apt-get install -y bubblewrap",
    step: "measure",
  });
  Object.assign(run.detail, { state: "DEAD", attempts: 3 });
  const step = run.detail.steps[1];
  if (step !== undefined) step.attempt = 3;
  return run;
}

function cancelled(createdMs: number): FakeRun {
  const run = begun(createdMs, 104);
  const atMs = walk(run, createdMs + 260, "report");
  Object.assign(run.detail, { state: "CANCELLED", endedAt: iso(atMs + 900) });
  addEvent(run, atMs + 900, "run.cancelled", null, { by: "admin", reason: "Wrong folder" });
  for (const view of run.detail.steps) if (view.state === "pending") view.state = "cancelled";
  return run;
}

function retrying(createdMs: number): FakeRun {
  const run = begun(createdMs, 105, "ci");
  const atMs = walk(run, createdMs + 260, "measure");
  beginStep(run, atMs);
  const step = run.detail.steps[1];
  if (step !== undefined) Object.assign(step, { state: "retrying", attempt: 2 });
  addEvent(run, atMs + 700, "action.failed", "measure", { error: { code: "SANDBOX_BUSY" }, transient: true });
  setWaiting(run, "RETRYING", { kind: "retry", until: iso(Date.now() + 3 * minute) });
  run.detail.attempts = 2;
  return run;
}

function paused(createdMs: number): FakeRun {
  const run = begun(createdMs, 106);
  walk(run, createdMs + 260, "report");
  setWaiting(run, "WAITING", { kind: "pause" });
  addEvent(run, createdMs + 9_000, "run.paused", null, { by: "admin", reason: null });
  return run;
}

/** An unsafe action that was begun and whose end nobody recorded. */
function lost(createdMs: number): FakeRun {
  const run = waiting(createdMs);
  decide(run, { answer: "approve", by: "anna", reason: null }, createdMs + 40_000);
  beginStep(run, createdMs + 40_010);
  const first = run.detail.approvals[0];
  const step = run.detail.steps.find((view) => view.path === "clear/delete");
  if (first === undefined || step === undefined) return run;
  const id = `${first.id.slice(0, -2)}zz`;
  run.detail.approvals.push({
    ...first, id, kind: "outcome", status: "waiting", requestedAt: iso(createdMs + 90_000), expiresAt: null,
    decidedBy: null, decidedAt: null, answer: null, matched: [], reason: "The runtime stopped between the intent and the outcome of this action.",
  }); // prettier-ignore
  Object.assign(step, { state: "waiting", approvalId: id });
  setWaiting(run, "WAITING", { kind: "outcome", id });
  addEvent(run, createdMs + 90_000, "approval.requested", step.path, { approvalId: id, about: "outcome" });
  return run;
}
