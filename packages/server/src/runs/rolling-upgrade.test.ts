/** Two versions side by side: what a newer one writes is ignored, kept or left alone by this one, never broken. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { createId, createSalt } from "../base/id.ts";
import { insertRun } from "../queue/run-row.ts";
import { expressionVersion } from "../expression/expression.ts";
import type { EventBody } from "./journal/event.ts";
import { fold, initialState, stateVersion } from "./journal/fold.ts";
import { buildRows, emptyHead, insertRow } from "./journal/journal.ts";
import { projectRow } from "./journal/project.ts";
import { eventOf } from "./session/session.ts";
import { isNewer } from "./worker/require-known.ts";
import { createWorld } from "./testing-world.ts";
import type { World } from "./testing-world.ts";

const workflow = "version: 1\nname: w\nsteps: [{ id: a, tool: test.echo, with: { n: 1 } }]\n";

let world: World;
beforeEach(async () => {
  world = await createWorld({
    version: "2.9.0",
    tools: [{ name: "test.echo", effect: "pure", act: ({ n }) => Promise.resolve(n as number) }],
  });
});
afterEach(() => world.close());

interface Newer {
  readonly v?: number;
  readonly kind?: string;
  readonly text?: string;
  readonly program?: string;
  readonly notBeforeMs?: number;
}

/** As a newer gateway would: its first event has fields that this version does not know, and perhaps more that is new. */
async function submitFromNewer({
  v = 1,
  kind,
  text = workflow,
  program,
  ...more
}: Newer = {}): Promise<string> {
  const nowMs = clock.now();
  const runId = createId("run", nowMs);
  const body = {
    kind: "run.created",
    workflow: { name: "w", digest: sha256(text), text, colour: "blue" },
    ...more,
    inputs: {},
    requester: "admin",
    priority: "normal",
    labels: [],
    maxAttempts: 3,
    parent: null,
    pins: {
      stateVersion,
      expressionVersion,
      tools: {},
      models: { fast: "m" },
      ...(program === undefined ? {} : { program }),
    },
    workspace: null,
    budget: { cents: 12 },
  } as EventBody;
  const actor = { kind: "user", id: "admin" } as const;
  const envelope = { runId, tenant: "default", actor, labels: [], epoch: 0, atMs: nowMs };
  const [row] = buildRows(emptyHead(runId), envelope, [body], createSalt).rows;
  const state = fold(initialState(runId, emptyHead(runId).digest), eventOf(row!, body));
  const projection = { tenant: "default", stepsTotal: 1, letting: null, nowMs, leaseUntilMs: nowMs };
  await world.store.write([
    insertRun(projectRow(state, projection), null),
    insertRow({ ...row!, v, kind: kind ?? row!.kind }),
  ]);
  return runId;
}

test("a run with fields of a newer version is driven to its end, and the fields stay in its journal", async () => {
  await world.startWorker("older");
  const runId = await submitFromNewer();
  await world.until(runId, "COMPLETED");
  const [row] = await world.store.read("SELECT body FROM journal WHERE run_id = ? AND seq = 1", [runId]);
  expect(JSON.parse(String(row?.["body"]))).toMatchObject({
    budget: { cents: 12 },
    workflow: { colour: "blue" },
  });
});

test("a run with events of a newer schema is left as it is, others go on, and a newer worker finishes it", async () => {
  const worker = await world.startWorker("older");
  const foreign = await submitFromNewer({ v: 99 });
  await expect.poll(() => JSON.stringify(worker.health())).toContain("schema version 99");
  await world.until(await world.submit(workflow), "COMPLETED");
  expect(await world.row(foreign)).toMatchObject({
    ...{ state: "QUEUED", headSeq: 1, claims: 0 },
    fault: { code: "RUN_VERSION_UNKNOWN", message: expect.stringContaining("schema version 99") },
  });
  // The newer worker, for which that version is a known one.
  await world.store.write([{ sql: "UPDATE journal SET v = 1 WHERE run_id = ?", params: [foreign] }]);
  await world.startWorker("newer");
  await world.until(foreign, "COMPLETED");
});

test("each process meets such a run once, however often it looks, and that never brings the run nearer to its end", async () => {
  const foreign = await submitFromNewer({ v: 99 });
  const opened = (): Promise<number> =>
    world.store
      .read("SELECT epoch FROM leases WHERE name = ?", [`run/${foreign}`])
      .then(([row]) => Number(row?.["epoch"] ?? 0));
  for (let process = 1; process <= 15; process += 1) {
    const worker = await world.startWorker(`older ${process}`);
    await expect.poll(opened).toBe(process);
    await expect.poll(() => worker.health().kind).toBe("degraded");
    // Work for others makes it look again.
    if (process % 5 === 0) await world.until(await world.submit(workflow), "COMPLETED");
    expect(await opened()).toBe(process);
    await worker.stop();
  }
  await world.store.write([{ sql: "UPDATE journal SET v = 1 WHERE run_id = ?", params: [foreign] }]);
  await world.startWorker("newer");
  expect((await world.until(foreign, "COMPLETED", "DEAD")).state).toBe("COMPLETED");
});

test("an event of a kind that this version does not know is not passed over, and neither is such a message", async () => {
  const worker = await world.startWorker("older");
  const unknownKind = await submitFromNewer({ kind: "run.summoned" });
  await expect.poll(() => JSON.stringify(worker.health())).toContain("kind run.summoned");
  const told = await submitFromNewer({ notBeforeMs: clock.now() + 60_000 });
  await world.until(told, "PENDING", "QUEUED");
  const message = JSON.stringify({ kind: "teleport", by: "eve", to: "mars" });
  await world.store.write([
    {
      sql: "INSERT INTO inbox (run_id, key, v, at_ms, body) VALUES (?, 'teleport', 1, 0, ?)",
      params: [told, message],
    },
    { sql: "UPDATE runs SET wake_at_ms = 1 WHERE id = ?", params: [told] },
  ]);
  await expect.poll(() => JSON.stringify(worker.health())).toContain("message teleport");
  for (const run of [unknownKind, told]) {
    expect(await world.row(run)).toMatchObject({
      error: null,
      claims: 0,
      fault: { code: "RUN_VERSION_UNKNOWN" },
    });
  }
});

test("a workflow or a tool that only a newer version knows is left to it; what an older one took ends in plain sight", async () => {
  const { startWorker, row, until } = world;
  await startWorker("older");
  const text = "version: 1\nname: w\nsteps: [{ id: a, dream: { of: sheep } }]\n";
  const [newer, older] = [
    await submitFromNewer({ text, program: "2.10.0" }),
    await submitFromNewer({ text, program: "2.8.9" }),
  ];
  await expect.poll(async () => (await row(newer)).fault?.message).toContain("this version cannot read");
  expect((await until(older, "FAILED")).error).toMatchObject({ code: "WORKFLOW_INVALID" });
  const tool = "version: 1\nname: w\nsteps: [{ id: a, tool: test.newest, with: {} }]\n";
  const tooled = await submitFromNewer({ text: tool, program: "3.0.0" });
  await expect.poll(async () => (await row(tooled)).fault?.message).toContain("the tool test.newest");
  for (const run of [newer, tooled]) expect(await row(run)).toMatchObject({ state: "QUEUED", error: null });
  // A gateway of the older version leaves a cancel to the newer one too: it cannot know what has to be undone.
  await world.cancelAtOnce(newer);
  expect((await row(newer)).state).toBe("QUEUED");
});

test("versions are compared by their numbers", () => {
  expect([isNewer("0.10.0", "0.9.9"), isNewer("1.0", "1.0.1"), isNewer("1.2.3", "1.2.3-beta.1")]).toEqual([
    true,
    false,
    false,
  ]);
});
