import { afterEach, describe, expect, test } from "vitest";
import { rerunRun } from "../control/rerun.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";
import { verifyRuns } from "./verify-runs.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const echo: TestTool = {
  name: "test.echo",
  effect: "pure",
  act: ({ value }) => Promise.resolve(value ?? null),
};

const text = `version: 1
name: w
steps:
  - { id: first, tool: test.echo, with: { value: one } }
  - { id: sure, approval: { message: "Go on?" } }
`;

/** A source and its fork, with what `verify` finds of the fork. */
async function createFork(): Promise<{
  world: World;
  source: string;
  find: () => Promise<readonly string[]>;
}> {
  const world = await createWorld({ tools: [echo] });
  worlds.push(world);
  await world.startWorker("one");
  const source = await world.submit(text);
  await world.waitingApproval(source);
  await world.until(source, "WAITING");
  const { run } = await rerunRun(
    { ...world.submitDeps, readBlobText: world.readBlobText },
    {
      ...{ runId: source, tenant: "default", by: "eve", kind: "fork", fromStep: null, seq: null },
      ...{ inputs: {}, stepArguments: {}, isConfirmed: false, isDryRun: false },
    },
  );
  await world.waitingApproval(run!.id);
  await world.until(run!.id, "WAITING");
  const { store, submitDeps } = world;
  const find = async (): Promise<readonly string[]> => {
    const verdict = await verifyRuns({ store, blobs: submitDeps.blobs, heads: new Map(), runId: run!.id });
    return verdict.findings.map(({ what, detail }) => `${what}: ${detail}`);
  };
  return { world, source, find };
}

describe("verifying what a run took over", () => {
  test("finds nothing while the source's journal has it", async () => {
    const { find } = await createFork();
    expect(await find()).toEqual([]);
  });

  test("finds a source that was changed afterwards", async () => {
    const { world, source, find } = await createFork();
    await world.store.write([
      {
        sql: "UPDATE journal SET digest = ? WHERE run_id = ? AND kind = 'action.completed'",
        params: ["0".repeat(64), source],
      },
    ]);
    expect(await find()).toEqual([expect.stringContaining("carried step without proof: it names digest")]);
  });

  test("finds another output under the same digest, and a source that is not there", async () => {
    const { world, source, find } = await createFork();
    const body =
      "UPDATE journal SET body = replace(body, '\"one\"', '\"two\"') WHERE run_id = ? AND kind = 'action.completed'";
    await world.store.write([{ sql: body, params: [source] }]);
    expect(await find()).toEqual([expect.stringContaining("has another output")]);
    await world.store.write([{ sql: "DELETE FROM journal WHERE run_id = ?", params: [source] }]);
    expect(await find()).toEqual([expect.stringContaining(`there is no event 4 of ${source}`)]);
  });
});
