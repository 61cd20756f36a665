import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../base/error.ts";
import { answerApproval } from "./answers/answer-approval.ts";
import { commandRun } from "./control/control.ts";
import { putMessage } from "./session/inbox.ts";
import { planRepeats } from "./control/plan-rerun.ts";
import { createWorld } from "./testing-world.ts";
import type { TestTool, World } from "./testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tools: readonly TestTool[], decide?: () => "allow" | "ask" | "deny"): Promise<World> {
  const world = await createWorld({ tools, ...(decide === undefined ? {} : { decide }) });
  worlds.push(world);
  return world;
}

function workflow(steps: string, rest = ""): string {
  return `version: 1\nname: w\n${rest}steps:\n${steps}`;
}

const echo: TestTool = {
  name: "test.echo",
  effect: "pure",
  act: (args) => Promise.resolve(args["value"] ?? null),
};

describe("expressions that cannot be worked out fail their step, wherever they stand", () => {
  const broken = "${{ fromJson('{') }}";
  test.each([
    ["a condition", `  - { id: s, if: "${broken}", set: { x: 1 } }\n`],
    ["a branch", `  - { id: s, branch: [{ when: "${broken}", steps: [{ id: t, set: { x: 1 } }] }] }\n`],
    ["a loop's items", `  - { id: s, for_each: "${broken}", steps: [{ id: t, set: { x: 1 } }] }\n`],
    ["items that are no list", `  - { id: s, for_each: "\${{ 5 }}", steps: [{ id: t, set: { x: 1 } }] }\n`],
    [
      "what a loop collects",
      `  - { id: s, for_each: "\${{ [1] }}", steps: [{ id: t, set: { x: 1 } }], collect: "${broken}" }\n`,
    ],
    ["a wait", `  - { id: s, wait: { for: "\${{ 'soon' }}" } }\n`],
    ["a tool's arguments", `  - { id: s, tool: test.echo, with: { value: "${broken}" } }\n`],
    ["a question", `  - { id: s, approval: { message: "why ${broken}" } }\n`],
  ])("%s", async (_where, steps) => {
    const world = await start([echo]);
    await world.startWorker("one");
    const row = await world.until(await world.submit(workflow(steps)), "FAILED");
    expect(row.error).toMatchObject({ code: "EXPRESSION_INVALID", step: "s" });
  });

  test("the outputs of the workflow", async () => {
    const world = await start([echo]);
    await world.startWorker("one");
    const text = workflow("  - { id: s, set: { x: 1 } }\n", `outputs: { o: "${broken}" }\n`);
    const row = await world.until(await world.submit(text), "FAILED");
    expect(row.error).toMatchObject({ code: "EXPRESSION_INVALID", step: "outputs" });
  });
});

describe("a branch none of whose arms is true", () => {
  test("gives null and goes on", async () => {
    const world = await start([echo]);
    await world.startWorker("one");
    const text = workflow(
      `  - { id: b, branch: [{ when: "\${{ false }}", steps: [{ id: t, set: { x: 1 } }] }] }\n`,
      `outputs: { b: "\${{ steps.b.output }}" }\n`,
    );
    const runId = await world.submit(text);
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ b: null });
  });
});

describe("steps around a failed one", () => {
  test("end with the run and are opened again by the next attempt", async () => {
    let calls = 0;
    const flaky: TestTool = {
      name: "test.flaky",
      effect: "idempotent",
      act: () => {
        calls += 1;
        if (calls > 1) return Promise.resolve("ok");
        return Promise.reject(new HomeostatError("ACTION_FAILED", "once", { transient: true }));
      },
    };
    const world = await start([flaky]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - { id: l, for_each: "\${{ [1, 2] }}", steps: [{ id: s, tool: test.flaky, with: {} }] }\n`),
    );
    await world.until(runId, "COMPLETED");
    expect(calls).toBe(3);
    expect((await world.state(runId)).steps.get("l")?.status).toBe("completed");
  });

  test("show as failed when the run has failed", async () => {
    const world = await start([{ ...echo, act: () => Promise.reject(new Error("broken")) }]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(`  - { id: l, for_each: "\${{ [1] }}", steps: [{ id: s, tool: test.echo, with: {} }] }\n`),
    );
    expect((await world.until(runId, "FAILED")).error).toMatchObject({
      code: "ACTION_FAILED",
      message: "broken",
    });
    expect((await world.state(runId)).steps.get("l")?.status).toBe("failed");
  });
});

describe("unsafe actions whose end nobody saw", () => {
  test.each([
    ["took too long", () => new Promise<never>(() => undefined)],
    [
      "broke off",
      () => Promise.reject(new HomeostatError("HTTP_FAILED", "connection reset", { transient: true })),
    ],
  ])("one that %s is put before a person, with the key to look for", async (_what, act) => {
    const hung: TestTool = {
      name: "test.pay",
      effect: "unsafe",
      act: (_args, { signal }) => Promise.race([act(), aborted(signal)]),
    };
    const world = await start([hung]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.pay, with: {}, timeout: 100ms }\n"));
    const question = await world.waitingApproval(runId);
    expect(question.kind).toBe("outcome");
    expect(question.message).toContain(`${runId}/s/1`);
    await world.answer(question.id, "happened");
    await world.until(runId, "COMPLETED");
  });

  test("one that says it did not happen simply failed", async () => {
    const refused: TestTool = {
      name: "test.pay",
      effect: "unsafe",
      act: () =>
        Promise.reject(new HomeostatError("HTTP_FAILED", "refused", { transient: true, didNotHappen: true })),
    };
    const world = await start([refused]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.pay, with: {} }\n"));
    expect((await world.until(runId, "RETRYING", "DEAD")).error).toMatchObject({ code: "HTTP_FAILED" });
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
  });

  test("a cancel in the middle ends the run and leaves the doubt on record", async () => {
    const slow: TestTool = {
      name: "test.pay",
      effect: "unsafe",
      act: (_args, { signal }) => aborted(signal),
    };
    const world = await start([slow]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.pay, with: {} }\n"));
    while (!(await world.kinds(runId)).includes("action.intended")) await pause(10);
    await pause(50);
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
    const step = (await world.state(runId)).steps.get("s");
    expect(step?.error?.message).toMatch(/may have happened/);
  });
});

describe("outputs", () => {
  test("beyond the limit fail the step", async () => {
    const world = await start([{ ...echo, act: () => Promise.resolve("x".repeat(1_000_001)) }]);
    await world.startWorker("one");
    const row = await world.until(
      await world.submit(workflow("  - { id: s, tool: test.echo, with: {} }\n")),
      "FAILED",
    );
    expect(row.error).toMatchObject({ code: "OUTPUT_INVALID" });
  });

  test("that are refused undo nothing by themselves: what was paid is not paid again, and is paid back", async () => {
    const done: string[] = [];
    const pay: TestTool = {
      name: "test.pay",
      effect: "unsafe",
      act: ({ name }) => {
        done.push(String(name));
        return Promise.resolve(name === "pay" ? "x".repeat(1_000_001) : "back");
      },
    };
    const world = await start([pay]);
    await world.startWorker("one");
    const steps = `  - id: s
    tool: test.pay
    with: { name: pay }
    retry: { attempts: 3, delay: 1ms }
    compensate: [{ id: back, tool: test.pay, with: { name: back } }]
`;
    const runId = await world.submit(workflow(steps));
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({ code: "OUTPUT_INVALID" });
    expect(done).toEqual(["pay", "back"]);
    const state = await world.state(runId);
    expect(planRepeats([], state)).toMatchObject([
      { step: "s", outcome: "completed" },
      { step: "s/compensate/back", outcome: "completed" },
    ]);
  });

  test("too large for a row go to a blob and come back", async () => {
    const large = "y".repeat(50_000);
    const world = await start([{ ...echo, act: () => Promise.resolve(large) }]);
    await world.startWorker("one");
    const runId = await world.submit(
      workflow(
        "  - { id: s, tool: test.echo, with: {} }\n",
        `outputs: { n: "\${{ length(steps.s.output) }}" }\n`,
      ),
    );
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toEqual({ n: 50_000 });
    const rows = await world.store.read("SELECT body FROM journal WHERE kind = 'action.completed'");
    expect(rows).toEqual([{ body: null }]);
  });
});

describe("messages that come too late", () => {
  test("are read, marked and change nothing", async () => {
    const world = await start([echo]);
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, set: { x: 1 } }\n"));
    await world.until(runId, "COMPLETED");
    const before = await world.kinds(runId);
    const late = { approvalId: "apr_x", step: "s", by: "eve", reason: null } as const;
    const messages = [
      { kind: "cancel", by: "eve", reason: null },
      { kind: "revive", by: "eve" },
      { kind: "pause", by: "eve", reason: null },
      { kind: "approval", ...late, answer: "approve" },
    ] as const;
    for (const [index, message] of messages.entries()) {
      await world.store.write(putMessage(runId, `late/${index}`, message, Date.now()));
    }
    for (let tries = 0; tries < 200; tries += 1) {
      const open = await world.store.read("SELECT id FROM inbox WHERE folded_seq IS NULL");
      if (open.length === 0) break;
      await pause(20);
    }
    expect(await world.store.read("SELECT id FROM inbox WHERE folded_seq IS NULL")).toEqual([]);
    expect(await world.kinds(runId)).toEqual(before);
    expect((await world.row(runId)).state).toBe("COMPLETED");
  });

  test("answers to a question that is not open are dropped while the run goes on", async () => {
    const world = await start([echo], () => "ask");
    await world.startWorker("one");
    const runId = await world.submit(workflow("  - { id: s, tool: test.echo, with: {} }\n"));
    await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    const stray = { approvalId: "apr_other", step: "s", by: "eve", reason: null } as const;
    await world.store.write([
      ...putMessage(runId, "a", { kind: "approval", ...stray, answer: "approve" }, Date.now()),
      ...putMessage(runId, "b", { kind: "outcome", ...stray, answer: "happened", output: 1 }, Date.now()),
      ...putMessage(runId, "c", { kind: "resume", by: "eve" }, Date.now()),
    ]);
    await pause(300);
    expect((await world.row(runId)).state).toBe("WAITING");
    expect(await world.kinds(runId)).not.toContain("approval.decided");
  });
});

describe("control", () => {
  test("names what is wrong: no such run, no sense, not this role", async () => {
    const world = await start([echo], () => "ask");
    await world.startWorker("one");
    const deps = {
      store: world.store,
      clock: { now: () => Date.now() } as never,
      holderOf: () => Promise.resolve({ role: "none", sinceMs: 0 }),
      checkArguments: () => undefined,
      holdsSecret: () => false,
    };
    const request = {
      tenant: "default",
      runId: "run_nope",
      command: "pause",
      by: "eve",
      reason: null,
    } as const;
    await expect(commandRun(deps, request)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    const runId = await world.submit(workflow("  - { id: s, tool: test.echo, with: {} }\n"));
    const { id } = await world.waitingApproval(runId);
    await expect(world.command(runId, "resume")).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
    const caller = { id: "mallory", role: "operator", tenant: "default" };
    const answer = { id, answer: "approve", caller, reason: null, result: null } as const;
    await expect(answerApproval(deps, answer)).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });
    await world.command(runId, "pause");
    await world.command(runId, "pause").catch(() => undefined);
    await world.until(runId, "WAITING");
  });

  test("a run whose workflow this version cannot read fails in plain sight", async () => {
    const world = await start([echo]);
    const runId = await world.submit(workflow("  - { id: s, set: { x: 1 } }\n"));
    const [row] = await world.store.read("SELECT body FROM journal WHERE seq = 1");
    const body = String(row!["body"]).replace("id: s, set", "id: s, sett");
    await world.store.write([{ sql: "UPDATE journal SET body = ? WHERE seq = 1", params: [body] }]);
    await world.startWorker("one");
    const failed = await world.until(runId, "FAILED");
    expect(failed.error).toMatchObject({ code: "WORKFLOW_INVALID" });
    expect(failed.error?.message).toMatch(/sett/);
  });

  test("a run that cannot be driven is set aside for a while, and the worker says so", async () => {
    const world = await start([echo]);
    const runId = await world.submit(workflow("  - { id: s, set: { x: 1 } }\n"));
    await world.store.write([{ sql: "UPDATE journal SET body = '{' WHERE seq = 1", params: [] }]);
    const worker = await world.startWorker("one");
    for (let tries = 0; tries < 200 && worker.health().kind === "ok"; tries += 1) await pause(20);
    expect(worker.health()).toMatchObject({ kind: "degraded" });
    // It says so before the run's row does.
    await expect.poll(async () => (await world.row(runId)).fault).not.toBeNull();
    const { wakeAtMs, fault } = await world.row(runId);
    expect(wakeAtMs! - fault!.atMs).toBeGreaterThanOrEqual(1_000);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
