import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tool: TestTool): Promise<World> {
  const world = await createWorld({ tools: [tool] });
  worlds.push(world);
  await world.startWorker("one");
  return world;
}

const text = "version: 1\nname: w\nsteps:\n  - { id: s, tool: test.run, with: { bad: ${BAD} } }\n";
const failing = text.replace("${BAD}", "true");
const working = text.replace("${BAD}", "false");

function tool(error: HomeostatError, effect: TestTool["effect"] = "idempotent"): TestTool {
  return {
    name: "test.run",
    effect,
    act: ({ bad }) => (bad === true ? Promise.reject(error) : Promise.resolve("ok")),
  };
}

describe("programs that fail", () => {
  test("do not hold back anybody else's: an exit code is an answer", async () => {
    const world = await start(tool(new HomeostatError("CODE_FAILED", "ended with exit code 1")));
    for (let i = 0; i < 6; i++) await world.until(await world.submit(failing), "FAILED");
    const runId = await world.submit(working);
    await world.until(runId, "COMPLETED");
    expect(await world.kinds(runId)).not.toContain("action.held");
  });
});

describe("a tool that does not answer", () => {
  test("is held back for everybody after five times, and everybody can see why", async () => {
    const world = await start(tool(new HomeostatError("HTTP_FAILED", "reset", { transient: true })));
    for (let i = 0; i < 5; i++) {
      const runId = await world.submit(failing);
      await world.until(runId, "RETRYING");
      await world.command(runId, "cancel");
      await world.until(runId, "CANCELLED");
    }
    const runId = await world.submit(working);
    const row = await world.until(runId, "WAITING");
    const reason = "test.run failed several times in a row; calls are held back";
    expect(row.waiting).toMatchObject({ kind: "timer", reason: `held back: ${reason}` });
    expect(await world.kinds(runId)).toEqual(["run.created", "run.started", "action.held"]);
    const step = (await world.state(runId)).steps.get("s");
    expect(step).toMatchObject({ status: "waiting", attempt: 0, held: { reason } });
  });
});
