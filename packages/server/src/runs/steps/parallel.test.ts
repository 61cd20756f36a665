import { readFile } from "node:fs/promises";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../base/canonical-json.ts";
import { approvalFromStore } from "../../gate/approvals.ts";
import type { Approval } from "../../gate/approvals.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tools: readonly TestTool[], decide?: (action: string) => "allow" | "ask" | "deny") {
  const world = await createWorld({ tools, ...(decide === undefined ? {} : { decide }) });
  worlds.push(world);
  return world;
}

function workflow(steps: string, rest = ""): string {
  return `version: 1\nname: w\n${rest}steps:\n${steps}`;
}

/** Lets calls through one by one, by their argument `name`, and tells who is inside. */
function createTurnstile(files: TestTool["files"] = "none") {
  const inside = new Map<string, (value: string) => void>();
  const seen: string[] = [];
  const waiters: (() => void)[] = [];
  const tool: TestTool = {
    name: "test.turn",
    effect: "idempotent",
    files,
    act: ({ name }) => {
      seen.push(name as string);
      const { promise, resolve } = Promise.withResolvers<string>();
      inside.set(name as string, resolve);
      for (const wake of waiters.splice(0)) wake();
      return promise;
    },
  };
  return {
    tool,
    seen,
    inside: () => [...inside.keys()].sort(),
    release(name: string) {
      inside.get(name)?.(name);
      inside.delete(name);
    },
    async untilInside(...names: readonly string[]) {
      while (!names.every((name) => inside.has(name)))
        await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

async function openApprovals(world: World, count: number): Promise<readonly Approval[]> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
    const rows = await world.store.read("SELECT * FROM approvals WHERE status = 'waiting' ORDER BY step");
    if (rows.length === count) return rows.map(approvalFromStore);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never ${count} open approvals`);
}

const echo: TestTool = {
  name: "test.echo",
  effect: "pure",
  files: "none",
  act: ({ value }) => Promise.resolve(value ?? null),
};

const failing: TestTool = {
  name: "test.fail",
  effect: "pure",
  files: "none",
  act: () => Promise.reject(new Error("broke")),
};

describe("parallel", () => {
  test("branches act at the same time, and the output has what each gave", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        `  - id: both
    parallel:
      left: [{ id: l, tool: test.turn, with: { name: left } }]
      right: [{ id: r, tool: test.turn, with: { name: right } }, { id: r2, set: { got: "\${{ steps.r.output }}" } }]
`,
        `outputs: { both: "\${{ steps.both.output }}" }\n`,
      ),
    );
    await turnstile.untilInside("left", "right");
    turnstile.release("right");
    turnstile.release("left");
    await world.until(runId, "COMPLETED");
    const state = await world.state(runId);
    expect(state.outputs).toEqual({ both: { left: "left", right: { got: "right" } } });
    expect([...state.steps.keys()].sort()).toEqual(["both", "both/left/l", "both/right/r", "both/right/r2"]);
    expect((await world.row(runId)).stepsDone).toBe(4);
  });

  test("a question in one branch does not stop the others; the run waits when all branches wait", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - id: both
    parallel:
      ask: [{ id: sure, approval: { message: "Go?" } }, { id: after, tool: test.turn, with: { name: after } }]
      work: [{ id: w, tool: test.turn, with: { name: work } }, { id: pause, wait: { signal: go } }]
`),
    );
    await turnstile.untilInside("work");
    const [question] = await openApprovals(world, 1);
    // The answer is taken while the other branch still acts.
    await world.answer(question!.id, "approve");
    await turnstile.untilInside("after", "work");
    turnstile.release("after");
    turnstile.release("work");
    const row = await world.until(runId, "WAITING");
    expect(row.waiting).toMatchObject({ kind: "signal", name: "go" });
    expect((await world.state(runId)).steps.get("both/ask/after")?.status).toBe("completed");
  });

  test("several questions stand at once, also for the same tool, and are answered in any order", async () => {
    const world = await start([echo], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        `  - id: all
    parallel:
      a: [{ id: sa, tool: test.echo, with: { value: a } }]
      b: [{ id: sb, tool: test.echo, with: { value: b } }]
      c: [{ id: sc, approval: { message: "c?", on_reject: skip } }]
`,
        `outputs: { all: "\${{ steps.all.output }}" }\n`,
      ),
    );
    const [a, b, c] = await openApprovals(world, 3);
    const row = await world.until(runId, "WAITING");
    expect(row.waiting).toMatchObject({ kind: "approval", more: 2 });
    await world.answer(c!.id, "reject", "not now");
    await world.answer(b!.id, "approve");
    await openApprovals(world, 1);
    await world.until(runId, "WAITING");
    await world.answer(a!.id, "approve");
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ all: { a: "a", b: "b", c: null } });
  });

  test("a timer in one branch fires while another acts", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - id: both
    parallel:
      time: [{ id: t, wait: { for: 50ms } }, { id: next, tool: test.turn, with: { name: next } }]
      work: [{ id: w, tool: test.turn, with: { name: work } }]
`),
    );
    await turnstile.untilInside("work", "next");
    turnstile.release("next");
    turnstile.release("work");
    await world.until(runId, "COMPLETED");
  });

  test("`concurrency` bounds what is under way, in the order of the file", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        `  - id: each
    for_each: [a, b, c, d]
    concurrency: 2
    steps: [{ id: s, tool: test.turn, with: { name: "\${{ item }}" } }]
    collect: \${{ steps.s.output }}
`,
        `outputs: { all: "\${{ steps.each.output }}" }\n`,
      ),
    );
    await turnstile.untilInside("a", "b");
    expect(turnstile.inside()).toEqual(["a", "b"]);
    turnstile.release("b");
    await turnstile.untilInside("a", "c");
    expect(turnstile.inside()).toEqual(["a", "c"]);
    turnstile.release("c");
    await turnstile.untilInside("d");
    turnstile.release("d");
    turnstile.release("a");
    await world.until(runId, "COMPLETED");
    expect(turnstile.seen).toEqual(["a", "b", "c", "d"]);
    expect((await world.state(runId)).outputs).toEqual({ all: ["a", "b", "c", "d"] });
  });

  test.each([
    ["fail", "FAILED", { status: "failed" }, undefined],
    ["wait_all", "FAILED", { status: "failed" }, "completed"],
    ["continue", "COMPLETED", { status: "completed" }, "completed"],
  ] as const)("on_error: %s", async (mode, end, group, other) => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool, failing]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        `  - id: both
    parallel:
      bad: [{ id: b, tool: test.fail, with: {} }]
      good: [{ id: g, tool: test.turn, with: { name: good } }, { id: more, set: { x: 1 } }]
    on_error: ${mode}
`,
        `outputs: { out: "\${{ steps.both.output }}", code: "\${{ steps.both.errors.bad.code }}" }\n`,
      ),
    );
    await turnstile.untilInside("good");
    while ((await world.state(runId)).steps.get("both/bad/b")?.status !== "failed")
      await new Promise((resolve) => setTimeout(resolve, 5));
    turnstile.release("good");
    await world.until(runId, end);
    const { steps, outputs, error } = await world.state(runId);
    expect(steps.get("both")).toMatchObject(group);
    // What acts is never thrown away; what has not begun depends.
    expect(steps.get("both/good/g")?.status).toBe("completed");
    expect(steps.get("both/good/more")?.status).toBe(other);
    if (mode === "continue")
      expect(outputs).toEqual({ out: { bad: null, good: { x: 1 } }, code: "ACTION_FAILED" });
    else expect(error).toMatchObject({ message: "broke", step: "both/bad/b" });
  });

  test("a failure withdraws the questions of the other branches", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool, failing]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - id: both
    parallel:
      bad: [{ id: t, tool: test.turn, with: { name: go } }, { id: b, tool: test.fail, with: {} }]
      ask: [{ id: q, approval: { message: "Go?" } }]
    catch: [{ id: rescue, set: { why: "\${{ error.message }} at \${{ error.step }}" } }]
  - { id: hold, wait: { signal: go } }
`),
    );
    await turnstile.untilInside("go");
    const [question] = await openApprovals(world, 1);
    turnstile.release("go");
    await openApprovals(world, 0);
    await world.until(runId, "WAITING");
    const { steps } = await world.state(runId);
    expect(steps.get("both")).toMatchObject({
      status: "failed",
      isCaught: true,
      output: { why: "broke at both/bad/b" },
    });
    expect(steps.get("both/ask/q")?.status).toBe("cancelled");
    await expect(world.answer(question!.id, "approve")).rejects.toMatchObject({ code: "APPROVAL_CONFLICT" });
  });

  test("pause and cancel reach all branches", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - id: both
    parallel:
      left: [{ id: l, tool: test.turn, with: { name: left } }, { id: l2, set: { x: 1 } }]
      right: [{ id: q, approval: { message: "Go?" } }]
`),
    );
    await turnstile.untilInside("left");
    await openApprovals(world, 1);
    await world.command(runId, "pause");
    turnstile.release("left");
    const row = await world.until(runId, "WAITING");
    expect(row.waiting).toEqual({ kind: "pause" });
    expect((await world.state(runId)).steps.has("both/left/l2")).toBe(false);
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    await openApprovals(world, 0);
  });
});

describe("after a crash", () => {
  test("branches go on where each of them was, and nothing that ended is done again", async () => {
    const turnstile = createTurnstile();
    const world = await start([turnstile.tool]);
    await world.startWorker("first");
    const runId = await world.submit(
      workflow(
        `  - id: three
    parallel:
      done: [{ id: d, tool: test.turn, with: { name: done } }]
      ask: [{ id: q, approval: { message: "Go?" } }]
      act: [{ id: a, tool: test.turn, with: { name: act } }, { id: b, tool: test.turn, with: { name: last } }]
`,
        `outputs: { out: "\${{ steps.three.output }}" }\n`,
      ),
    );
    await turnstile.untilInside("done", "act");
    turnstile.release("done");
    while ((await world.state(runId)).steps.get("three/done/d")?.status !== "completed")
      await new Promise((resolve) => setTimeout(resolve, 5));
    // The first worker hangs for ever in `act`: to everybody else its process is gone.
    await world.startWorker("second", ["first"]);
    while (turnstile.seen.filter((name) => name === "act").length < 2)
      await new Promise((resolve) => setTimeout(resolve, 5));
    turnstile.release("act");
    await turnstile.untilInside("last");
    const [question] = await openApprovals(world, 1);
    await world.answer(question!.id, "approve");
    turnstile.release("last");
    await world.until(runId, "COMPLETED");
    expect(turnstile.seen.filter((name) => name === "done")).toHaveLength(1);
    expect((await world.state(runId)).outputs).toMatchObject({ out: { done: "done", act: "last" } });
  });
});

describe("files written by branches", () => {
  test("writers take turns, so that each saved workspace holds whole results, and no file is lost", async () => {
    let inside = 0;
    let most = 0;
    const write: TestTool = {
      name: "test.write",
      effect: "idempotent",
      touchesFiles: true,
      act: async ({ name }: JsonObject, { roots }) => {
        inside += 1;
        most = Math.max(most, inside);
        const folder = roots.find((root) => root.name === "workspace")!.path;
        await writeFile(join(folder, `${name as string}.txt`), "half");
        await new Promise((resolve) => setTimeout(resolve, 5));
        await writeFile(join(folder, `${name as string}.txt`), `whole ${name as string}`);
        inside -= 1;
        return name ?? null;
      },
    };
    const world = await start([write, { ...echo, files: "reads" }]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        `  - id: each
    for_each: \${{ range(0, 12) }}
    concurrency: 12
    steps: [{ id: w, tool: test.write, with: { name: "\${{ format('f{0}', item) }}" } }, { id: r, tool: test.echo, with: { value: 1 } }]
  - { id: hold, wait: { signal: go } }
`.replaceAll("'", '\\"'),
      ),
    );
    await world.until(runId, "WAITING");
    expect(most).toBe(1);
    const manifests = await world.manifests(runId);
    expect(manifests).toHaveLength(12);
    // Each later manifest has one file more, and no file of any changes again: nobody saved half of another's work.
    manifests.forEach((manifest, index) => {
      expect(Object.keys(manifest)).toHaveLength(index + 1);
      for (const [path, sha256] of Object.entries(manifests[index - 1] ?? {}))
        expect(manifest[path]).toBe(sha256);
    });
    const text = await readFile(join(world.folder, "workspaces", runId, "f7.txt"), "utf8");
    expect(text).toBe("whole f7");
  });
});
