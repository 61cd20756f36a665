import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** Every call is noted; `fail` says which names fail for now. */
function createDoer() {
  const done: string[] = [];
  const failing = new Set<string>();
  const hanging = new Set<string>();
  const tool: TestTool = {
    name: "test.do",
    effect: "idempotent",
    files: "none",
    act: ({ name, of }, { signal }) => {
      done.push(name as string);
      if (hanging.has(name as string))
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
        );
      return failing.has(name as string)
        ? Promise.reject(new Error(`${name as string} broke`))
        : Promise.resolve(of ?? name ?? null);
    },
  };
  return { tool, done, failing, hanging };
}

async function start(doer: ReturnType<typeof createDoer>): Promise<World> {
  const world = await createWorld({ tools: [doer.tool] });
  worlds.push(world);
  await world.startWorker("one");
  return world;
}

function workflow(steps: string, rest = ""): string {
  return `version: 1\nname: w\n${rest}steps:\n${steps}`;
}

const step = (id: string, rest = ""): string => `{ id: ${id}, tool: test.do, with: { name: ${id} }${rest} }`;

describe("a step that fails", () => {
  test("says of what class its error is, so that a `catch` goes the way that fits", async () => {
    const away: TestTool = {
      name: "test.do",
      effect: "pure",
      act: ({ name }) =>
        Promise.reject(
          name === "a"
            ? new HomeostatError("HTTP_FAILED", "nobody answers")
            : new HomeostatError("ACTION_INVALID", "no such account"),
        ),
    };
    const world = await createWorld({ tools: [away] });
    worlds.push(world);
    await world.startWorker("one");
    const mirror = '[{ id: mirror, if: "${{ error.recovery == \\"break\\" }}", set: { from: mirror } }]';
    const runId = await world.submit(
      workflow(
        `  - ${step("a", `, catch: ${mirror}`)}\n  - ${step("b", ", on_error: continue")}\n`,
        'outputs: { a: "${{ steps.a.output }}", b: "${{ steps.b.error.class }}" }\n',
      ),
    );
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ a: { from: "mirror" }, b: "validation" });
  });

  test("with `on_error: continue` leaves its state and error for the steps behind it", async () => {
    const doer = createDoer();
    doer.failing.add("a");
    const world = await start(doer);
    const runId = await world.submit(
      workflow(
        `  - ${step("a", ", on_error: continue")}
  - { id: b, if: "\${{ steps.a.state == \\"failed\\" }}", set: { code: "\${{ steps.a.error.code }}", out: "\${{ steps.a.output }}" } }
`,
        `outputs: { b: "\${{ steps.b.output }}" }\n`,
      ),
    );
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ b: { code: "ACTION_FAILED", out: null } });
    expect((await world.row(runId)).stepsDone).toBe(2);
  });

  test("is dealt with by its `catch`, which sees the error; `finally` comes last and sees the state", async () => {
    const doer = createDoer();
    doer.failing.add("inner");
    const world = await start(doer);
    const runId = await world.submit(
      workflow(
        `  - id: block
    group: [${step("before")}, ${step("inner")}, ${step("never")}]
    catch: [{ id: rescue, tool: test.do, with: { name: rescue, of: "\${{ error.step }}: \${{ error.message }}" } }]
    finally: [{ id: last, set: { was: "\${{ steps.block.state }}", code: "\${{ error?.code }}" } }]
`,
        `outputs: { out: "\${{ steps.block.output }}", state: "\${{ steps.block.state }}" }\n`,
      ),
    );
    await world.until(runId, "COMPLETED");
    const state = await world.state(runId);
    expect(state.outputs).toEqual({ out: "block/inner: inner broke", state: "failed" });
    expect(state.steps.get("block/finally/last")?.output).toEqual({ was: "failed", code: null });
    expect(doer.done).toEqual(["before", "inner", "rescue"]);
  });

  test("is a failure all the same when its `catch` fails, after its `finally`", async () => {
    const doer = createDoer();
    doer.failing.add("a").add("rescue");
    const world = await start(doer);
    const runId = await world.submit(
      workflow(`  - ${step("a", `, catch: [${step("rescue")}], finally: [${step("last")}]`)}\n`),
    );
    await world.until(runId, "FAILED");
    expect((await world.row(runId)).error).toMatchObject({ message: "rescue broke", step: "a/catch/rescue" });
    expect(doer.done).toEqual(["a", "rescue", "last"]);
  });

  test("waiting inside `catch` survives a restart", async () => {
    const doer = createDoer();
    doer.failing.add("a");
    const world = await createWorld({ tools: [doer.tool] });
    worlds.push(world);
    const first = await world.startWorker("first");
    const runId = await world.submit(
      workflow(`  - ${step("a", `, catch: [{ id: q, approval: { message: "Go on?" } }, ${step("b")}]`)}\n`),
    );
    const { id } = await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    await first.stop();
    await world.startWorker("second");
    await world.answer(id, "approve");
    await world.until(runId, "COMPLETED");
    expect(doer.done).toEqual(["a", "b"]);
  });
});

describe("time limits", () => {
  test("a group whose time is over stops its action, withdraws its questions, and can be caught", async () => {
    const doer = createDoer();
    doer.hanging.add("slow");
    const world = await start(doer);
    const runId = await world.submit(
      workflow(
        `  - id: block
    parallel:
      act: [${step("slow", ", catch: [{ id: blind, set: { x: 1 } }]")}]
      ask: [{ id: q, approval: { message: "Go?" }, finally: [${step("clean")}] }]
    timeout: 150ms
    catch: [{ id: late, set: { code: "\${{ error.code }}", step: "\${{ error.step }}" } }]
`,
        `outputs: { late: "\${{ steps.block.output }}" }\n`,
      ),
    );
    await world.until(runId, "COMPLETED");
    const state = await world.state(runId);
    expect(state.outputs).toEqual({ late: { code: "STEP_TIMEOUT", step: "block" } });
    expect(state.steps.has("block/act/slow/catch/blind")).toBe(false);
    expect(doer.done).toContain("clean");
    expect(await world.store.read("SELECT status FROM approvals")).toEqual([{ status: "cancelled" }]);
  });

  test("a run's own limit ends it while it waits, without a worker in between", async () => {
    const world = await start(createDoer());
    const runId = await world.submit(
      workflow("  - { id: q, wait: { signal: never } }\n", "timeout: 200ms\n"),
    );
    await world.until(runId, "WAITING");
    await world.until(runId, "FAILED");
    expect((await world.row(runId)).error).toMatchObject({ code: "STEP_TIMEOUT" });
  });
});

describe("compensation", () => {
  const saga = (last: string): string =>
    workflow(`  - ${step("a", `, compensate: [{ id: ua, tool: test.do, with: { name: ua, of: "\${{ steps.a.output }} \${{ run.state }}" } }]`)}
  - id: each
    for_each: [x, y]
    steps: [{ id: b, tool: test.do, with: { name: "\${{ item }}" }, compensate: [{ id: ub, tool: test.do, with: { name: "\${{ format(\\"u{0}\\", item) }}" } }] }]
  - ${step("no", `, if: false, compensate: [${step("uno")}]`)}
  - ${last}
`);

  test("undoes completed steps in reverse order when the run fails, and the run keeps its error", async () => {
    const doer = createDoer();
    doer.failing.add("bad");
    const world = await start(doer);
    const runId = await world.submit(saga(step("bad")));
    const row = await world.until(runId, "FAILED");
    expect(doer.done).toEqual(["a", "x", "y", "bad", "uy", "ux", "ua"]);
    expect(row.error).toMatchObject({ message: "bad broke", step: "bad" });
    const { steps } = await world.state(runId);
    expect(steps.get("a/compensate/ua")?.output).toBe("a failed");
    expect(await world.kinds(runId)).toContain("run.unwinding");
  });

  test("undoes when the run is cancelled, also what acts at that moment being broken off", async () => {
    const doer = createDoer();
    doer.hanging.add("bad");
    const world = await start(doer);
    const runId = await world.submit(saga(step("bad", `, finally: [${step("clean")}]`)));
    while (!doer.done.includes("bad")) await new Promise((resolve) => setTimeout(resolve, 5));
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    expect(doer.done).toEqual(["a", "x", "y", "bad", "clean", "uy", "ux", "ua"]);
  });

  test("asks a person when undoing fails; yes tries again, no goes on with the others", async () => {
    const doer = createDoer();
    doer.failing.add("bad").add("uy").add("ux");
    const world = await start(doer);
    const runId = await world.submit(saga(step("bad")));
    const first = await world.waitingApproval(runId);
    expect(first).toMatchObject({ step: "each/1/b/compensate", risk: "high" });
    doer.failing.delete("uy");
    await world.answer(first.id, "approve");
    await world.until(runId, "RUNNING", "WAITING");
    let second = first;
    while (second.id === first.id) second = await world.waitingApproval(runId);
    await world.answer(second.id, "reject", "done by hand");
    await world.until(runId, "FAILED");
    expect(doer.done).toEqual(["a", "x", "y", "bad", "uy", "uy", "ux", "ua"]);
    const { steps } = await world.state(runId);
    expect(steps.get("each/1/b/compensate")?.status).toBe("completed");
    expect(steps.get("each/1/b/compensate/ub")?.attempt).toBe(2);
    expect(steps.get("each/0/b/compensate")).toMatchObject({
      status: "failed",
      error: { code: "COMPENSATION_FAILED" },
    });
  });

  test("goes on after a crash where it was", async () => {
    const doer = createDoer();
    doer.failing.add("bad");
    doer.hanging.add("ux");
    const world = await createWorld({ tools: [doer.tool] });
    worlds.push(world);
    await world.startWorker("first");
    const runId = await world.submit(saga(step("bad")));
    while (!doer.done.includes("ux")) await new Promise((resolve) => setTimeout(resolve, 5));
    doer.hanging.delete("ux");
    await world.startWorker("second", ["first"]);
    await world.until(runId, "FAILED");
    expect(doer.done).toEqual(["a", "x", "y", "bad", "uy", "ux", "ux", "ua"]);
  });

  test("a second cancel ends the run as it is", async () => {
    const doer = createDoer();
    doer.failing.add("uy");
    const world = await start(doer);
    const runId = await world.submit(saga("{ id: hold, wait: { signal: go } }"));
    await world.until(runId, "WAITING");
    await world.command(runId, "cancel");
    await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    expect(doer.done).toEqual(["a", "x", "y", "uy"]);
    expect(await world.store.read("SELECT status FROM approvals")).toEqual([{ status: "cancelled" }]);
  });
});

test("an output that breaks its promised type fails the run", async () => {
  const world = await start(createDoer());
  const text = workflow(
    "  - { id: a, set: { x: 1 } }\n",
    'outputs: { n: { type: list, value: "${{ steps.a.output.x }}" } }\n',
  );
  const runId = await world.submit(text);
  await world.until(runId, "FAILED");
  expect((await world.row(runId)).error).toMatchObject({
    code: "WORKFLOW_OUTPUT_INVALID",
    message: "outputs.n: expected list, found 1",
  });
});
