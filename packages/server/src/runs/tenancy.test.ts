import { afterEach, describe, expect, test } from "vitest";
import { createArtifactRoutes } from "../artifacts/artifacts.routes.ts";
import { systemClock as clock } from "../base/clock.ts";
import type { Principal } from "../http/access.ts";
import type { Route } from "../http/route.ts";
import { approvalsRoutes } from "./answers/approvals.routes.ts";
import { runControlRoutes } from "./control/run-control.routes.ts";
import { runsRoutes } from "./reading/runs.routes.ts";
import { streamRoutes } from "./reading/stream.routes.ts";
import { callRoute } from "./testing-routes.ts";
import { createWorld } from "./testing-world.ts";
import type { TestTool, World } from "./testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const asking = `version: 1
name: w
steps:
  - { id: write, tool: test.write, with: {} }
  - { id: sure, approval: { message: "Go on?" } }
`;

const writing: TestTool = {
  name: "test.write",
  effect: "idempotent",
  touchesFiles: true,
  act: async (_args, { roots }) => {
    const { writeFile } = await import("node:fs/promises");
    await writeFile(`${roots[0]!.path}/a.txt`, "written");
    return null;
  },
};

interface House {
  readonly world: World;
  readonly routes: readonly Route[];
  readonly runId: string;
  readonly approvalId: string;
  readonly artifactId: string;
}

/** One run of the tenant `blue`, waiting for a person, with an artifact. */
async function createHouse(): Promise<House> {
  const world = await createWorld({ tools: [writing] });
  worlds.push(world);
  await world.startWorker("one");
  const runId = await world.submit(asking, {}, [], "blue");
  const { id: approvalId } = await world.waitingApproval(runId);
  await world.until(runId, "WAITING");
  const [artifact] = await world.store.read("SELECT id FROM artifacts WHERE run_id = ?", [runId]);
  const { store, readBlobText, live, submitDeps } = world;
  const redact = (value: unknown): unknown => value;
  const routes = [
    ...runsRoutes({ store, readBlobText, clock, redact, holdsSecret: () => false }),
    ...streamRoutes({ store, readBlobText, live, redact }),
    ...runControlRoutes({ ...submitDeps, readBlobText, redact }),
    ...approvalsRoutes({
      store,
      clock,
      redact,
      holderOf: () => Promise.resolve({ role: "none", sinceMs: 0 }),
      checkArguments: () => undefined,
      holdsSecret: () => false,
      origin: () => "http://127.0.0.1",
      links: "session",
    }),
    ...createArtifactRoutes({
      store,
      readContent: ({ runId: subject, sha256, sizeBytes }) =>
        submitDeps.blobs.get({ subject, sha256, sizeBytes }),
    }),
  ];
  return { world, routes, runId, approvalId, artifactId: artifact!["id"] as string };
}

const blue: Principal = { id: "bea", role: "admin", tenant: "blue" };
const red: Principal = { id: "rob", role: "admin", tenant: "red" };

/** A body each route takes; what is not listed takes none or an empty one. */
const bodies: Readonly<Record<string, unknown>> = {
  "approvals.decide": { answer: "approve" },
  "approvals.createLink": { for: "rob" },
  "approvals.delegate": { to: "zoe" },
  "runs.steer": { message: "hello" },
};

describe("what belongs to another tenant", () => {
  test("is not there, for every route that names a run, an approval or an artifact", async () => {
    const { routes, runId, approvalId, artifactId } = await createHouse();
    const named = routes.filter(({ path }) => path.includes("{"));
    expect(named.length).toBeGreaterThan(10);
    for (const { path, operationId } of named) {
      const id = path.includes("/approvals/")
        ? approvalId
        : path.includes("/artifacts/")
          ? artifactId
          : runId;
      const params = { id, a: runId, b: runId };
      const call = { params, body: bodies[operationId], principal: red };
      const answer = callRoute(routes, operationId, call).then(
        () => "answered",
        (error: unknown) => (error as { code?: string }).code,
      );
      expect([operationId, await answer]).toEqual([
        operationId,
        path.includes("/approvals/")
          ? "APPROVAL_NOT_FOUND"
          : path.includes("/artifacts/")
            ? "ARTIFACT_NOT_FOUND"
            : "RUN_NOT_FOUND",
      ]);
    }
  });

  test("is in no list", async () => {
    const { routes } = await createHouse();
    for (const operationId of ["runs.list", "approvals.list", "artifacts.list"]) {
      expect(await callRoute(routes, operationId, { principal: red })).toMatchObject({ data: [] });
      const own = (await callRoute(routes, operationId, { principal: blue })) as { data: unknown[] };
      expect(own.data).toHaveLength(1);
    }
  });

  test("is in no live stream", async () => {
    const { world, routes } = await createHouse();
    const seen: Record<string, string[]> = { red: [], blue: [] };
    const ends: (() => void)[] = [];
    const watch = async (principal: Principal): Promise<void> => {
      let isOpen: () => void = () => undefined;
      const opened = new Promise<void>((resolve) => (isOpen = resolve));
      const stream = {
        lastEventId: undefined,
        signal: new AbortController().signal,
        open: () => isOpen(),
        send: ({ event }: { event?: string }) => seen[principal.tenant]!.push(event ?? ""),
        drained: () => Promise.resolve(),
      };
      const ended = new AbortController();
      ends.push(() => ended.abort());
      const route = routes.find((each) => each.operationId === "stream.all")!;
      void route.handle({ params: {}, query: {}, principal } as never, { ...stream, signal: ended.signal });
      await opened;
    };
    await watch(red);
    await watch(blue);
    await world.submit(asking, {}, [], "blue");
    while (!seen["blue"]!.includes("approval") || !seen["blue"]!.includes("run")) await clock.sleep(5);
    expect(seen["red"]).toEqual([]);
    for (const end of ends) end();
  });

  test("an admin of another tenant than the owner's is told of no part", async () => {
    const { world } = await createHouse();
    const { store, readBlobText, live } = world;
    const watched: string[] = [];
    const streamFor = async (principal: Principal): Promise<void> => {
      const tree = {
        now: () => ({ children: [] }) as never,
        onChange: () => {
          watched.push(principal.tenant);
          return () => undefined;
        },
      };
      const routes = streamRoutes({
        store,
        readBlobText,
        live,
        redact: (value: unknown) => value,
        tree,
      } as never);
      const { handle } = routes.find((each) => each.operationId === "stream.all")!;
      const stream = { signal: AbortSignal.abort(), open: () => undefined, send: () => undefined };
      await handle({ params: {}, query: {}, principal } as never, stream as never);
    };
    await streamFor(red);
    await streamFor({ id: "admin", role: "admin", tenant: "default" });
    expect(watched).toEqual(["default"]);
  });
});
