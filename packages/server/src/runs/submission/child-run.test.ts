import { afterEach, describe, expect, test } from "vitest";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const tools: readonly TestTool[] = [
  { name: "test.echo", effect: "pure", files: "none", act: ({ value }) => Promise.resolve(value ?? null) },
  { name: "test.fail", effect: "pure", files: "none", act: () => Promise.reject(new Error("broke")) },
];

async function start(): Promise<World> {
  const world = await createWorld({ tools });
  worlds.push(world);
  return world;
}

async function register(world: World, text: string): Promise<string> {
  const { name, digest } = requireWorkflow(text);
  await world.registry.add({ tenant: "default", name, digest, text, addedBy: "eve" });
  return digest;
}

async function childOf(world: World, runId: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
    const rows = await world.store.read("SELECT id FROM runs WHERE parent = ? ORDER BY created_at_ms DESC", [
      runId,
    ]);
    if (rows[0] !== undefined) return rows[0]["id"] as string;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no child");
}

const double = `version: 1
name: double
inputs: { n: { type: integer } }
outputs: { twice: { type: integer, value: "\${{ inputs.n * 2 }}" } }
steps: [{ id: e, tool: test.echo, with: { value: "\${{ inputs.n }}" } }]
`;
const asking = `version: 1\nname: asking\noutputs: { by: "\${{ steps.q.output.by }}" }\nsteps: [{ id: q, approval: { message: "Go?" } }]\n`;
const parent = (child: string, rest = ""): string =>
  `version: 1\nname: outer\noutputs: { out: "\${{ steps.c.output }}" }\nsteps:\n  - { id: c, workflow: ${child}${rest} }\n`;

describe("a pause of the parent", () => {
  const slow = `version: 1\nname: slow\nsteps: [{ id: w, wait: { signal: go } }, { id: e, tool: test.echo, with: { value: 1 } }]\n`;

  async function family(world: World): Promise<readonly [outer: string, middle: string, inner: string]> {
    await register(world, slow);
    await register(world, parent("slow").replace("name: outer", "name: middle"));
    const outer = await world.submit(parent("middle"));
    const middle = await childOf(world, outer);
    const inner = await childOf(world, middle);
    await world.until(inner, "WAITING");
    return [outer, middle, inner];
  }

  const pausedOf = (world: World, ...runs: readonly string[]): Promise<readonly boolean[]> =>
    Promise.all(runs.map(async (run) => (await world.row(run)).waiting?.kind === "pause"));

  test("holds its children and theirs, and its resume lets them on where they were", async () => {
    const world = await start();
    await world.startWorker("one");
    const [outer, middle, inner] = await family(world);
    await world.command(outer, "pause");
    await expect.poll(() => pausedOf(world, outer, middle, inner)).toEqual([true, true, true]);
    // What comes meanwhile is kept.
    await world.signal(inner, "go");
    await expect.poll(async () => (await world.state(inner)).signals.length).toBe(1);
    expect(await world.kinds(inner)).not.toContain("action.intended");
    await world.command(outer, "resume");
    for (const run of [inner, middle, outer]) await world.until(run, "COMPLETED");
    expect((await world.kinds(inner)).filter((kind) => kind === "run.paused")).toHaveLength(1);
  });

  test("leaves to a person what the person has said to a child itself", async () => {
    const world = await start();
    await world.startWorker("one");
    const [outer, middle, inner] = await family(world);
    await world.command(inner, "pause");
    await expect.poll(() => pausedOf(world, inner)).toEqual([true]);
    await world.command(outer, "pause");
    await expect.poll(() => pausedOf(world, outer, middle)).toEqual([true, true]);
    await world.command(outer, "resume");
    await expect.poll(() => pausedOf(world, outer, middle, inner)).toEqual([false, false, true]);
    await world.command(inner, "resume");
    await world.signal(inner, "go");
    await world.until(outer, "COMPLETED");
  });

  test("ends for a child that a person lets on, and a cancel of the parent reaches held children", async () => {
    const world = await start();
    await world.startWorker("one");
    const [outer, middle, inner] = await family(world);
    await world.command(outer, "pause");
    await expect.poll(() => pausedOf(world, outer, middle, inner)).toEqual([true, true, true]);
    await world.command(inner, "resume");
    await world.signal(inner, "go");
    await world.until(inner, "COMPLETED");
    // Its end waits for the one above, which still rests.
    expect(await pausedOf(world, middle)).toEqual([true]);
    await world.command(outer, "cancel");
    for (const run of [outer, middle]) await world.until(run, "CANCELLED");
  });
});

describe("a workflow step", () => {
  test("runs a registered workflow as a run of its own and gives its outputs", async () => {
    const world = await start();
    await register(world, double);
    await world.startWorker("one");
    const runId = await world.submit(parent("double", ", inputs: { n: 4 }"));
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ out: { twice: 8 } });
    const child = await world.state(await childOf(world, runId));
    expect(child).toMatchObject({
      parent: runId,
      requester: "admin",
      priority: "normal",
      ancestors: [{ runId, workflow: "outer", step: "c" }],
    });
  });

  test("holds the version that was current at submission", async () => {
    const world = await start();
    const digest = await register(world, double);
    const runId = await world.submit(parent("double", ", inputs: { n: 4 }"));
    await register(world, double.replace("n * 2", "n * 100"));
    await world.registry.remove({ tenant: "default", name: "double", by: "eve" });
    await world.startWorker("one");
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ out: { twice: 8 } });
    expect((await world.state(runId)).pins.workflows).toEqual({ double: digest });
  });

  test("runs a file the task brought, and hands the files on", async () => {
    const world = await start();
    await world.startWorker("one");
    const content = Buffer.from(double);
    const runId = await world.submit(parent("steps/double.yaml", ", inputs: { n: 1 }"), {}, [
      { path: "steps/double.yaml", content },
      { path: "data.txt", content: Buffer.from("data") },
    ]);
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ out: { twice: 2 } });
    expect((await world.state(await childOf(world, runId))).workspace).not.toBeNull();
  });

  test("is refused at submission when nothing of that name is there", async () => {
    const world = await start();
    const missing = world.submit(parent("nowhere"));
    await expect(missing).rejects.toMatchObject({
      code: "WORKFLOW_INVALID",
      message: expect.stringMatching(/no registered workflow `nowhere`/) as string,
    });
    const file = world.submit(parent("a/b.yaml"));
    await expect(file).rejects.toMatchObject({
      message: expect.stringMatching(/brings no file `a\/b.yaml`/) as string,
    });
  });

  test("fails as its child does, with the place in the child, and can be caught", async () => {
    const world = await start();
    await register(world, "version: 1\nname: bad\nsteps: [{ id: f, tool: test.fail, with: {} }]\n");
    await world.startWorker("one");
    const runId = await world.submit(
      parent("bad", ', catch: [{ id: r, set: { why: "${{ error.message }}" } }]'),
    );
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({
      out: { why: `bad (${await childOf(world, runId)}) failed at f: broke` },
    });
  });

  test("wrong inputs are the step's failure, and no child is made", async () => {
    const world = await start();
    await register(world, double);
    await world.startWorker("one");
    const runId = await world.submit(parent("double", ", inputs: { n: text }"));
    const row = await world.until(runId, "FAILED");
    const message = 'The inputs of double are wrong: the input `n`: expected integer, found "text"';
    expect(row.error).toMatchObject({ code: "INPUTS_INVALID", step: "c", message });
    expect(await world.store.read("SELECT id FROM runs WHERE parent = ?", [runId])).toEqual([]);
  });

  test("waits with its child for a person, survives a restart, and the question shows the path of runs", async () => {
    const world = await start();
    await register(world, asking);
    const first = await world.startWorker("first");
    const runId = await world.submit(parent("asking"));
    const child = await childOf(world, runId);
    const question = await world.waitingApproval(child);
    expect(question.runPath).toEqual([{ runId, workflow: "outer", step: "c" }]);
    const row = await world.until(runId, "WAITING");
    expect(row.waiting).toEqual({ kind: "child", id: child, untilMs: null });
    await first.stop();
    await world.startWorker("second");
    await world.answer(question.id, "approve");
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ out: { by: "eve" } });
  });

  test("is cancelled with its parent, also when only the step is given up", async () => {
    const world = await start();
    await register(world, asking);
    await world.startWorker("one");
    const cancelled = await world.submit(parent("asking"));
    const first = await childOf(world, cancelled);
    await world.until(cancelled, "WAITING");
    await world.command(cancelled, "cancel");
    await world.until(cancelled, "CANCELLED");
    await world.until(first, "CANCELLED");
    const late = await world.submit(parent("asking", ", timeout: 100ms, on_error: continue"));
    const second = await childOf(world, late);
    await world.until(late, "COMPLETED");
    await world.until(second, "CANCELLED", "FAILED");
  });

  test("that runs itself ends at the eighth run", async () => {
    const world = await start();
    await register(world, "version: 1\nname: again\nsteps: [{ id: x, set: { n: 1 } }]\n");
    await register(world, "version: 1\nname: again\nsteps: [{ id: c, workflow: again }]\n");
    await world.startWorker("one");
    const runId = await world.submit(parent("again"));
    const row = await world.until(runId, "FAILED");
    expect(row.error?.message).toMatch(/8 deep/);
    const [count] = await world.store.read("SELECT COUNT(*) AS n FROM runs");
    expect(count).toEqual({ n: 8 });
  });
});
