/** What a session writes and refuses to write, one process alone. */
import { afterEach, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { acquireLease } from "../../store/lease.ts";
import { leaseName } from "../worker/adopt-orphans.ts";
import { buildRows, emptyHead, inlineBodyLimit } from "../journal/journal.ts";
import { createSession, eventOf } from "./session.ts";
import type { RunSession } from "./session.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function open(): Promise<{ readonly world: World; readonly session: RunSession }> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  const { store, submitDeps } = world;
  const runId = await world.submit("version: 1\nname: w\nsteps: [{ id: s, set: { x: 1 } }]\n");
  const request = { name: leaseName(runId), owner: "one", ttlMs: 30_000, now: clock.now() };
  const lease = await acquireLease(store, { ...request, isOwnerDead: () => false });
  const deps = { store, blobs: submitDeps.blobs, clock, announce: () => undefined };
  const start = { tenant: "default", stepsTotal: 1, previousOwnerGone: true };
  const interrupt = new AbortController().signal;
  const state = await world.state(runId);
  return {
    world,
    session: createSession(deps, { ...start, state, interrupt, lease: store.holdLease(lease!) }),
  };
}

test("an output too large for its row is read back whole", async () => {
  const { world, session } = await open();
  const output = "x".repeat(inlineBodyLimit + 1);
  await session.append([{ kind: "run.started", attempt: 1 }]);
  await session.append([{ kind: "step.completed", step: "s", output }]);
  const rows = await world.store.read(
    "SELECT body, blob_bytes FROM journal WHERE run_id = ? AND step = 's'",
    [session.runId],
  );
  expect(rows).toMatchObject([{ body: null }]);
  expect(Number(rows[0]!["blob_bytes"])).toBeGreaterThan(inlineBodyLimit);
  expect((await world.state(session.runId)).steps.get("s")).toMatchObject({ output, status: "completed" });
});

test("an error that quotes half a sign, or an output with one, keeps no run from its end", async () => {
  const { world, session } = await open();
  const cut = 'found "\u{1f600}'.slice(0, -1);
  await session.append([{ kind: "run.started", attempt: 1 }]);
  await session.append([{ kind: "step.completed", step: "s", output: { [cut]: [cut, null, 1] } }]);
  await session.append([{ kind: "run.failed", error: { code: "X", message: cut } }]);
  const state = await world.state(session.runId);
  const plain = 'found "\ufffd';
  expect(state.steps.get("s")?.output).toEqual({ [plain]: [plain, null, 1] });
  expect(state.error).toEqual({ code: "X", message: plain });
  expect(session.state.error).toEqual(state.error);
});

test.each([
  [{ kind: "run.revived", by: "eve" } as const, /^run\.revived cannot be journalled .*only a dead run/],
  [
    {
      kind: "approval.decided",
      step: "s",
      approvalId: "apr_1",
      answer: "approve",
      by: "eve",
      reason: null,
    } as const,
    /^approval\.decided of s cannot be journalled .*apr_1 is not open$/,
  ],
])("what may not follow is a fault of ours and is not written: %j", async (body, told) => {
  const { world, session } = await open();
  await expect(session.append([body])).rejects.toMatchObject({
    code: "INTERNAL",
    message: expect.stringMatching(told),
  });
  expect(await world.kinds(session.runId)).toEqual(["run.created"]);
});

test("an event is never made of one step's row and another's body", () => {
  const envelope = { runId: "run_1", tenant: "default", actor: { kind: "agent", id: "a" } as const };
  const body = { kind: "step.completed", step: "s", output: 1 } as const;
  const rest = { labels: [], epoch: 1, atMs: 1 };
  const { rows } = buildRows(emptyHead("run_1"), { ...envelope, ...rest }, [body], () => "00".repeat(16));
  expect(eventOf(rows[0]!, body)).toMatchObject({ seq: 1, body });
  expect(() => eventOf(rows[0]!, { ...body, step: "t" })).toThrow("row and body belong together");
});
