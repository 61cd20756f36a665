import { afterEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { readState } from "./run-reader.ts";
import { runsRoutes } from "../reading/runs.routes.ts";
import { createStateCache } from "./state-cache.ts";
import { callRoute } from "../testing-routes.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

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
  - { id: each, for_each: "\${{ range(0, 20) }}", steps: [{ id: inner, tool: test.echo, with: { value: "\${{ item }}" } }] }
  - { id: sure, approval: { message: "Go on?" } }
`;

async function waiting(): Promise<{ world: World; runId: string; approval: string }> {
  const world = await createWorld({ tools: [echo] });
  worlds.push(world);
  await world.startWorker("one");
  const runId = await world.submit(text);
  const { id: approval } = await world.waitingApproval(runId);
  await world.until(runId, "WAITING");
  return { world, runId, approval };
}

describe("a kept state", () => {
  test("is what a fold of the whole journal gives, before and after it grows", async () => {
    const { world, runId, approval } = await waiting();
    const deps = { store: world.store, readBlobText: world.readBlobText };
    const cache = createStateCache(deps, { mostRuns: 1, fewestEvents: 1 });
    const first = await cache.read(runId);
    expect(first).toEqual(await readState(deps, runId));
    await world.answer(approval, "approve");
    await world.until(runId, "COMPLETED");
    const [one, two] = await Promise.all([cache.read(runId), cache.read(runId)]);
    expect(one).toBe(first);
    expect(two).toEqual(await readState(deps, runId));
  });

  test("of a short run, or of one too many, is folded anew", async () => {
    const { world, runId } = await waiting();
    const deps = { store: world.store, readBlobText: world.readBlobText };
    const short = createStateCache(deps, { mostRuns: 1, fewestEvents: 1_000 });
    expect(await short.read(runId)).not.toBe(await short.read(runId));
    const other = await world.submit(text);
    const narrow = createStateCache(deps, { mostRuns: 1, fewestEvents: 1 });
    const first = await narrow.read(runId);
    await narrow.read(other);
    expect(await narrow.read(runId)).not.toBe(first);
  });

  test("that could not be read to the end is not gone on with", async () => {
    const { world, runId } = await waiting();
    const deps = { store: world.store, readBlobText: world.readBlobText };
    let failures = 1;
    const scan: typeof world.store.scan = async function* (...asked) {
      for await (const rows of world.store.scan(...asked)) {
        yield rows;
        if (failures > 0) {
          failures -= 1;
          throw new Error("the connection was cut");
        }
      }
    };
    const read: typeof world.store.read = async (...asked) => {
      const rows = await world.store.read(...asked);
      if (failures > 0 && rows.length > 0) {
        failures -= 1;
        throw new Error("the connection was cut");
      }
      return rows;
    };
    const cutting = { ...deps, store: { ...world.store, scan, read } };
    const cache = createStateCache(cutting, { mostRuns: 1, fewestEvents: 1 });
    await expect(cache.read(runId)).rejects.toThrow("the connection was cut");
    expect(await cache.read(runId)).toEqual(await readState(deps, runId));
    // Of two that read it at once, each learns of its own failure, and the next reads anew.
    const second = createStateCache(cutting, { mostRuns: 1, fewestEvents: 1 });
    failures = 2;
    const both = await Promise.allSettled([second.read(runId), second.read(runId)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await second.read(runId)).toEqual(await readState(deps, runId));
  });
});

describe("the steps of a run", () => {
  test("come in pages, all of them once and in order, and by prefix", async () => {
    const { world, runId } = await waiting();
    const { store, readBlobText } = world;
    const routes = runsRoutes({
      store,
      readBlobText,
      clock,
      redact: (value) => value,
      holdsSecret: () => false,
    });
    type Steps = { readonly path: string }[];
    const detail = (await callRoute(routes, "runs.get", { params: { id: runId } })) as {
      steps: Steps;
      stepsListed: number;
    };
    const paths: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const query: Record<string, string> = { limit: "7", ...(cursor === undefined ? {} : { cursor }) };
      const page = (await callRoute(routes, "runs.steps", { params: { id: runId }, query })) as {
        data: Steps;
        nextCursor: string | null;
      };
      paths.push(...page.data.map(({ path }) => path));
      cursor = page.nextCursor;
    }
    expect(paths).toEqual(detail.steps.map(({ path }) => path));
    expect(paths).toHaveLength(22);
    expect(detail.stepsListed).toBe(22);
    const query = { prefix: "each/3/" };
    expect(await callRoute(routes, "runs.steps", { params: { id: runId }, query })).toMatchObject({
      data: [{ path: "each/3/inner", state: "completed", output: 3 }],
      nextCursor: null,
    });
  });
});
