import { afterEach, expect, test } from "vitest";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Acts that say when they have begun, and end when they are told. */
function createPaced() {
  const ends = new Map<unknown, () => void>();
  const waiting = new Map<unknown, () => void>();
  const tool: TestTool = {
    ...{ name: "paced.act", effect: "pure", files: "none" },
    act: ({ called, fails }) =>
      new Promise((resolve, reject) => {
        ends.set(called, () => (fails === true ? reject(new Error("it broke")) : resolve(called ?? null)));
        waiting.get(called)?.();
      }),
  };
  return {
    tool,
    begun: (called: string) =>
      ends.has(called) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(called, resolve)),
    end: (called: string) => ends.get(called)!(),
  };
}

async function leaseLeftMs({ store }: World): Promise<number> {
  const [row] = await store.read("SELECT until_ms FROM leases WHERE name LIKE 'run/%'");
  return Number(row!["until_ms"]) - Date.now();
}

async function start(leaseTtlMs = 3_000) {
  const paced = createPaced();
  world = await createWorld({ tools: [paced.tool], leaseTtlMs });
  await world.startWorker("one");
  return { world, paced };
}

test.each([
  ["with its outcome", ""],
  ["with its failure", ", fails: true"],
])("what a long act had reserved is given back %s", async (_, fails) => {
  const { world, paced } = await start();
  const runId = await world.submit(`version: 1
name: two
steps:
  - { id: long, tool: paced.act, with: { called: long${fails} }, timeout: 60s, on_error: continue }
  - { id: short, tool: paced.act, with: { called: short }, timeout: 10s }
`);
  await paced.begun("long");
  expect(await leaseLeftMs(world)).toBeGreaterThan(50_000);
  paced.end("long");
  await paced.begun("short");
  const leftMs = await leaseLeftMs(world);
  expect(leftMs).toBeGreaterThan(10_000);
  expect(leftMs).toBeLessThan(20_000);
  paced.end("short");
  await world.until(runId, "COMPLETED");
});

test("what an act has reserved that was left behind and may still act stays", async () => {
  const ttlMs = 1_000;
  const { world } = await start(ttlMs);
  // The tool does not end by itself, and heeds no signal. The lease is held while the step waits for its next try.
  const runId = await world.submit(`version: 1
name: deaf
steps: [{ id: deaf, tool: paced.act, timeout: 100ms, retry: { attempts: 2, delay: 2s } }]
`);
  await expect.poll(() => world.kinds(runId), { timeout: 10_000 }).toContain("action.failed");
  expect(await leaseLeftMs(world)).toBeGreaterThan(ttlMs + 500);
});

test("what another branch has reserved stays", async () => {
  const { world, paced } = await start();
  const runId = await world.submit(`version: 1
name: both
steps:
  - id: both
    parallel:
      one: [{ id: long, tool: paced.act, with: { called: long }, timeout: 60s }]
      two:
        - { id: short, tool: paced.act, with: { called: short }, timeout: 10s }
        - { id: last, tool: paced.act, with: { called: last }, timeout: 10s }
`);
  await Promise.all([paced.begun("long"), paced.begun("short")]);
  paced.end("short");
  await paced.begun("last");
  expect(await leaseLeftMs(world)).toBeGreaterThan(50_000);
  paced.end("long");
  paced.end("last");
  await world.until(runId, "COMPLETED");
});
