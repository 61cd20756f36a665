/** Two versions side by side: what a newer one writes is ignored, kept or left alone by this one, never broken. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { createId, createSalt } from "../base/id.ts";
import { insertRun } from "../queue/run-row.ts";
import { expressionVersion } from "../expression/expression.ts";
import type { EventBody } from "./event.ts";
import { fold, initialState, stateVersion } from "./fold.ts";
import { buildRows, emptyHead, insertRow } from "./journal.ts";
import { projectRow } from "./project.ts";
import { eventOf } from "./session.ts";
import { createWorld } from "./testing-world.ts";
import type { World } from "./testing-world.ts";

const workflow = "version: 1\nname: w\nsteps: [{ id: a, tool: test.echo, with: { n: 1 } }]\n";

let world: World;
beforeEach(async () => {
  world = await createWorld({
    tools: [{ name: "test.echo", effect: "pure", act: ({ n }) => Promise.resolve(n as number) }],
  });
});
afterEach(() => world.close());

/** As a newer gateway would: its first event has fields that this version does not know, and perhaps a newer schema. */
async function submitFromNewer(version: number): Promise<string> {
  const nowMs = clock.now();
  const runId = createId("run", nowMs);
  const body = {
    kind: "run.created",
    workflow: { name: "w", digest: sha256(workflow), text: workflow, colour: "blue" },
    inputs: {},
    requester: "admin",
    priority: "normal",
    labels: [],
    maxAttempts: 3,
    parent: null,
    pins: { stateVersion, expressionVersion, tools: {}, models: { fast: "m" } },
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
    insertRow({ ...row!, v: version }),
  ]);
  return runId;
}

test("a run with fields of a newer version is driven to its end, and the fields stay in its journal", async () => {
  await world.startWorker("older");
  const runId = await submitFromNewer(1);
  await world.until(runId, "COMPLETED");
  const [row] = await world.store.read("SELECT body FROM journal WHERE run_id = ? AND seq = 1", [runId]);
  expect(JSON.parse(String(row?.["body"]))).toMatchObject({
    budget: { cents: 12 },
    workflow: { colour: "blue" },
  });
});

test("a run with events of a newer schema is left as it is, others go on, and a newer worker finishes it", async () => {
  const worker = await world.startWorker("older");
  const foreign = await submitFromNewer(99);
  await expect.poll(() => JSON.stringify(worker.health())).toContain("schema version 99");
  await world.until(await world.submit(workflow), "COMPLETED");
  expect(await world.row(foreign)).toMatchObject({ state: "QUEUED", headSeq: 1 });
  // The newer worker, for which that version is a known one.
  await world.store.write([{ sql: "UPDATE journal SET v = 1 WHERE run_id = ?", params: [foreign] }]);
  await world.store.write([{ sql: "UPDATE runs SET wake_at_ms = 1 WHERE id = ?", params: [foreign] }]);
  await world.until(foreign, "COMPLETED");
});
