import { afterEach, expect, test } from "vitest";
import { formatCursor } from "../../http/page.ts";
import type { Route } from "../../http/route.ts";
import { graphRoutes } from "./graph.routes.ts";
import { runControlRoutes } from "../control/run-control.routes.ts";
import { runsRoutes } from "./runs.routes.ts";
import { submitTask } from "../submission/submit.ts";
import { callRoute } from "../testing-routes.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(): Promise<{ world: World; routes: readonly Route[] }> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  await world.startWorker("one");
  const deps = { ...world.submitDeps, readBlobText: world.readBlobText, redact: (value: unknown) => value };
  return { world, routes: [...runsRoutes(deps), ...runControlRoutes(deps), ...graphRoutes(deps)] };
}

const twoSteps = `version: 1
name: two
steps:
  - { id: first, set: { a: 1 } }
  - { id: second, set: { b: 2 } }
`;
const waiting = `version: 1
name: waiting
steps:
  - id: paid
    wait:
      signal: payment
      by: [operator]
      payload: { amount: { type: number }, note: { type: string, default: "" } }
`;

test("runs made from a run are listed by it, name it, and mark what they kept", async () => {
  const { world, routes } = await start();
  const source = await world.submit(twoSteps);
  await world.until(source, "COMPLETED");
  const answer = await callRoute(routes, "runs.rerun", {
    params: { id: source },
    body: { fromStep: "second" },
  });
  const { run } = answer as { run: { id: string } };
  await world.until(run.id, "COMPLETED");
  expect(await callRoute(routes, "runs.list", { query: { parent: source } })).toMatchObject({
    data: [{ id: run.id, parent: source }],
  });
  const detail = await callRoute(routes, "runs.get", { params: { id: run.id } });
  expect(detail).toMatchObject({
    origin: { kind: "rerun", run: source },
    steps: [
      { path: "first", carried: { run: source } },
      { path: "second", carried: null },
    ],
  });
});

test("a list by label holds only runs that have exactly this label", async () => {
  const { world, routes } = await start();
  const ids = [];
  for (const labels of [["night"], ["nightly", "Night"], ["day", "night"]]) {
    const task = { workflow: twoSteps, files: [], inputs: {}, priority: "normal", labels } as const;
    ids.push((await submitTask(world.submitDeps, { ...task, requester: "admin", tenant: "default" })).id);
  }
  const { data } = (await callRoute(routes, "runs.list", { query: { label: "night" } })) as {
    data: { id: string }[];
  };
  expect(new Set(data.map(({ id }) => id))).toEqual(new Set([ids[0], ids[2]]));
});

test("a list goes on from its own cursor, and from one that an older version gave out", async () => {
  const { world, routes } = await start();
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await world.submit(twoSteps));
  const [oldest, middle, newest] = ids.toSorted();
  const page = async (query: Record<string, string>) =>
    (await callRoute(routes, "runs.list", { query })) as { data: { id: string }[]; nextCursor: string };
  const first = await page({ limit: "1" });
  expect(first.data).toMatchObject([{ id: newest }]);
  const rest = [{ id: middle }, { id: oldest }];
  expect(await page({ cursor: first.nextCursor })).toMatchObject({ data: rest });
  expect(await page({ cursor: formatCursor([Date.now(), newest!]) })).toMatchObject({ data: rest });
});

test("a run tells which signal it waits for, and what was said to it", async () => {
  const { world, routes } = await start();
  const id = await world.submit(waiting);
  await world.until(id, "WAITING");
  await callRoute(routes, "runs.steer", { params: { id }, body: { message: "soon" } });
  await expect
    .poll(() => callRoute(routes, "runs.get", { params: { id } }))
    .toMatchObject({
      messages: [{ by: "admin", text: "soon" }],
      steps: [
        {
          signal: {
            name: "payment",
            by: ["operator"],
            payload: [
              { name: "amount", isNeeded: true },
              { name: "note", isNeeded: false },
            ],
          },
        },
      ],
    });
});

test("a graph comes with the places of its nodes and lines", async () => {
  const { routes } = await start();
  const graph = (await callRoute(routes, "workflows.graph", { body: { workflow: twoSteps } })) as {
    size: { width: number; height: number; nodeWidth: number };
    nodes: { x: number; y: number }[];
    edges: { points: number[][] }[];
  };
  expect(
    graph.nodes.every(({ x, y }) => x >= 0 && y >= 0 && x + graph.size.nodeWidth <= graph.size.width),
  ).toBe(true);
  expect(graph.edges.every(({ points }) => points.length >= 2)).toBe(true);
});
