/** What holds for the fold of any legal journal: random events of every kind, of which those that may follow are taken. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActionIntent, Ancestor, EventBody, EventKind, RunError, RunEvent, StepStart } from "./event.ts";
import { fold, hasEnded, initialState } from "./fold.ts";
import type { RunState } from "./fold.ts";
import { whyIllegal } from "./legal-event.ts";
import { projectRow } from "./project.ts";
import { isDone } from "./step-record.ts";
import type { StepRecord } from "./step-record.ts";
import { eventKinds, upcast } from "./upcast.ts";

const error: RunError = { code: "ACTION_FAILED", message: "broke" };
const step = fc.constantFrom("a", "b", "l", "l/0/x", "l/1/x", "c");
const attempt = fc.integer({ min: 1, max: 2 });
const approvalId = fc.constantFrom("apr_1", "apr_2");
const childId = fc.constantFrom("run_c", "run_d");
const by = fc.constantFrom("eve", "system");
const output = fc.constantFrom(null, 1, "x", { n: 1 });
const maybeTime = fc.option(fc.integer({ min: 1, max: 9_000 }));
const decision = {
  effect: "allow",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "",
  revision: "r",
} as const;

const start: fc.Arbitrary<StepStart> = fc.oneof(
  fc.constant({ kind: "branch" as const, chosen: 0 }),
  fc.constant({ kind: "for_each" as const, items: [1, 2] }),
  fc.constantFrom({ kind: "parallel" as const }, { kind: "group" as const }, { kind: "compensate" as const }),
  fc.constant({ kind: "wait" as const, untilMs: 5 }),
  fc.constant({ kind: "signal" as const, name: "go", untilMs: null }),
  childId.map((id) => ({ kind: "workflow" as const, childId: id, workflow: { name: "w", digest: "d" } })),
);

function intentOf(number: number, resumed: boolean): ActionIntent {
  return {
    ...{
      tool: "t",
      effect: "unsafe",
      args: {},
      argsDigest: "d",
      resource: "r",
      summary: "s",
      labels: ["tool"],
    },
    ...{ attempt: number, key: "k", decision, approvalId: null, deadlineAtMs: 9, resumed },
  };
}

const ancestor: Ancestor = { runId: "run_p", workflow: "w", step: "c" };
const created = fc
  .record({ nested: fc.boolean(), notBeforeMs: fc.option(fc.constant(2_000)) })
  .map(({ nested, notBeforeMs }): EventBody => ({
    kind: "run.created",
    workflow: { name: "w", digest: "d", text: "t" },
    ...{ inputs: {}, requester: "admin", priority: "normal", labels: [], maxAttempts: 3, parent: null },
    ...{ pins: { stateVersion: 1, expressionVersion: 1, tools: {} }, workspace: null },
    ...(nested ? { ancestors: [ancestor] } : {}),
    ...(notBeforeMs === null ? {} : { notBeforeMs }),
  }));

type Arbitraries = { readonly [Kind in EventKind]: fc.Arbitrary<Extract<EventBody, { kind: Kind }>> };
type Body<Kind extends EventKind> = Extract<EventBody, { kind: Kind }>;

function made<Kind extends EventKind>(
  kind: Kind,
  fields: { readonly [Name in Exclude<keyof Body<Kind>, "kind">]: fc.Arbitrary<Body<Kind>[Name]> },
): fc.Arbitrary<Body<Kind>> {
  // Proof of the cast: each field comes from an arbitrary of its own type.
  return fc
    .record(fields as Record<string, fc.Arbitrary<unknown>>)
    .map((rest) => ({ ...rest, kind }) as Body<Kind>);
}

const reason = fc.constant(null);
const faults = fc.constant(error);
/** The compiler sees to it that no kind is missing. */
const arbitraries: Arbitraries = {
  "run.created": created as Arbitraries["run.created"],
  "run.started": made("run.started", { attempt }),
  "run.paused": made("run.paused", { by, reason, heldBy: fc.constant("run_p") }),
  "run.resumed": made("run.resumed", { by }),
  "run.cancelled": made("run.cancelled", { by, reason }),
  "run.retrying": made("run.retrying", { error: faults, retryAtMs: fc.constant(3_000) }),
  "run.failed": made("run.failed", { error: faults }),
  "run.died": made("run.died", { error: faults }),
  "run.revived": made("run.revived", { by }),
  "run.steered": made("run.steered", { by, message: fc.constant("quick") }),
  "message.set_aside": made("message.set_aside", {
    ...{ message: fc.constantFrom("steer", "signal"), by, why: fc.constant("half a surrogate pair") },
  }),
  "workspace.restored": made("workspace.restored", {
    putBack: fc.constant(["a"]),
    removed: fc.constant([]),
    count: fc.constant(1),
  }),
  "run.unwinding": made("run.unwinding", {
    outcome: fc.constantFrom("failed", "cancelled"),
    error: faults,
    by,
    reason,
  }),
  "run.completed": made("run.completed", { outputs: fc.constant({ o: 1 }) }),
  "step.started": made("step.started", { step, start, deadlineAtMs: fc.constant(7_000) }),
  "step.completed": made("step.completed", {
    step,
    output,
    signalSeq: fc.integer({ min: 1, max: 40 }),
    laneErrors: fc.constant({}),
  }),
  "step.carried": made("step.carried", {
    step,
    as: fc.constantFrom("completed", "skipped", "caught", "open"),
    output,
    labels: fc.constant(["tool"]),
    start: fc.option(start),
    laneErrors: fc.constant(null),
    error: faults,
    intent: fc.option(attempt.map((number) => intentOf(number, false))),
    from: fc.constant({ run: "run_o", seq: 4, digest: "d" }),
  }),
  "step.skipped": made("step.skipped", { step, reason: fc.constant("if") }),
  "step.failed": made("step.failed", { step, error: faults, transient: fc.boolean() }),
  "step.caught": made("step.caught", { step, output }),
  "step.cancelled": made("step.cancelled", { step, reason: fc.constant("given up") }),
  "step.reopened": made("step.reopened", { step, by }),
  "child.ended": made("child.ended", {
    step,
    childId,
    state: fc.constantFrom("completed", "failed", "dead", "cancelled"),
    output,
    labels: fc.constant(["user"]),
    error: faults,
  }),
  "signal.received": made("signal.received", { name: fc.constant("go"), data: output, by }),
  "action.intended": made("action.intended", {
    step,
    intent: fc.tuple(attempt, fc.boolean()).map(([number, resumed]) => intentOf(number, resumed)),
  }),
  "action.completed": made("action.completed", {
    ...{ step, attempt, output, labels: fc.constant(["tool"]), durationMs: fc.constant(1) },
    ...{ workspace: fc.constant({ subject: "run_1", sha256: "m", sizeBytes: 2 }) },
    ...{ artifacts: fc.constant([]), recovered: fc.boolean() },
  }),
  "action.failed": made("action.failed", {
    ...{ step, attempt, error: faults, retryAtMs: maybeTime, transient: fc.boolean() },
    ...{ didHappen: fc.constant(true as const), labels: fc.constant(["tool"]) },
  }),
  "action.held": made("action.held", { step, reason: fc.constant("rate"), retryAtMs: fc.constant(4_000) }),
  "action.denied": made("action.denied", {
    ...{ step, tool: fc.constant("t"), resource: fc.constant("r"), error: faults },
    ...{ decision: fc.option(fc.constant(decision)), args: fc.constant({}), labels: fc.constant([]) },
    asked: fc.constant(undefined as never),
  }),
  "approval.requested": made("approval.requested", {
    ...{
      step,
      approvalId,
      about: fc.constantFrom("action", "step", "outcome"),
      argsDigest: fc.constant("d"),
    },
    ...{ policyRevision: fc.constant("r"), expiresAtMs: maybeTime, summary: fc.constant("?") },
    ...{ decision: fc.constant(decision), asked: fc.constant(undefined as never) },
  }),
  "approval.decided": made("approval.decided", {
    ...{ step, approvalId, answer: fc.constantFrom("approve", "reject", "expire"), by, reason },
    edit: fc.constant({ e: 1 }),
  }),
  "outcome.resolved": made("outcome.resolved", {
    ...{
      step,
      approvalId,
      answer: fc.constantFrom("happened", "did-not-happen", "abandon"),
      by,
      reason,
      output,
    },
  }),
};

/** Ends are rare, or most journals would be short. */
const ends: ReadonlySet<EventKind> = new Set(["run.failed", "run.died", "run.cancelled", "run.completed"]);
const anyBody: fc.Arbitrary<EventBody> = fc.oneof(
  ...Object.entries(arbitraries).map(([kind, arbitrary]) => ({
    weight: ends.has(kind as EventKind) ? 1 : 8,
    arbitrary: arbitrary as fc.Arbitrary<EventBody>,
  })),
);

/** What comes seldom by chance: an act or a question with its end soon after. */
const together: fc.Arbitrary<readonly EventBody[]> = fc
  .tuple(
    fc.constantFrom(
      ["action.intended", "action.completed"] as const,
      ["action.intended", "action.failed"] as const,
      ["approval.requested", "approval.decided"] as const,
      ["approval.requested", "outcome.resolved"] as const,
    ),
    step,
  )
  .chain(([kinds, path]) =>
    fc.tuple(...kinds.map((kind) => arbitraries[kind].map((body) => about(body, path)))),
  );

/** The same step, act and question on both sides, so that the second may follow the first. */
function about(body: EventBody, path: string): EventBody {
  const named = { ...body, step: path } as EventBody;
  if (named.kind === "action.intended") return { ...named, intent: { ...named.intent, attempt: 1 } };
  if (named.kind === "action.completed" || named.kind === "action.failed") return { ...named, attempt: 1 };
  return "approvalId" in named ? { ...named, approvalId: "apr_1" } : named;
}

const bodies = fc
  .tuple(
    created,
    // Of full length: by default fast-check makes lists of about ten.
    fc.array(
      fc.oneof({ weight: 9, arbitrary: anyBody.map((body) => [body]) }, { weight: 1, arbitrary: together }),
      {
        ...{ minLength: 1, maxLength: 120, size: "max" },
      },
    ),
  )
  .map(([first, rest]) => [first, { kind: "run.started", attempt: 1 } as EventBody, ...rest.flat()]);

function eventAfter(state: RunState, body: EventBody): RunEvent {
  const seq = state.headSeq + 1;
  const actor = { kind: "agent", id: "test" } as const;
  return { runId: "run_1", seq, v: 1, atMs: 1_000 + seq, actor, digest: `d${seq}`, body };
}

/** Every event that may follow, in order; `look` sees the state before (a copy of its steps) and after. */
function legalJournal(
  wanted: readonly EventBody[],
  look?: (before: Before, after: RunState, body: EventBody) => void,
): readonly RunEvent[] {
  const state = initialState("run_1", "start");
  const journal: RunEvent[] = [];
  for (const body of wanted) {
    if (whyIllegal(state, body) !== null) continue;
    const event = eventAfter(state, body);
    const before = { phase: state.phase, steps: new Map(state.steps) };
    journal.push(event);
    fold(state, event);
    look?.(before, state, body);
  }
  return journal;
}

interface Before {
  readonly phase: RunState["phase"];
  readonly steps: ReadonlyMap<string, StepRecord>;
}

function folded(journal: readonly RunEvent[]): RunState {
  return journal.reduce(fold, initialState("run_1", "start"));
}

const many = { numRuns: 1_000 };

describe("the fold of any legal journal", () => {
  test("is asked about every kind of event, many times: a law about events that never come would say nothing", () => {
    const taken: Record<string, number> = {};
    const refused = new Set<EventKind>();
    for (const wanted of fc.sample(bodies, { seed: 1, numRuns: 2_000 })) {
      const state = initialState("run_1", "start");
      for (const body of wanted) {
        if (whyIllegal(state, body) !== null) {
          refused.add(body.kind);
          continue;
        }
        fold(state, eventAfter(state, body));
        taken[body.kind] = (taken[body.kind] ?? 0) + 1;
      }
    }
    const kinds = Object.keys(eventKinds);
    expect(kinds.filter((kind) => (taken[kind] ?? 0) < 50)).toEqual([]);
    const neverRefused = kinds.filter((kind) => !refused.has(kind as EventKind));
    expect(neverRefused).toEqual([]);
  });

  test("is the same each time, wherever it was stopped and gone on with, and after a journey through text", () => {
    fc.assert(
      fc.property(bodies, fc.nat(), (wanted, at) => {
        const journal = legalJournal(wanted);
        const whole = folded(journal);
        const cut = at % (journal.length + 1);
        const half = structuredClone(folded(journal.slice(0, cut)));
        expect(journal.slice(cut).reduce(fold, half)).toEqual(whole);
        const read = journal.map((event) => {
          const { kind, ...rest } = event.body;
          return { ...event, body: upcast(event.v, kind, JSON.parse(JSON.stringify(rest))) };
        });
        expect(folded(read)).toEqual(whole);
      }),
      many,
    );
  });

  test("ends once: what follows an end is a revival or a discard of a dead run, and nothing else is legal", () => {
    fc.assert(
      fc.property(bodies, anyBody, (wanted, next) => {
        legalJournal(wanted, (before, _after, { kind }) => {
          if (!hasEnded(before)) return;
          expect(before.phase).toBe("dead");
          expect(["run.revived", "run.cancelled", "run.unwinding"]).toContain(kind);
        });
        const state = folded(legalJournal(wanted));
        if (hasEnded(state) && state.phase !== "dead") expect(whyIllegal(state, next)).not.toBeNull();
      }),
      many,
    );
  });

  test("never takes back what is done, and counts it", () => {
    fc.assert(
      fc.property(bodies, (wanted) => {
        legalJournal(wanted, (before, after) => {
          for (const [path, was] of before.steps) {
            if (!isDone(was)) continue;
            const is = after.steps.get(path)!;
            expect([is.status, is.output, is.isCaught]).toEqual([was.status, was.output, was.isCaught]);
          }
          expect(after.stepsDone).toBe([...after.steps.values()].filter(isDone).length);
        });
      }),
      many,
    );
  });

  test("leaves nothing open in a run that failed, died or was cancelled, and no question or hold of a step that has ended", () => {
    fc.assert(
      fc.property(bodies, (wanted) => {
        legalJournal(wanted, (_before, { phase, steps, openChildren }) => {
          const all = [...steps.values()];
          if (phase === "failed" || phase === "dead" || phase === "cancelled") {
            expect(all.filter(({ endedAtMs }) => endedAtMs === null)).toEqual([]);
            expect(openChildren.size).toBe(0);
          }
          const ended = all.filter(({ endedAtMs }) => endedAtMs !== null);
          expect(ended.filter(({ question, held }) => question !== null || held !== null)).toEqual([]);
          for (const path of openChildren.values()) expect(steps.get(path)?.status).toBe("waiting");
        });
      }),
      many,
    );
  });

  test("has a row that says the same", () => {
    const letting = fc.constantFrom(
      null,
      { kind: "yield" as const },
      { kind: "wait" as const, waiting: { kind: "timer" as const, untilMs: 70 } },
    );
    fc.assert(
      fc.property(bodies, letting, fc.integer({ min: 1, max: 4_000 }), (wanted, how, nowMs) => {
        const state = folded(legalJournal(wanted));
        const leaseUntilMs = nowMs + 30_000;
        const projection = { tenant: "t", stepsTotal: 2, letting: how, nowMs, leaseUntilMs };
        const row = projectRow(state, projection);
        expect(row).toMatchObject({
          headSeq: state.headSeq,
          headDigest: state.headDigest,
          error: state.error,
        });
        expect(row.stepsTotal).toBeGreaterThanOrEqual(row.stepsDone);
        const isOver = ["COMPLETED", "FAILED", "DEAD", "CANCELLED"].includes(row.state);
        expect(isOver).toBe(hasEnded(state));
        expect(row.endedAtMs !== null).toBe(isOver);
        if (isOver) expect([row.wakeAtMs, row.waiting]).toEqual([null, null]);
        // Only a pause rests until somebody speaks.
        else if (row.wakeAtMs === null) expect(row.waiting).toEqual({ kind: "pause" });
        if (row.state === "RUNNING") expect(row.wakeAtMs).toBe(leaseUntilMs);
        if (["WAITING", "RETRYING", "PENDING"].includes(row.state)) expect(row.waiting).not.toBeNull();
      }),
      many,
    );
  });
});
