import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import type { Route } from "../../http/route.ts";
import { systemClock as clock } from "../../base/clock.ts";
import { commandRun } from "./control.ts";
import { runControlRoutes } from "./run-control.routes.ts";
import { callRoute } from "../testing-routes.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const echo: TestTool = {
  name: "test.echo",
  effect: "idempotent",
  act: ({ value }) =>
    value === "bad"
      ? Promise.reject(new HomeostatError("ACTION_FAILED", "bad value"))
      : Promise.resolve(value ?? null),
};
const pay: TestTool = { name: "test.pay", effect: "unsafe", act: () => Promise.resolve("paid") };

async function start(): Promise<{ world: World; routes: readonly Route[] }> {
  const world = await createWorld({ tools: [echo, pay] });
  worlds.push(world);
  await world.startWorker("one");
  const { submitDeps, readBlobText } = world;
  const redact = (value: unknown): unknown => value;
  return { world, routes: runControlRoutes({ ...submitDeps, readBlobText, redact }) };
}

function workflow(steps: string, rest = ""): string {
  return `version: 1\nname: w\n${rest}steps:\n${steps}`;
}

const asking = workflow(
  '  - { id: sure, approval: { message: "Go on?" } }\n  - { id: last, set: { told: "${{ run.messages }}" } }\n',
  'outputs: { told: "${{ steps.last.output.told }}" }\n',
);
const echoing = workflow(
  '  - { id: s, tool: test.echo, with: { value: "${{ inputs.v }}" } }\n',
  "inputs: { v: { type: string } }\n",
);
const paying = workflow("  - { id: p, tool: test.pay, with: {} }\n");

describe("pausing", () => {
  test("and what is said after it count in their order, also before the run has heard of any", async () => {
    const world = await createWorld({ tools: [] });
    worlds.push(world);
    const runId = await world.submit(asking);
    await world.until(runId, "QUEUED");
    // Nobody works yet: all of it waits in the inbox.
    await expect(world.command(runId, "resume")).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
    for (const command of ["pause", "pause", "resume", "resume", "pause", "resume"] as const)
      await world.command(runId, command);
    await world.startWorker("one");
    const { id } = await world.waitingApproval(runId);
    const kinds = (await world.kinds(runId)).filter((kind) => /paused|resumed/.test(kind));
    expect(kinds).toEqual(["run.paused", "run.resumed", "run.paused", "run.resumed"]);
    await world.answer(id, "approve");
    await world.until(runId, "COMPLETED");
  });

  test("again, once it is over, is a pause of its own", async () => {
    const world = await createWorld({ tools: [] });
    worlds.push(world);
    const runId = await world.submit(asking);
    for (const command of ["pause", "resume", "pause"] as const) await world.command(runId, command);
    await world.startWorker("one");
    // It rests for a moment after the first one too.
    const pauses = async () => (await world.kinds(runId)).filter((kind) => kind === "run.paused").length;
    await expect.poll(pauses, { timeout: 10_000 }).toBe(2);
    expect((await world.until(runId, "WAITING")).waiting?.kind).toBe("pause");
    await expect(world.command(runId, "pause")).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
    await world.command(runId, "resume");
    await world.waitingApproval(runId);
  });
});

describe("steering", () => {
  test("is read by the workflow, in order, with who said it", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(asking);
    const { id } = await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    for (const message of ["use the blue one", "and hurry"])
      await callRoute(routes, "runs.steer", { params: { id: runId }, body: { message } });
    await world.answer(id, "approve");
    await world.until(runId, "COMPLETED");
    const { outputs, messages } = await world.state(runId);
    expect(outputs?.["told"]).toMatchObject([
      { by: "admin", text: "use the blue one" },
      { by: "admin", text: "and hurry" },
    ]);
    expect(messages).toHaveLength(2);
    expect([...(await world.state(runId)).origins]).toContain("user");
  });

  test("is refused for a run that has ended and for a secret", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(asking);
    const steer = (message: string) =>
      callRoute(routes, "runs.steer", { params: { id: runId }, body: { message } });
    await expect(steer("the SECRET word")).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    await expect(steer("too late")).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
  });
});

describe("a re-run over the API", () => {
  test("says what would be repeated, then does it when told to", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(paying);
    await world.until(runId, "COMPLETED");
    const rerun = (body: object) => callRoute(routes, "runs.rerun", { params: { id: runId }, body });
    expect(await rerun({ dryRun: true })).toMatchObject({
      run: null,
      carriedCount: 0,
      repeats: [{ step: "p", tool: "test.pay", effect: "unsafe", outcome: "completed" }],
    });
    await expect(rerun({})).rejects.toMatchObject({ code: "RUN_REPEATS_EFFECTS" });
    const { run } = (await rerun({ confirm: true })) as { run: { id: string; parent: string } };
    expect(run.parent).toBe(runId);
    await world.until(run.id, "COMPLETED");
  });

  test("a fork at an event answers with the source and the point", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(asking);
    await world.waitingApproval(runId);
    const answer = await callRoute(routes, "runs.fork", { params: { id: runId }, body: { seq: 2 } });
    expect(answer).toMatchObject({ origin: { run: runId, seq: 2 }, repeatsCount: 0 });
  });
});

interface BulkRerun {
  readonly results: readonly { readonly id: string; readonly newRunId: string | null }[];
  readonly nextCursor: string | null;
}

describe("many at once", () => {
  test("each has its own result: what cannot be done is told beside what was", async () => {
    const { world, routes } = await start();
    const open = await world.submit(asking);
    await world.waitingApproval(open);
    const over = await world.submit(paying);
    await world.until(over, "COMPLETED");
    const answer = await callRoute(routes, "runs.bulk", {
      body: { action: "cancel", ids: [open, over, "run_nope", open] },
    });
    expect(answer).toMatchObject({
      done: 1,
      failed: 2,
      results: [
        { id: open, ok: true, error: null },
        { id: over, ok: false, error: { code: "RUN_STATE_CONFLICT" } },
        { id: "run_nope", ok: false, error: { code: "RUN_NOT_FOUND" } },
      ],
    });
    await world.until(open, "CANCELLED");
  });

  test("a filter picks by workflow and what makes sense, a dry run changes nothing, the limit says when there are more", async () => {
    const { world, routes } = await start();
    const runs = [await world.submit(asking), await world.submit(asking), await world.submit(asking)];
    for (const runId of runs) await world.until(runId, "WAITING");
    const bulk = (body: object) => callRoute(routes, "runs.bulk", { body: { action: "cancel", ...body } });
    expect(await bulk({ filter: { workflow: "other" } })).toMatchObject({ results: [] });
    expect(await bulk({ filter: {}, dryRun: true, limit: 2 })).toMatchObject({ done: 2, hasMore: true });
    for (const runId of runs) expect((await world.row(runId)).state).toBe("WAITING");
    expect(await bulk({ filter: { createdBefore: "2020-01-01T00:00:00Z" } })).toMatchObject({ results: [] });
    expect(await bulk({ filter: { label: "x" } })).toMatchObject({ results: [] });
    expect(await bulk({ filter: { workflow: "w" } })).toMatchObject({ done: 3, failed: 0, hasMore: false });
    for (const runId of runs) await world.until(runId, "CANCELLED");
  });

  test("a re-run that is sent again under its key makes no run twice, and a cursor goes on with the older ones", async () => {
    const { world, routes } = await start();
    const runs = [await world.submit(asking), await world.submit(asking), await world.submit(asking)];
    for (const runId of runs) await world.until(runId, "WAITING");
    for (const runId of runs) await world.command(runId, "cancel");
    for (const runId of runs) await world.until(runId, "CANCELLED");
    const again = (idempotencyKey: string, more: object = {}) =>
      callRoute(routes, "runs.bulk", {
        body: { action: "rerun", filter: {}, limit: 2, ...more },
        idempotencyKey,
      });
    const first = (await again("k")) as BulkRerun;
    expect(first.results.map(({ id }) => id)).toEqual([runs[1], runs[2]]);
    const made = first.results.map(({ newRunId }) => newRunId);
    // Named, because the runs made by the first call are newer now.
    const named = (await again("k", { filter: undefined, ids: [runs[1], runs[2]] })) as BulkRerun;
    expect(named.results.map(({ newRunId }) => newRunId)).toEqual(made);
    const rest = (await again("l", { cursor: first.nextCursor })) as BulkRerun;
    expect(rest.results.map(({ id }) => id)).toEqual([runs[0]]);
    expect(rest).toMatchObject({ hasMore: false, nextCursor: null });
  });

  test("a re-run by a filter that is sent again does not re-run what it made itself and what has failed since", async () => {
    const { world, routes } = await start();
    const source = await world.submit(echoing, { v: "bad" });
    await world.until(source, "FAILED");
    const again = async () => {
      const body = { action: "rerun", filter: {}, limit: 10 };
      return (await callRoute(routes, "runs.bulk", { body, idempotencyKey: "k" })) as BulkRerun;
    };
    const first = await again();
    const made = first.results.map(({ newRunId }) => newRunId);
    expect(made).toHaveLength(1);
    await world.until(made[0]!, "FAILED");
    expect((await again()).results).toMatchObject([{ id: source, newRunId: made[0] }]);
  });

  test("stops between runs when nobody hears the answer any more", async () => {
    const { world, routes } = await start();
    const open = await world.submit(asking);
    await world.until(open, "WAITING");
    const body = { action: "cancel", ids: [open] };
    const call = callRoute(routes, "runs.bulk", { body, signal: AbortSignal.abort(new Error("gone")) });
    await expect(call).rejects.toThrow("gone");
    expect((await world.row(open)).state).toBe("WAITING");
  });

  test("pause and resume pick each other's runs", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(asking);
    await world.until(runId, "WAITING");
    const bulk = (action: string) => callRoute(routes, "runs.bulk", { body: { action, filter: {} } });
    expect(await bulk("resume")).toMatchObject({ done: 0 });
    expect(await bulk("pause")).toMatchObject({ done: 1 });
    while ((await world.row(runId)).waiting?.kind !== "pause") await world.submitDeps.clock.sleep(5);
    expect(await bulk("pause")).toMatchObject({ results: [] });
    expect(await bulk("resume")).toMatchObject({ done: 1 });
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
  });

  test("a re-run of many leaves those out that repeat unsafe effects, also in the dry run", async () => {
    const { world, routes } = await start();
    const paid = await world.submit(`${paying}  - { id: s, tool: test.echo, with: { value: bad } }\n`);
    const plain = await world.submit(echoing, { v: "bad" });
    for (const runId of [paid, plain]) await world.until(runId, "FAILED");
    const bulk = (body: object) =>
      callRoute(routes, "runs.bulk", { body: { action: "rerun", filter: {}, ...body } });
    const refused = { id: paid, ok: false, error: { code: "RUN_REPEATS_EFFECTS" } };
    expect(await bulk({ dryRun: true })).toMatchObject({ results: [refused, { id: plain, ok: true }] });
    const answer = (await bulk({})) as { results: { newRunId: string | null }[] };
    expect(answer).toMatchObject({ done: 1, failed: 1 });
    await world.until(answer.results[1]!.newRunId!, "FAILED");
  });

  test("a reason with a secret is refused before any run is touched, for one run too", async () => {
    const { world, routes } = await start();
    const runId = await world.submit(asking);
    await world.until(runId, "WAITING");
    const reason = "the key was SECRET-1";
    const body = { action: "cancel", ids: [runId], reason };
    await expect(callRoute(routes, "runs.bulk", { body })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    const { store, submitDeps } = world;
    const request = { tenant: "default", runId, command: "cancel", by: "eve", reason } as const;
    const one = commandRun({ store, clock, holdsSecret: submitDeps.holdsSecret }, request);
    await expect(one).rejects.toMatchObject({ code: "REQUEST_INVALID", place: { path: "body.reason" } });
    expect(await store.read("SELECT id FROM inbox WHERE run_id = ?", [runId])).toEqual([]);
    expect((await world.row(runId)).state).toBe("WAITING");
  });

  test("ids and filter exclude each other, and one is needed", async () => {
    const { routes } = await start();
    const bulk = (body: object) => callRoute(routes, "runs.bulk", { body: { action: "cancel", ...body } });
    await expect(bulk({})).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    await expect(bulk({ ids: ["a"], filter: {} })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });
});

describe("the difference of two runs", () => {
  test("names inputs, steps and outcome, and counts what is the same", async () => {
    const { world, routes } = await start();
    const text = `${echoing}  - { id: same, set: { x: 1 } }\n`;
    const a = await world.submit(text, { v: "one" });
    const b = await world.submit(text.replace("x: 1", "x: 1, y: 2"), { v: "bad" });
    await world.until(a, "COMPLETED");
    await world.until(b, "FAILED");
    const answer = await callRoute(routes, "runs.diff", { params: { a, b } });
    expect(answer).toMatchObject({
      runs: { a: { id: a }, b: { id: b } },
      workflow: [{ kind: "removed" }, { kind: "added", text: "  - { id: same, set: { x: 1, y: 2 } }" }],
      inputs: [{ path: "v", a: "one", b: "bad" }],
      pins: [],
      stepsDiffer: 2,
      stepsSame: 0,
      artifacts: [],
    });
    const { steps } = answer as {
      steps: { path: string; change: string; differences: { path: string }[] }[];
    };
    expect(steps.map(({ path, change }) => `${path} ${change}`)).toEqual(["s changed", "same only-a"]);
    expect(steps[0]?.differences.map(({ path }) => path)).toEqual(["state", "args.value", "output", "error"]);
  });

  test("of a run with itself is nothing", async () => {
    const { world, routes } = await start();
    const a = await world.submit(echoing, { v: "one" });
    await world.until(a, "COMPLETED");
    expect(await callRoute(routes, "runs.diff", { params: { a, b: a } })).toMatchObject({
      ...{ workflow: [], inputs: [], outcome: [], steps: [], stepsDiffer: 0, stepsSame: 1 },
    });
  });
});
