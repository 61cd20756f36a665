import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import { putMessage } from "../session/inbox.ts";
import type { InboxMessage } from "../session/inbox.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function start(tools: readonly TestTool[] = []): Promise<World> {
  const world = await createWorld({ tools });
  worlds.push(world);
  return world;
}

const asking = `version: 1
name: w
steps:
  - { id: sure, approval: { message: "Go on?" } }
`;
const acting = `version: 1
name: w
steps:
  - { id: act, tool: test.act, with: {} }
`;

test("a queued run is cancelled although no worker runs", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  await world.cancelAtOnce(runId);
  expect(await world.row(runId)).toMatchObject({ state: "CANCELLED", wakeAtMs: null, error: null });
  expect(await world.kinds(runId)).toEqual(["run.created", "run.cancelled"]);
  expect(await world.store.read("SELECT name FROM leases WHERE owner <> ''")).toEqual([]);
});

test("a run that waits for a person is cancelled with its question although no worker runs", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  const worker = await world.startWorker("one");
  await world.waitingApproval(runId);
  await world.until(runId, "WAITING");
  await worker.stop();
  await world.cancelAtOnce(runId);
  expect(await world.row(runId)).toMatchObject({ state: "CANCELLED" });
  const [approval] = await world.store.read("SELECT status FROM approvals WHERE run_id = ?", [runId]);
  expect(approval!["status"]).toBe("cancelled");
});

test("a message that an older program took and no journal can hold keeps no run from its cancel", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  const message: InboxMessage = { kind: "steer", by: "eve", message: "\udfff" };
  await world.store.write([...putMessage(runId, "steer/1", message, clock.now())]);
  await world.cancelAtOnce(runId);
  expect(await world.row(runId)).toMatchObject({ state: "CANCELLED", fault: null });
  expect(await world.kinds(runId)).toEqual(["run.created", "message.set_aside", "run.cancelled"]);
});

test("a run that a worker holds is left to it, and ends once", async () => {
  const begun = Promise.withResolvers<void>();
  const act = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    begun.resolve();
    await clock.sleep(60_000, signal);
    return null;
  };
  const world = await start([{ name: "test.act", effect: "pure", act }]);
  const runId = await world.submit(acting);
  await world.startWorker("one");
  await begun.promise;
  await world.cancelAtOnce(runId);
  await world.until(runId, "CANCELLED");
  const kinds = await world.kinds(runId);
  expect(kinds.filter((kind) => kind === "run.cancelled")).toHaveLength(1);
});

test("what a run says of its progress stands in its row, the last word too", async () => {
  const said = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const world = await start([
    {
      name: "test.act",
      effect: "pure",
      act: async (_, context) => {
        context.progress("begun", 5);
        context.progress("nearly done", 141.4);
        said.resolve();
        await go.promise;
        return null;
      },
    },
  ]);
  const runId = await world.submit(acting);
  await world.startWorker("one");
  await said.promise;
  const textOf = async (): Promise<unknown> => {
    const [row] = await world.store.read("SELECT progress FROM runs WHERE id = ?", [runId]);
    return row!["progress"] === null ? null : JSON.parse(row!["progress"] as string);
  };
  for (let tries = 0; (await textOf()) === null && tries < 200; tries += 1) await clock.sleep(5);
  expect(await textOf()).toMatchObject({ text: "begun", percent: 5 });
  for (let tries = 0; tries < 400 && !JSON.stringify(await textOf()).includes("nearly"); tries += 1)
    await clock.sleep(5);
  expect(await textOf()).toMatchObject({ text: "nearly done", percent: 100 });
  go.resolve();
  await world.until(runId, "COMPLETED");
});

test("a worker of the same process does not take the run away from under a cancel", async () => {
  const canGoOn = Promise.withResolvers<void>();
  const world = await createWorld({
    tools: [],
    openStore: async (migrations) => {
      const folder = await mkdtemp(join(tmpdir(), "homeostat-fold-"));
      folders.push(folder);
      const logger = createSilentLogger();
      const store = await openSqliteStore({ path: join(folder, "state.db"), clock, logger, migrations });
      const read: typeof store.read = async (sql, params) => {
        if (sql.startsWith("SELECT tenant, steps_total FROM runs")) await canGoOn.promise;
        return await store.read(sql, params);
      };
      return { ...store, read };
    },
  });
  worlds.push(world);
  const runId = await world.submit(asking);
  const cancelled = world.cancelAtOnce(runId);
  const leases = () => world.store.read("SELECT owner, epoch FROM leases WHERE name = ?", [`run/${runId}`]);
  await expect.poll(leases).toEqual([{ owner: "reader", epoch: 1 }]);
  await world.startWorkerHere();
  canGoOn.resolve();
  await cancelled;
  expect(await world.row(runId)).toMatchObject({ state: "CANCELLED" });
  expect(await leases()).toEqual([{ owner: "", epoch: 1 }]);
});

test("a run whose journal this program cannot read is left to a newer worker, at once and with its message", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  await world.store.write([{ sql: "UPDATE journal SET v = 99 WHERE run_id = ?", params: [runId] }]);
  await world.cancelAtOnce(runId);
  expect(await world.row(runId)).toMatchObject({ state: "QUEUED" });
  expect(await world.store.read("SELECT name FROM leases WHERE owner <> ''")).toEqual([]);
  expect(await world.store.read("SELECT 1 AS open FROM inbox WHERE folded_seq IS NULL")).toHaveLength(1);
});

test("a fault of ours is not taken for a run that somebody else has", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  vi.spyOn(world.store, "holdLease").mockImplementationOnce(() => {
    throw new TypeError("broken");
  });
  await expect(world.cancelAtOnce(runId)).rejects.toThrow(TypeError);
});
