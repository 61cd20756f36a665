import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import type { JsonValue } from "../base/canonical-json.ts";
import { requireWorkflow } from "../workflows/workflow-file.ts";
import type { Workflow } from "../workflows/workflow.ts";
import type { EventBody, RunEvent } from "./journal/event.ts";
import { fold, initialState } from "./journal/fold.ts";
import type { RunState } from "./journal/fold.ts";
import { countToBegin } from "./steps/lanes.ts";
import { createMessageBell } from "./session/message-bell.ts";
import { rootPlace, runWorkflow } from "./steps/run-workflow.ts";
import type { RunSession } from "./session/session.ts";
import { isDone } from "./journal/step-record.ts";
import { mustUnwind } from "./steps/unwind-plan.ts";

/** The process dies: nothing after this append is written. */
class Crash extends Error {}

const clock = createManualClock(1_000);
const never = new AbortController().signal;

function refold(journal: readonly RunEvent[]): RunState {
  return journal.reduce(fold, initialState("run_p", "start"));
}

function sessionOver(journal: RunEvent[], appendsLeft: { count: number }): RunSession {
  const state = refold(journal);
  return {
    runId: state.id,
    tenant: "default",
    state,
    lease: { name: "", owner: "", epoch: 1, ttlMs: 1, untilMs: 1, remainingMs: () => 1, signal: never },
    reserved: new Map(),
    previousOwnerGone: true,
    interrupt: never,
    async append(bodies) {
      await Promise.resolve();
      if (appendsLeft.count <= 0) throw new Crash();
      appendsLeft.count -= 1;
      for (const body of bodies) journal.push(eventAfter(state, body));
      for (const event of journal.slice(journal.length - bodies.length)) fold(state, event);
      return state.headSeq;
    },
  };
}

function eventAfter({ id, headSeq }: RunState, body: EventBody): RunEvent {
  const actor = { kind: "agent", id: "test" } as const;
  return { runId: id, seq: headSeq + 1, v: 1, atMs: clock.now(), actor, digest: "", body };
}

const unused = new Proxy(() => undefined, {
  get: () => {
    throw new Error("this test has no tools");
  },
}) as never;

/** One life of the process: walks as the driver does, answers every question with yes, until the run ends or the process dies. */
async function live(workflow: Workflow, journal: RunEvent[], appends: number): Promise<void> {
  const session = sessionOver(journal, { count: appends });
  const { state } = session;
  if (state.phase === "created") await session.append([{ kind: "run.started", attempt: 1 }]);
  for (;;) {
    if (state.phase !== "running") return;
    const result = await runWorkflow(session, workflow, {
      ...(Object.fromEntries(
        [
          "gate",
          "permits",
          "workspaces",
          "rootsOf",
          "runSandboxed",
          "planArtifacts",
          "children",
          "gateTool",
        ].map((name) => [name, unused]),
      ) as Record<string, never>),
      clock,
      bell: createMessageBell(),
      isStopping: () => false,
      maxEvents: Infinity,
      foldAnswers: () => Promise.resolve({ folded: 0, isStopped: false }),
      random: () => 0,
    } as never);
    switch (result.kind) {
      case "completed":
        await session.append([{ kind: "run.completed", outputs: result.outputs }]);
        break;
      case "failed": {
        const { error } = result;
        const undoes = state.unwinding === null && mustUnwind(workflow, state, rootPlace(state, workflow));
        const unwinding = {
          kind: "run.unwinding",
          outcome: "failed",
          error,
          by: "system",
          reason: null,
        } as const;
        await session.append([undoes ? unwinding : { kind: "run.failed", error }]);
        break;
      }
      case "unwound":
        await session.append([{ kind: "run.failed", error: state.unwinding!.error! }]);
        break;
      case "wait":
        await answerAll(session);
        break;
      case "interrupted":
        throw new Error("nothing interrupts here");
    }
  }
}

/** Yes to the workflow's own questions, no to the undoing that cannot be done. */
async function answerAll(session: RunSession): Promise<void> {
  const asking = [...session.state.steps.values()].filter(({ question }) => question !== null);
  expect(asking.length).toBeGreaterThan(0);
  for (const { path, question } of asking) {
    const answer = path.endsWith("/compensate") ? "reject" : "approve";
    const base = { step: path, approvalId: question!.id, by: "eve", reason: null };
    await session.append([{ kind: "approval.decided", ...base, answer }]);
  }
}

async function runWithCrashes(workflow: Workflow, lives: readonly number[]): Promise<readonly RunEvent[]> {
  const journal: RunEvent[] = [];
  const created: EventBody = {
    kind: "run.created",
    workflow: { name: "w", digest: "d", text: "" },
    inputs: {},
    requester: "admin",
    priority: "normal",
    labels: [],
    maxAttempts: 1,
    parent: null,
    pins: { stateVersion: 1, expressionVersion: 1, tools: {} },
    workspace: null,
  };
  journal.push(eventAfter(refold([]), created));
  for (const appends of [...lives, Infinity]) {
    try {
      await live(workflow, journal, appends);
      return journal;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
  throw new Error("the last life ends the run");
}

type StepText = Readonly<Record<string, JsonValue>>;

/** Random steps without ids; ids are given in the order of the file. Branches wait for each other, for only then is the end the same. */
const steps: fc.Arbitrary<StepText[]> = fc.letrec<{ step: StepText; steps: StepText[] }>((tie) => {
  const leaf = fc.oneof(
    { weight: 4, arbitrary: fc.constant<StepText>({ set: { x: 1 } }) },
    { weight: 1, arbitrary: fc.constant<StepText>({ set: { x: '${{ fromJson("broken") }}' } }) },
    { weight: 1, arbitrary: fc.constant<StepText>({ approval: { message: "Go?" } }) },
    { weight: 1, arbitrary: fc.constant<StepText>({ if: false, set: { x: 1 } }) },
  );
  const onLaneError = fc.constantFrom("wait_all", "continue");
  const inner = tie("steps");
  const nest = fc.oneof(
    inner.map((group): StepText => ({ group })),
    inner.map((list): StepText => ({ branch: [{ when: true, steps: list }] })),
    fc
      .tuple(inner, inner, onLaneError, fc.integer({ min: 1, max: 2 }))
      .map(([left, right, mode, concurrency]): StepText => ({
        parallel: { left, right },
        on_error: mode,
        concurrency,
      })),
    fc
      .tuple(inner, onLaneError, fc.integer({ min: 1, max: 3 }))
      .map(([list, mode, concurrency]): StepText => ({
        for_each: [1, 2],
        steps: list,
        on_error: mode,
        concurrency,
      })),
  );
  const few = fc.array(leaf, { minLength: 1, maxLength: 2 });
  const handlers = fc.record(
    { catch: few, finally: few, compensate: few },
    { requiredKeys: [] },
  ) as fc.Arbitrary<StepText>;
  return {
    step: fc
      .tuple(
        fc.oneof({ maxDepth: 2, depthIdentifier: "nest" }, leaf, nest),
        fc.oneof({ weight: 2, arbitrary: fc.constant<StepText>({}) }, { weight: 1, arbitrary: handlers }),
        fc.boolean(),
      )
      .map(([body, handling, goesOn]): StepText => {
        const own = "on_error" in body || !goesOn ? {} : { on_error: "continue" };
        return { ...body, ...handling, ...own };
      }),
    steps: fc.array(tie("step"), { minLength: 1, maxLength: 3, depthIdentifier: "nest" }),
  };
}).steps;

function withIds(list: readonly StepText[], next: { id: number }): JsonValue {
  const isSteps = (key: string): boolean =>
    ["group", "steps", "catch", "finally", "compensate"].includes(key);
  return list.map((step) => {
    const id = `s${next.id++}`;
    const entries = Object.entries(step).map(([key, value]): [string, JsonValue] => {
      if (isSteps(key)) return [key, withIds(value as readonly StepText[], next)];
      if (key === "branch") {
        const arms = value as readonly { when: boolean; steps: readonly StepText[] }[];
        return [key, arms.map((arm) => ({ when: arm.when, steps: withIds(arm.steps, next) }))];
      }
      if (key !== "parallel") return [key, value];
      const branches = Object.entries(value as Record<string, readonly StepText[]>);
      return [key, Object.fromEntries(branches.map(([name, inside]) => [name, withIds(inside, next)]))];
    });
    return { id, ...Object.fromEntries(entries) };
  });
}

const failing: StepText = { set: { x: '${{ fromJson("broken") }}' } };
/** Every second one fails at its end, so that there is something to undo. */
const workflows = fc
  .tuple(steps, fc.boolean())
  .map(([list, fails]) => (fails ? [...list, failing] : list))
  .map((list) =>
    // JSON is YAML.
    requireWorkflow(JSON.stringify({ version: 1, name: "w", steps: withIds(list, { id: 1 }) })),
  );
const lives = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 });

function endOf(journal: readonly RunEvent[]) {
  const { phase, error, steps: records, stepsDone } = refold(journal);
  const ended = [...records].map(([path, { status, isCaught, output }]) => [
    path,
    status,
    isCaught,
    withoutIds(output),
  ]);
  return {
    phase,
    error: error?.code,
    stepsDone,
    steps: ended.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
  };
}

function withoutIds(output: JsonValue): string {
  return JSON.stringify(output);
}

describe("a run whose process dies again and again", () => {
  test("ends as it would have without, and does no step twice", async () => {
    await fc.assert(
      fc.asyncProperty(workflows, lives, async (workflow, deaths) => {
        const smooth = await runWithCrashes(workflow, []);
        const bumpy = await runWithCrashes(workflow, deaths);
        expect(endOf(bumpy)).toEqual(endOf(smooth));
        const completed = bumpy.flatMap(({ body }) => (body.kind === "step.completed" ? [body.step] : []));
        expect(new Set(completed).size).toBe(completed.length);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test("is at every moment in a state that makes sense", async () => {
    await fc.assert(
      fc.asyncProperty(workflows, lives, async (workflow, deaths) => {
        const journal = await runWithCrashes(workflow, deaths);
        let state = initialState("run_p", "start");
        for (const event of journal) {
          state = fold(state, event);
          const records = [...state.steps.values()];
          expect(state.stepsDone).toBe(records.filter(isDone).length);
          for (const step of records) expect(step.endedSeq === null).toBe(step.endedAtMs === null);
          if (["completed", "failed", "cancelled"].includes(state.phase))
            expect(
              records.filter(({ endedAtMs, question }) => endedAtMs === null || question !== null),
            ).toEqual([]);
        }
        expect(refold(journal)).toEqual(state);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test("undoes every completed step that says how, the last completed first", async () => {
    await fc.assert(
      fc.asyncProperty(workflows, lives, async (workflow, deaths) => {
        const journal = await runWithCrashes(workflow, deaths);
        const begun = journal.flatMap(({ body }) =>
          body.kind === "step.started" && body.start.kind === "compensate" ? [body.step] : [],
        );
        const { steps: records, phase } = refold(journal);
        const endedSeqs = begun.map((path) => records.get(path.slice(0, -"/compensate".length))!.endedSeq!);
        expect(endedSeqs).toEqual([...endedSeqs].sort((a, b) => b - a));
        if (phase === "completed") expect(begun).toEqual([]);
        expect(begun.every((path) => records.get(path)!.endedAtMs !== null)).toBe(true);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

test("lanes are begun until the file's bound is reached, and none when it is over", () => {
  const number = fc.nat(20);
  fc.assert(
    fc.property(number, number, number, fc.boolean(), (begun, busy, more, isOver) => {
      const lanes = begun + more;
      const count = countToBegin({ begun, busy, isOver, lanes }, { concurrency: 8 });
      expect(count).toBeGreaterThanOrEqual(0);
      expect(begun + count).toBeLessThanOrEqual(lanes);
      if (count > 0) expect(busy + count).toBeLessThanOrEqual(8);
      if (isOver) expect(count).toBe(0);
      else if (begun + count < lanes) expect(busy + count).toBeGreaterThanOrEqual(8);
    }),
  );
});
