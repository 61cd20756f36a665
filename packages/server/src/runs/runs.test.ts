import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../base/error.ts";
import { createWorld } from "./testing-world.ts";
import type { TestTool, World } from "./testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tools: readonly TestTool[], decide?: (action: string) => "allow" | "ask" | "deny") {
  const world = await createWorld({ tools, ...(decide === undefined ? {} : { decide }) });
  worlds.push(world);
  return world;
}

const add: TestTool = {
  name: "test.add",
  effect: "pure",
  act: ({ a, b }) => Promise.resolve((a as number) + (b as number)),
};

function workflow(steps: string, rest = ""): string {
  return `version: 1\nname: w\n${rest}steps:\n${steps}`;
}

describe("a workflow", () => {
  test("runs its steps in order, hands values on, and gives its outputs", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const text = workflow(
      `  - { id: first, tool: test.add, with: { a: "\${{ inputs.n }}", b: 1 } }
  - { id: second, tool: test.add, with: { a: "\${{ steps.first.output }}", b: 10 } }
  - { id: values, set: { twice: "\${{ steps.second.output * 2 }}" } }
`,
      `inputs: { n: { type: integer } }\noutputs: { sum: "\${{ steps.values.output.twice }}" }\n`,
    );
    const runId = await world.submit(text, { n: 5 });
    const row = await world.until(runId, "COMPLETED");
    expect(row).toMatchObject({ stepsDone: 3, stepsTotal: 3, waiting: null, error: null });
    expect((await world.state(runId)).outputs).toEqual({ sum: 32 });
    expect(await world.kinds(runId)).toEqual([
      "run.created",
      "run.started",
      "action.intended",
      "action.completed",
      "action.intended",
      "action.completed",
      "step.completed",
      "run.completed",
    ]);
  });

  test("takes the first true arm of a branch, loops over items and collects, skips what its `if` forbids", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const text = workflow(
      `  - id: choice
    branch:
      - when: \${{ false }}
        steps: [{ id: never, tool: test.add, with: { a: 1, b: 1 } }]
      - else: [{ id: taken, tool: test.add, with: { a: 2, b: 2 } }]
  - id: loop
    for_each: \${{ [1, 2, 3] }}
    as: n
    steps: [{ id: each, tool: test.add, with: { a: "\${{ n }}", b: "\${{ index }}" } }]
    collect: \${{ steps.each.output }}
  - { id: skipped, if: "\${{ steps.choice.output == 5 }}", tool: test.add, with: { a: 1, b: 1 } }
`,
      `outputs: { all: "\${{ steps.loop.output }}", arm: "\${{ steps.choice.output }}", state: "\${{ steps.skipped.state }}" }\n`,
    );
    const runId = await world.submit(text);
    await world.until(runId, "COMPLETED");
    const state = await world.state(runId);
    expect(state.outputs).toEqual({ all: [1, 3, 5], arm: 4, state: "skipped" });
    expect([...state.steps.keys()]).toEqual([
      "choice",
      "choice/taken",
      "loop",
      "loop/0/each",
      "loop/1/each",
      "loop/2/each",
      "skipped",
    ]);
  });

  test("waits for its time without a worker", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: pause, wait: { for: 300ms } }\n"));
    expect((await world.until(runId, "WAITING")).waiting).toMatchObject({ kind: "timer" });
    const row = await world.until(runId, "COMPLETED");
    expect(row.endedAtMs! - row.createdAtMs).toBeGreaterThanOrEqual(290);
  });

  test("fails with step, reason and line when an expression cannot be worked out", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const runId = await world.submit(workflow(`  - { id: bad, set: { x: "\${{ fromJson('{') }}" } }\n`));
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({ code: "EXPRESSION_INVALID", step: "bad" });
    expect(row.error!.message).toMatch(/line 4/);
  });

  test("is refused before it runs when it names unknown tools, lacks inputs or holds a secret", async () => {
    const world = await start([add]);
    await expect(world.submit(workflow("  - { id: a, tool: test.ad, with: {} }\n"))).rejects.toMatchObject({
      code: "WORKFLOW_INVALID",
      details: [{ line: 4, hint: expect.stringContaining("test.add") as string }],
    });
    const needs = workflow(
      '  - { id: a, set: { x: "${{ inputs.n }}" } }\n',
      "inputs: { n: { type: integer } }\n",
    );
    await expect(world.submit(needs)).rejects.toMatchObject({ code: "INPUTS_INVALID" });
    const leaky = workflow("  - { id: a, set: { x: SECRET } }\n");
    await expect(world.submit(leaky)).rejects.toMatchObject({ code: "REQUEST_INVALID", place: { line: 4 } });
    expect(await world.store.read("SELECT id FROM runs")).toEqual([]);
  });

  test("is refused when it brings a file whose name no disk can hold", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const text = workflow("  - { id: a, set: { x: 1 } }\n");
    const content = new Uint8Array();
    const refused = { code: "REQUEST_INVALID", message: expect.stringContaining("255") as string };
    for (const path of ["x".repeat(256), `folder/${"ü".repeat(128)}`, "deep/".repeat(205) + "x"])
      await expect(world.submit(text, {}, [{ path, content }])).rejects.toMatchObject(refused);
    const runId = await world.submit(text, {}, [{ path: "x".repeat(255), content }]);
    await world.until(runId, "COMPLETED");
  });
});

describe("failures", () => {
  test("a step tries again as often as it wishes, under a new key each time", async () => {
    const keys: string[] = [];
    const flaky: TestTool = {
      name: "test.flaky",
      effect: "idempotent",
      act: (_args, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return keys.length < 3 ? Promise.reject(new Error("not yet")) : Promise.resolve("done");
      },
    };
    const world = await start([flaky]);
    await world.startWorker("one");
    const step = "  - { id: s, tool: test.flaky, with: {}, retry: { attempts: 3, delay: 10ms } }\n";
    const runId = await world.submit(workflow(step));
    await world.until(runId, "COMPLETED");
    expect(keys).toEqual([1, 2, 3].map((attempt) => `${runId}/s/${attempt}`));
  });

  test("a passing error is tried again by the run, and is a dead letter after its last attempt, which may be revived", async () => {
    let calls = 0;
    const down: TestTool = {
      name: "test.down",
      effect: "idempotent",
      act: () => {
        calls += 1;
        if (calls > 2) return Promise.resolve("up again");
        return Promise.reject(new HomeostatError("ACTION_FAILED", "down", { transient: true }));
      },
    };
    const world = await start([down]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.down, with: {} }\n"));
    const retrying = await world.until(runId, "RETRYING");
    expect(retrying).toMatchObject({ attempts: 1, waiting: { kind: "retry" } });
    await world.store.write([{ sql: "UPDATE runs SET max_attempts = 2", params: [] }]);
    const row = await world.until(runId, "RETRYING", "DEAD", "COMPLETED");
    expect(row.attempts).toBeGreaterThanOrEqual(1);
    await world.until(runId, "COMPLETED");
    expect(calls).toBe(3);
  });

  test("a dead letter can be tried again or discarded", async () => {
    let broken = true;
    const down: TestTool = {
      name: "test.down",
      effect: "idempotent",
      act: () =>
        broken
          ? Promise.reject(new HomeostatError("ACTION_FAILED", "down", { transient: true }))
          : Promise.resolve("up"),
    };
    const world = await start([down]);
    await world.startWorker("one");
    const text = workflow("  - { id: s, tool: test.down, with: {} }\n");
    const first = await world.submit(text, {});
    await expect(world.command(first, "retry")).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
    await world.until(first, "DEAD");
    broken = false;
    await world.command(first, "retry");
    expect(await world.until(first, "COMPLETED")).toMatchObject({ attempts: 1 });
  });

  test("a tool that takes too long is stopped and named", async () => {
    const slow: TestTool = {
      name: "test.slow",
      effect: "pure",
      act: (_args, { signal, clock }) => clock.sleep(5_000, signal).then(() => "late"),
    };
    const world = await start([slow]);
    await world.startWorker("one");
    const step = "  - { id: s, tool: test.slow, with: {}, timeout: 50ms, retry: { attempts: 1 } }\n";
    const runId = await world.submit(workflow(step));
    const row = await world.until(runId, "RETRYING", "FAILED", "DEAD");
    expect(row.error).toMatchObject({
      code: "ACTION_TIMEOUT",
      message: expect.stringContaining("50 ms") as string,
    });
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
  });

  test("policy's denial fails the step with the reason", async () => {
    const world = await start([add], () => "deny");
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.add, with: { a: 1, b: 1 } }\n"));
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({
      code: "ACTION_DENIED",
      message: "Action blocked by policy: rule says deny",
    });
  });
});

describe("approvals", () => {
  const one = workflow("  - { id: s, tool: test.add, with: { a: 1, b: 1 } }\n");

  test("a run that asks holds no worker, goes on after the yes, and the second answer is refused", async () => {
    const world = await start([add], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(one);
    const approval = await world.waitingApproval(runId);
    expect(approval).toMatchObject({ action: "test.add", args: { a: 1, b: 1 }, policyRevision: "r1" });
    const row = await world.until(runId, "WAITING");
    expect(row.waiting).toMatchObject({ kind: "approval", id: approval.id });
    expect(await world.store.read("SELECT owner FROM leases WHERE name LIKE 'run/%'")).toEqual([
      { owner: "" },
    ]);
    expect((await world.answer(approval.id, "approve")).status).toBe("approved");
    await expect(world.answer(approval.id, "reject", "no")).rejects.toMatchObject({
      code: "APPROVAL_CONFLICT",
    });
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).steps.get("s")?.intent?.approvalId).toBe(approval.id);
  });

  test("of many answers at once exactly one counts", async () => {
    const world = await start([add], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(one);
    const { id } = await world.waitingApproval(runId);
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => world.answer(id, index % 2 === 0 ? "approve" : "reject", "x")),
    );
    expect(answers.filter((answer) => answer.status === "fulfilled")).toHaveLength(1);
    await world.until(runId, "COMPLETED", "FAILED");
  });

  test("a rejected action never runs", async () => {
    let ran = false;
    const tool: TestTool = { ...add, act: () => Promise.resolve((ran = true)) };
    const world = await start([tool], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(one);
    await world.answer((await world.waitingApproval(runId)).id, "reject", "not now");
    expect((await world.until(runId, "FAILED")).error).toMatchObject({ code: "APPROVAL_REJECTED" });
    expect(ran).toBe(false);
  });

  test("the workflow's own question can be skipped over or expire", async () => {
    const world = await start([add]);
    await world.startWorker("one");
    const skip = workflow(
      `  - { id: q, approval: { message: "Go on?", on_reject: skip } }\n`,
      `outputs: { q: "\${{ steps.q.state }}" }\n`,
    );
    const skipped = await world.submit(skip);
    await world.answer((await world.waitingApproval(skipped)).id, "reject", "no");
    await world.until(skipped, "COMPLETED");
    expect((await world.state(skipped)).outputs).toEqual({ q: "skipped" });
    const lapse = await world.submit(
      workflow(`  - { id: q, approval: { message: "Go on?", expires: 200ms } }\n`),
    );
    expect((await world.until(lapse, "FAILED")).error).toMatchObject({ code: "APPROVAL_EXPIRED" });
    const rows = await world.store.read("SELECT status FROM approvals WHERE run_id = ?", [lapse]);
    expect(rows).toEqual([{ status: "expired" }]);
  });

  test("cancelling a waiting run takes its question with it", async () => {
    const world = await start([add], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(one);
    const { id } = await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    await expect(world.answer(id, "approve")).rejects.toMatchObject({ code: "APPROVAL_CONFLICT" });
  });
});

describe("control", () => {
  test("pause lets the current step finish, resume goes on", async () => {
    const world = await start([{ ...add, act: (_args, { clock }) => clock.sleep(200).then(() => 1) }]);
    await world.startWorker("one");
    const steps = [1, 2, 3].map((n) => `  - { id: s${n}, tool: test.add, with: { a: 1, b: 1 } }\n`).join("");
    const runId = await world.submit(workflow(steps));
    await world.until(runId, "RUNNING");
    await world.command(runId, "pause");
    const paused = await world.until(runId, "WAITING");
    expect(paused.waiting).toEqual({ kind: "pause" });
    expect(paused.stepsDone).toBeLessThan(3);
    await world.command(runId, "resume");
    expect((await world.until(runId, "COMPLETED")).stepsDone).toBe(3);
  });

  test("cancel stops a tool that is acting", async () => {
    let stopped = false;
    const slow: TestTool = {
      name: "test.slow",
      effect: "idempotent",
      act: (_args, { signal, clock }) =>
        clock.sleep(20_000, signal).catch((error: unknown) => {
          stopped = true;
          throw error;
        }) as Promise<never>,
    };
    const world = await start([slow]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.slow, with: {} }\n"));
    await world.until(runId, "RUNNING");
    await new Promise((resolve) => setTimeout(resolve, 100));
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    expect(stopped).toBe(true);
  });
});

describe("after a crash in the middle of an action", () => {
  /** The first call never returns, as when the process dies; later calls answer. */
  function hanging(effect: TestTool["effect"], check?: TestTool["check"]) {
    const keys: string[] = [];
    const tool: TestTool = {
      name: "test.act",
      effect,
      act: (_args, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return keys.length === 1 ? new Promise(() => undefined) : Promise.resolve("second");
      },
      ...(check === undefined ? {} : { check }),
    };
    return { tool, keys };
  }

  async function crash(world: World): Promise<string> {
    const runId = await world.submit(workflow("  - { id: s, tool: test.act, with: {} }\n"));
    const first = await world.startWorker("first");
    for (let n = 0; n < 500 && !(await world.kinds(runId)).includes("action.intended"); n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // It takes no run again, as one that died.
    await first.stop();
    return runId;
  }

  test("an idempotent action runs again under the same key", async () => {
    const { tool, keys } = hanging("idempotent");
    const world = await start([tool]);
    const runId = await crash(world);
    await world.startWorker("second", ["first"]);
    await world.until(runId, "COMPLETED");
    expect(keys).toEqual([`${runId}/s/1`, `${runId}/s/1`]);
    expect((await world.state(runId)).steps.get("s")?.intent?.resumed).toBe(true);
  });

  test("a checkable action that happened is not done again", async () => {
    const { tool, keys } = hanging("checkable", () => Promise.resolve("happened"));
    const world = await start([tool]);
    const runId = await crash(world);
    await world.startWorker("second", ["first"]);
    await world.until(runId, "COMPLETED");
    expect(keys).toHaveLength(1);
    expect((await world.state(runId)).steps.get("s")?.output).toBe("checked");
  });

  test("a checkable action that did not happen is done, one that cannot tell asks a person", async () => {
    const notYet = hanging("checkable", () => Promise.resolve("did-not-happen"));
    const first = await start([notYet.tool]);
    const runId = await crash(first);
    await first.startWorker("second", ["first"]);
    await first.until(runId, "COMPLETED");
    expect(notYet.keys).toHaveLength(2);
    const unsure = hanging("checkable", () => Promise.reject(new Error("cannot look")));
    const second = await start([unsure.tool]);
    const other = await crash(second);
    await second.startWorker("second", ["first"]);
    expect((await second.waitingApproval(other)).kind).toBe("outcome");
    expect(unsure.keys).toHaveLength(1);
  });

  test.each([
    ["happened", 1, "COMPLETED"],
    ["did-not-happen", 2, "COMPLETED"],
    ["abandon", 1, "FAILED"],
  ] as const)(
    "an unsafe action goes to a person; after %s it has been tried %i time(s)",
    async (answer, calls, end) => {
      const { tool, keys } = hanging("unsafe");
      const world = await start([tool]);
      const runId = await crash(world);
      await world.startWorker("second", ["first"]);
      const question = await world.waitingApproval(runId);
      expect(question).toMatchObject({ kind: "outcome", by: ["admin", "approver"] });
      await expect(world.answer(question.id, "approve")).rejects.toMatchObject({ code: "REQUEST_INVALID" });
      await world.answer(question.id, answer);
      await world.until(runId, end);
      expect(keys).toHaveLength(calls);
      expect(new Set(keys).size).toBe(1);
    },
  );

  test("a worker that lost its lease cannot record what it did", async () => {
    const world = await start([
      { name: "test.act", effect: "idempotent", act: (_a, { clock }) => clock.sleep(600).then(() => "late") },
    ]);
    const runId = await crash(world);
    await world.startWorker("second", ["first"]);
    await world.until(runId, "COMPLETED");
    const kinds = await world.kinds(runId);
    expect(kinds.filter((kind) => kind === "action.completed")).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await world.kinds(runId)).toEqual(kinds);
  });
});
