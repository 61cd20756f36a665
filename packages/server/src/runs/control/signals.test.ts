import { afterEach, describe, expect, test } from "vitest";
import { mostOpenMessages } from "../session/inbox.ts";
import { mostSignals } from "../journal/open-signals.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(): Promise<World> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  return world;
}

const wait = (id: string, rest = ""): string => `  - { id: ${id}, wait: { signal: paid${rest} } }\n`;
const text = (steps: string): string =>
  `version: 1\nname: w\noutputs: { first: "\${{ steps.first.output }}" }\nsteps:\n${steps}`;

const slow = { timeout: 15_000, interval: 100 };

describe("a signal", () => {
  test("wakes the step that waits for it and is its output", async () => {
    const world = await start();
    await world.startWorker("one");
    const runId = await world.submit(text(wait("first")));
    const row = await world.until(runId, "WAITING");
    expect(row).toMatchObject({ waiting: { kind: "signal", name: "paid", untilMs: null }, wakeAtMs: null });
    await world.signal(runId, "paid", { amount: 5 });
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toMatchObject({ first: { data: { amount: 5 }, by: "eve" } });
  });

  test("is refused while a thousand others wait to be read, and commands still find room", async () => {
    const world = await start();
    const runId = await world.submit(text(wait("first") + "  - { id: b, wait: { signal: other } }\n"));
    const signal = JSON.stringify({ kind: "signal", name: "paid", data: 1, by: "eve" });
    await world.store.write(
      Array.from({ length: mostOpenMessages }, (_, n) => ({
        sql: "INSERT INTO inbox (run_id, key, v, at_ms, body) VALUES (?, ?, 1, 0, ?)",
        params: [runId, `signal/paid/${n}`, signal],
      })),
    );
    await expect(world.signal(runId, "paid", 2)).rejects.toMatchObject({ code: "MAILBOX_FULL" });
    await world.command(runId, "pause");
    await world.startWorker("one");
    await world.until(runId, "WAITING");
    await world.signal(runId, "other", 2);
  });

  test("is refused while a thousand of its name wait for a step to take them, and taken again once one was", async () => {
    const world = await start();
    const runId = await world.submit(text(wait("first") + "  - { id: b, wait: { signal: other } }\n"));
    const worker = await world.startWorker("one");
    await world.signal(runId, "paid", 0);
    await expect.poll(async () => (await world.state(runId)).steps.get("first")?.status).toBe("completed");
    for (let sent = 0; sent < mostSignals; sent += 500) {
      const rows = Array.from({ length: 500 }, (_, n) => ({
        sql: "INSERT INTO inbox (run_id, key, v, at_ms, body) VALUES (?, ?, 1, 0, ?)",
        params: [runId, `signal/paid/${sent + n}`, '{"kind":"signal","name":"paid","data":1,"by":"eve"}'],
      }));
      await world.store.write(rows);
    }
    await world.command(runId, "pause");
    await expect.poll(async () => (await world.state(runId)).signals.length, slow).toBe(mostSignals);
    await expect(world.signal(runId, "paid", 2)).rejects.toMatchObject({
      code: "MAILBOX_FULL",
      data: { name: "paid", count: mostSignals },
    });
    await worker.stop();
    await world.signal(runId, "other", 2);
    await world.command(runId, "resume");
    await world.startWorker("two");
    await world.until(runId, "COMPLETED");
  }, 30_000);

  test("that comes early is kept; each step takes one, the oldest first", async () => {
    const world = await start();
    const runId = await world.submit(text(wait("first") + wait("second")));
    await world.signal(runId, "paid", 1);
    await world.signal(runId, "paid", 2);
    await world.signal(runId, "paid", 3);
    await world.startWorker("one");
    await world.until(runId, "COMPLETED");
    const { steps, signals } = await world.state(runId);
    expect(steps.get("first")?.output).toMatchObject({ data: 1 });
    expect(steps.get("second")?.output).toMatchObject({ data: 2 });
    expect(signals.map(({ data }) => data)).toEqual([3]);
  });

  test("is taken by one of two branches, never by both", async () => {
    const world = await start();
    const runId = await world.submit(
      `version: 1\nname: w\nsteps:\n  - id: p\n    parallel:\n      a: [{ id: a1, wait: { signal: paid } }]\n      b: [{ id: b1, wait: { signal: paid } }]\n`,
    );
    await world.signal(runId, "paid", 1);
    await world.startWorker("one");
    await world.until(runId, "WAITING");
    await world.signal(runId, "paid", 2);
    await world.until(runId, "COMPLETED");
    const { steps } = await world.state(runId);
    expect(steps.get("p/a/a1")?.output).toMatchObject({ data: 1 });
    expect(steps.get("p/b/b1")?.output).toMatchObject({ data: 2 });
  });

  test("that does not come in time fails the step, or skips it", async () => {
    const world = await start();
    await world.startWorker("one");
    const failing = await world.submit(text(wait("first", ", timeout: 30ms")));
    const skipping = await world.submit(text(wait("first", ", timeout: 30ms, on_timeout: skip")));
    expect((await world.until(failing, "FAILED")).error).toMatchObject({
      code: "SIGNAL_TIMEOUT",
      step: "first",
    });
    await world.until(skipping, "COMPLETED");
    expect((await world.state(skipping)).outputs).toEqual({ first: null });
  });

  test("is refused when no step waits for it, when its data does not fit, and when the run is over", async () => {
    const world = await start();
    const payload = ", payload: { amount: { type: number, min: 1 }, note: { type: string, default: none } }";
    const runId = await world.submit(text(wait("first", payload)));
    const refused = async (
      name: string,
      data: number | object,
      code: string,
      message: RegExp,
    ): Promise<void> => {
      const sent = world.signal(runId, name, data as never);
      await expect(sent).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    };
    await refused("payed", {}, "SIGNAL_UNKNOWN", /No step of w waits/);
    await refused("paid", 7, "SIGNAL_INVALID", /expected an object/);
    await refused("paid", { amount: 0 }, "SIGNAL_INVALID", /at least 1/);
    await refused("paid", { amount: 1, x: 1 }, "SIGNAL_INVALID", /no member `x`/);
    await refused("paid", { amount: 1, note: "SECRET" }, "REQUEST_INVALID", /secret/);
    await world.signal(runId, "paid", { amount: 2 });
    await world.startWorker("one");
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).outputs).toMatchObject({
      first: { data: { amount: 2, note: "none" } },
    });
    await refused("paid", { amount: 2 }, "RUN_STATE_CONFLICT", /COMPLETED/);
  });
});
