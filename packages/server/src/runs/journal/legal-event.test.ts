/** Every phase of a run, and what may follow on it: the whole table, so that a new phase or kind is put into it on purpose. */
import { describe, expect, test } from "vitest";
import type { EventBody, EventKind, RunError } from "./event.ts";
import { fold, initialState } from "./fold.ts";
import type { RunPhase, RunState } from "./fold.ts";
import { whyIllegal } from "./legal-event.ts";

type RunKind = Extract<EventKind, `run.${string}`>;

const error: RunError = { code: "ACTION_FAILED", message: "broke" };
const by = "eve";
const reason = null;

/** One of each kind that is about the run itself. */
const bodies: { readonly [Kind in RunKind]: Extract<EventBody, { kind: Kind }> } = {
  "run.created": {
    kind: "run.created",
    workflow: { name: "w", digest: "d", text: "t" },
    ...{ inputs: {}, requester: "admin", priority: "normal", labels: [], maxAttempts: 3, parent: null },
    ...{ pins: { stateVersion: 1, expressionVersion: 1, tools: {} }, workspace: null },
  },
  "run.started": { kind: "run.started", attempt: 1 },
  "run.paused": { kind: "run.paused", by, reason },
  "run.resumed": { kind: "run.resumed", by },
  "run.cancelled": { kind: "run.cancelled", by, reason },
  "run.retrying": { kind: "run.retrying", error, retryAtMs: 3_000 },
  "run.failed": { kind: "run.failed", error },
  "run.died": { kind: "run.died", error },
  "run.revived": { kind: "run.revived", by },
  "run.steered": { kind: "run.steered", by, message: "quick" },
  "run.unwinding": { kind: "run.unwinding", outcome: "failed", error, by, reason },
  "run.completed": { kind: "run.completed", outputs: {} },
};

/** How each phase is reached. */
const ways: Readonly<Record<RunPhase, readonly RunKind[]>> = {
  created: ["run.created"],
  running: ["run.created", "run.started"],
  paused: ["run.created", "run.started", "run.paused"],
  retrying: ["run.created", "run.started", "run.retrying"],
  completed: ["run.created", "run.started", "run.completed"],
  failed: ["run.created", "run.started", "run.failed"],
  dead: ["run.created", "run.started", "run.died"],
  cancelled: ["run.created", "run.started", "run.cancelled"],
};

/** May follow on any run that goes on. */
const always = {
  "run.cancelled": "cancelled",
  "run.failed": "failed",
  "run.died": "dead",
  "run.retrying": "retrying",
  "run.unwinding": "running",
} as const;

/** What may follow, and the phase the run is in then. What is not named is refused. */
const next: Readonly<Record<RunPhase, Partial<Readonly<Record<RunKind, RunPhase>>>>> = {
  created: { ...always, "run.started": "running", "run.paused": "paused", "run.steered": "created" },
  running: { ...always, "run.paused": "paused", "run.steered": "running", "run.completed": "completed" },
  paused: { ...always, "run.resumed": "running", "run.steered": "paused" },
  retrying: { ...always, "run.started": "running", "run.paused": "paused", "run.steered": "retrying" },
  completed: {},
  failed: {},
  dead: { "run.revived": "created", "run.cancelled": "cancelled", "run.unwinding": "running" },
  cancelled: {},
};

function after(kinds: readonly RunKind[]): RunState {
  const state = initialState("run_1", "start");
  for (const kind of kinds) append(state, bodies[kind]);
  return state;
}

function append(state: RunState, body: EventBody): RunState {
  const seq = state.headSeq + 1;
  const actor = { kind: "agent", id: "test" } as const;
  return fold(state, { runId: "run_1", seq, v: 1, atMs: 1_000 + seq, actor, digest: `d${seq}`, body });
}

describe.each(Object.keys(ways) as RunPhase[])("a run that is %s", (phase) => {
  test.each(Object.keys(bodies) as RunKind[])("and %s", (kind) => {
    const state = after(ways[phase]);
    expect(state.phase).toBe(phase);
    const becomes = next[phase][kind];
    const why = whyIllegal(state, bodies[kind]);
    if (becomes === undefined) {
      expect(why).toEqual(expect.any(String));
    } else {
      expect(why).toBeNull();
      expect(append(state, bodies[kind]).phase).toBe(becomes);
    }
  });
});

test("nothing but its creation begins a journal", () => {
  for (const [kind, body] of Object.entries(bodies)) {
    const why = whyIllegal(initialState("run_1", "start"), body);
    expect(why === null).toBe(kind === "run.created");
  }
});
