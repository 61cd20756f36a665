import { afterEach, describe, expect, test } from "vitest";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const maxEvents = 60;

async function start() {
  const done: string[] = [];
  const world = await createWorld({
    maxEvents,
    tools: [
      {
        name: "test.do",
        effect: "idempotent",
        files: "none",
        act: ({ what }) => {
          done.push(String(what));
          return Promise.resolve(null);
        },
      },
    ],
  });
  worlds.push(world);
  await world.startWorker("one");
  return { world, done };
}

const looping = (rounds: number, more = ""): string => `version: 1
name: looping
steps:
  - id: opened
    tool: test.do
    with: { what: open }
    compensate: [{ id: close, tool: test.do, with: { what: close } }, { id: told, tool: test.do, with: { what: told } }]
  - id: loop
    for_each: "\${{ range(0, ${rounds}) }}"
    steps: [{ id: round, tool: test.do, with: { what: "\${{ index }}" } }]${more}
`;

describe("a run that has as many events as it may have", () => {
  test("begins no further step, fails by name, and undoes what it did", async () => {
    const { world, done } = await start();
    const runId = await world.submit(looping(1_000));
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({
      code: "RUN_TOO_LONG",
      message: expect.stringMatching(/^The run has 6\d events; it may have 60$/) as string,
      hint: expect.stringContaining("`runs.maxEvents`") as string,
    });
    expect(done.slice(-2)).toEqual(["close", "told"]);
    // Two events for an action, and the two that undo.
    expect(done.length).toBeLessThanOrEqual(maxEvents / 2 + 2);
    const kinds = await world.kinds(runId);
    expect(kinds.indexOf("run.unwinding")).toBeLessThanOrEqual(maxEvents + 1);
    expect(kinds.at(-1)).toBe("run.failed");
  });

  test("is caught by no step inside it", async () => {
    const { world } = await start();
    const runId = await world.submit(looping(1_000, "\n    on_error: continue"));
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({ code: "RUN_TOO_LONG" });
  });

  test("is one of many branches as well, and a shorter one ends as ever", async () => {
    const { world } = await start();
    const wide = looping(1_000, "\n    concurrency: 4");
    const [long, short] = [await world.submit(wide), await world.submit(looping(5))];
    expect((await world.until(long, "FAILED")).error).toMatchObject({ code: "RUN_TOO_LONG" });
    await world.until(short, "COMPLETED");
  });
});

const twoSteps = `version: 1
name: two
steps:
  - { id: first, tool: test.send, with: {} }
  - { id: next, tool: test.send, with: {} }
`;

/** The first act takes as long as `hang` does. */
async function startSending(bound: number, hang: () => Promise<null>, decide: "ask" | "allow") {
  const sent: string[] = [];
  const world = await createWorld({
    maxEvents: bound,
    decide: () => decide,
    tools: [
      {
        name: "test.send",
        effect: "unsafe",
        files: "none",
        act: (_, { stepPath }) => {
          sent.push(stepPath);
          return hang();
        },
      },
    ],
  });
  worlds.push(world);
  return { world, sent };
}

describe("a step that is under way when the run reaches its bound", () => {
  test("is done after a yes, and the next one is not", async () => {
    const { world, sent } = await startSending(4, () => Promise.resolve(null), "ask");
    await world.startWorker("one");
    const runId = await world.submit(twoSteps);
    const question = await world.waitingApproval(runId);
    // The answer is the event that reaches the bound.
    expect((await world.state(runId)).headSeq).toBe(3);
    await world.answer(question.id, "approve");
    expect((await world.until(runId, "FAILED")).error).toMatchObject({ code: "RUN_TOO_LONG" });
    expect(sent).toEqual(["first"]);
    expect((await world.state(runId)).steps.get("first")!.status).toBe("completed");
  });

  test("is asked about when its outcome was lost, and is tried again where a person says so", async () => {
    let hung = 0;
    const hang = (): Promise<null> => {
      hung += 1;
      return hung === 1 ? new Promise(() => undefined) : Promise.resolve(null);
    };
    const { world, sent } = await startSending(3, hang, "allow");
    const first = await world.startWorker("one");
    const runId = await world.submit(twoSteps);
    await expect.poll(() => sent).toEqual(["first"]);
    await first.stop();
    await world.startWorker("two", ["one"]);
    const question = await world.waitingApproval(runId);
    expect(question).toMatchObject({ kind: "outcome", step: "first" });
    await world.answer(question.id, "did-not-happen");
    expect((await world.until(runId, "FAILED")).error).toMatchObject({ code: "RUN_TOO_LONG" });
    expect(sent).toEqual(["first", "first"]);
  });
});
