/** What becomes of a message, by kind and by where its run stands: an event, or nothing because it came too late. */
import { describe, expect, test } from "vitest";
import type { SqlValue, Statement } from "../../store/store.ts";
import type { EventBody } from "../journal/event.ts";
import { foldAnswers, foldInbox } from "./fold-inbox.ts";
import { fold, initialState } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import type { InboxMessage } from "../session/inbox.ts";
import type { RunSession } from "../session/session.ts";

const by = "eve";
const reason = null;
const created: EventBody = {
  kind: "run.created",
  workflow: { name: "w", digest: "d", text: "t" },
  ...{ inputs: {}, requester: "admin", priority: "normal", labels: [], maxAttempts: 3, parent: null },
  ...{ pins: { stateVersion: 1, expressionVersion: 1, tools: {} }, workspace: null },
};
const started: EventBody = { kind: "run.started", attempt: 1 };
const question: EventBody = {
  ...{ kind: "approval.requested", step: "s", approvalId: "apr_1", about: "action", argsDigest: "d" },
  ...{ policyRevision: "r", expiresAtMs: null, summary: "?" },
};
const waitsForChild: EventBody = {
  ...{ kind: "step.started", step: "c" },
  start: { kind: "workflow", childId: "run_c", workflow: { name: "w", digest: "d" } },
};
const childEnd = {
  step: "c",
  childId: "run_c",
  state: "completed",
  output: 1,
  labels: [],
  error: null,
} as const;

function stateAfter(...bodies: readonly EventBody[]): RunState {
  const state = initialState("run_1", "start");
  for (const body of [created, started, ...bodies]) append(state, body);
  return state;
}

function append(state: RunState, body: EventBody): void {
  const seq = state.headSeq + 1;
  fold(state, {
    runId: "run_1",
    seq,
    v: 1,
    atMs: seq,
    actor: { kind: "user", id: by },
    digest: `d${seq}`,
    body,
  });
}

interface Heard {
  readonly appended: readonly EventBody[];
  readonly actors: readonly string[];
  /** Messages that are marked as read, by their number. */
  readonly read: readonly SqlValue[];
  readonly cancelsApprovals: boolean;
  readonly answers?: { readonly folded: number; readonly isStopped: boolean };
}

async function hear(
  state: RunState,
  messages: readonly InboxMessage[],
  how: { readonly mustUnwind?: boolean; readonly answersOnly?: boolean } = {},
): Promise<Heard> {
  const appended: EventBody[] = [];
  const actors: string[] = [];
  const statements: Statement[] = [];
  const session = {
    runId: "run_1",
    state,
    append: (
      bodies: readonly EventBody[],
      { extra, actor }: { extra: (seq: number) => readonly Statement[]; actor: { kind: string; id: string } },
    ) => {
      for (const body of bodies) append(state, body);
      appended.push(...bodies);
      actors.push(`${actor.kind} ${actor.id}`);
      statements.push(...extra(state.headSeq));
      return Promise.resolve(state.headSeq);
    },
  } as unknown as RunSession;
  const rows = messages.map((message, index) => ({
    id: index + 1,
    v: 1,
    at_ms: 5,
    body: JSON.stringify(message),
  }));
  const deps = {
    store: { read: () => Promise.resolve(rows) },
    mustUnwind: () => how.mustUnwind ?? false,
    heard: () => undefined,
  };
  const answers =
    how.answersOnly === true ? await foldAnswers(session, deps) : await foldInbox(session, deps);
  return {
    appended,
    actors,
    read: statements.filter(({ sql }) => sql.startsWith("UPDATE inbox")).map(({ params }) => params![1]!),
    cancelsApprovals: statements.some(({ sql }) => sql.includes("approvals")),
    ...(answers === undefined ? {} : { answers }),
  };
}

const pause: InboxMessage = { kind: "pause", by, reason };
const cancel: InboxMessage = { kind: "cancel", by, reason };
const approval: InboxMessage = {
  ...{ kind: "approval", step: "s", approvalId: "apr_1", answer: "approve", by, reason },
};
const outcome: InboxMessage = {
  ...{ kind: "outcome", step: "s", approvalId: "apr_1", answer: "happened", by, reason, output: 1 },
};
const childMessage: InboxMessage = { kind: "child", by: "system", ...childEnd };

describe("a message becomes an event", () => {
  test.each<[string, readonly EventBody[], InboxMessage, EventBody]>([
    ["pause", [], pause, { kind: "run.paused", by, reason }],
    [
      "a parent's pause",
      [],
      { ...pause, heldBy: "run_p" },
      { kind: "run.paused", by, reason, heldBy: "run_p" },
    ],
    ["resume", [{ kind: "run.paused", by, reason }], { kind: "resume", by }, { kind: "run.resumed", by }],
    ["steer", [], { kind: "steer", by, message: "quick" }, { kind: "run.steered", by, message: "quick" }],
    [
      "signal",
      [],
      { kind: "signal", by, name: "go", data: 1 },
      { kind: "signal.received", by, name: "go", data: 1 },
    ],
    ["a child's end", [waitsForChild], childMessage, { kind: "child.ended", ...childEnd }],
    ["approval", [question], approval, { ...approval, kind: "approval.decided" } as EventBody],
    [
      "approval with an edit",
      [question],
      { ...approval, edit: { a: 1 } },
      { ...approval, kind: "approval.decided", edit: { a: 1 } } as EventBody,
    ],
    ["outcome", [question], outcome, { ...outcome, kind: "outcome.resolved" } as EventBody],
    ["cancel", [], cancel, { kind: "run.cancelled", by, reason }],
    [
      "revive",
      [{ kind: "run.died", error: { code: "X", message: "x" } }],
      { kind: "revive", by },
      { kind: "run.revived", by },
    ],
    [
      "discard of a dead letter",
      [{ kind: "run.died", error: { code: "X", message: "x" } }],
      cancel,
      { kind: "run.cancelled", by, reason },
    ],
  ])("%s", async (_name, before, message, event) => {
    const heard = await hear(stateAfter(...before), [message]);
    expect(heard.appended).toEqual([event]);
    expect(heard.read).toEqual([1]);
    expect(heard.actors).toEqual([message.by === "system" ? "system system" : "user eve"]);
    expect(heard.cancelsApprovals).toBe(message.kind === "cancel");
  });
});

describe("a message that came too late is only marked as read", () => {
  const paused: EventBody = { kind: "run.paused", by, reason };
  const completed: EventBody = { kind: "run.completed", outputs: {} };
  test.each<[string, readonly EventBody[], InboxMessage]>([
    ["pause of a paused run", [paused], { ...pause, heldBy: "run_p" }],
    ["resume of a run that goes on", [], { kind: "resume", by }],
    ["a parent's resume of what a person paused", [paused], { kind: "resume", by, heldBy: "run_p" }],
    ["the end of a child nobody waits for", [], childMessage],
    ["an answer to no question", [], approval],
    ["an answer to another question", [question], { ...approval, approvalId: "apr_2" }],
    ["an outcome of no question", [], outcome],
    ["revival of a run that lives", [], { kind: "revive", by }],
    ["pause after the end", [completed], pause],
    ["a signal after the end", [completed], { kind: "signal", by, name: "go", data: 1 }],
    ["cancel after the end", [completed], cancel],
  ])("%s", async (_name, before, message) => {
    const heard = await hear(stateAfter(...before), [message]);
    expect([heard.appended, heard.read, heard.cancelsApprovals]).toEqual([[], [1], false]);
  });
});

test("what was done is undone first; who cancels again while it is undone ends the run as it is", async () => {
  const heard = await hear(stateAfter(), [cancel, cancel], { mustUnwind: true });
  expect(heard.appended.map(({ kind }) => kind)).toEqual(["run.unwinding", "run.cancelled"]);
});

test("while branches are under way answers are heard up to the first message that is for the whole run", async () => {
  const signal: InboxMessage = { kind: "signal", by, name: "go", data: 1 };
  const heard = await hear(stateAfter(question), [signal, approval, pause, signal], { answersOnly: true });
  expect(heard.appended.map(({ kind }) => kind)).toEqual(["signal.received", "approval.decided"]);
  expect([heard.read, heard.answers]).toEqual([[1, 2], { folded: 2, isStopped: true }]);
  const all = await hear(stateAfter(), [signal, signal], { answersOnly: true });
  expect(all.answers).toEqual({ folded: 2, isStopped: false });
});

test("a message of a newer program, or of a kind that nobody knows, is not passed over", async () => {
  const strange = { kind: "dance", by } as unknown as InboxMessage;
  await expect(hear(stateAfter(), [strange])).rejects.toMatchObject({ code: "RUN_VERSION_UNKNOWN" });
});

describe("a message that no journal can hold", () => {
  const half = "\udfff";
  test.each<[string, readonly EventBody[], InboxMessage]>([
    ["a word to the run", [], { kind: "steer", by, message: half }],
    ["a signal", [], { kind: "signal", by, name: "go", data: { [half]: 1 } }],
    ["an edit", [question], { ...approval, edit: { a: half } }],
  ])("is set aside, on record, and the cancel behind it is heard: %s", async (_name, before, message) => {
    const heard = await hear(stateAfter(...before), [message, cancel]);
    const why = "canonical JSON cannot hold a lone surrogate";
    expect(heard.appended).toEqual([
      { kind: "message.set_aside", message: message.kind, by, why },
      { kind: "run.cancelled", by, reason },
    ]);
    expect(heard.read).toEqual([1, 2]);
  });

  test("a cancel is heeded whatever its reason says, and whoever sent it", async () => {
    const heard = await hear(stateAfter(), [
      { ...pause, reason: half },
      { ...cancel, reason: half },
    ]);
    expect(heard.appended).toEqual([
      { kind: "run.paused", by, reason: "\ufffd" },
      { kind: "run.cancelled", by, reason: "\ufffd" },
    ]);
    const strange = await hear(stateAfter(), [{ kind: "steer", by: half, message: "quick" }]);
    expect([strange.appended[0]?.kind, strange.actors]).toEqual(["message.set_aside", ["user \ufffd"]]);
  });

  test("after the end it is only marked as read", async () => {
    const dead: EventBody = { kind: "run.died", error: { code: "X", message: "x" } };
    const heard = await hear(stateAfter(dead), [{ kind: "revive", by: half }]);
    expect([heard.appended, heard.read]).toEqual([[], [1]]);
  });
});
