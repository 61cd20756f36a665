import { afterEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { readSubmissionFields } from "./submission-fields.ts";
import { submitOnce } from "./submit.ts";
import type { Submission, Submitted } from "./submit.ts";
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

const workflow = "version: 1\nname: w\nsteps:\n  - { id: only, set: { x: 1 } }\n";

function submit(world: World, more: Partial<Submission> = {}): Promise<Submitted> {
  return submitOnce(world.submitDeps, {
    workflow,
    files: [],
    inputs: {},
    priority: "normal",
    labels: [],
    requester: "ann",
    tenant: "default",
    ...more,
  });
}

describe("a secret", () => {
  test("is refused in labels, which the ledger keeps for ever, and in names of files", async () => {
    const world = await start();
    await expect(submit(world, { labels: ["a", "SECRET-1"] })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: "Label 2 holds what looks like a secret (a key, token or password)",
    });
    const files = [{ path: "a/SECRET.txt", content: Buffer.from("") }];
    await expect(submit(world, { files })).rejects.toMatchObject({ place: { path: "files[0].path" } });
    expect(await world.store.read("SELECT id FROM runs")).toEqual([]);
  });
});

describe("a delayed task", () => {
  test("is PENDING until its time, and then begins", async () => {
    const world = await start();
    const notBeforeMs = clock.now() + 400;
    const { row } = await submit(world, { notBeforeMs });
    expect(row).toMatchObject({ state: "PENDING", wakeAtMs: notBeforeMs, waiting: { kind: "timer" } });
    await world.startWorker("one");
    const done = await world.until(row.id, "COMPLETED");
    expect(done.startedAtMs).toBeGreaterThanOrEqual(notBeforeMs);
    expect(done.startedAtMs! - notBeforeMs).toBeLessThan(1_000);
  });

  test("stays what it is when it is paused and resumed before its time, and can be cancelled", async () => {
    const world = await start();
    const notBeforeMs = clock.now() + 3_600_000;
    const { row } = await submit(world, { notBeforeMs });
    await world.startWorker("one");
    await world.command(row.id, "pause");
    await world.until(row.id, "WAITING");
    await world.command(row.id, "resume");
    expect(await world.until(row.id, "PENDING")).toMatchObject({ wakeAtMs: notBeforeMs, startedAtMs: null });
    await world.command(row.id, "cancel");
    await world.until(row.id, "CANCELLED");
    expect(await world.kinds(row.id)).not.toContain("run.started");
  });
});

describe("a deduplication key", () => {
  const key = { key: "invoice-7", windowMs: 60_000 };

  test("gives the run that has it, to everybody in the tenant, also after the run has ended", async () => {
    const world = await start();
    const first = await submit(world, { deduplication: key });
    expect(first.isNew).toBe(true);
    const again = await submit(world, { deduplication: key, requester: "bob" });
    expect(again).toMatchObject({ isNew: false, row: { id: first.row.id } });
    await world.startWorker("one");
    await world.until(first.row.id, "COMPLETED");
    expect((await submit(world, { deduplication: key })).row.id).toBe(first.row.id);
    const elsewhere = await submit(world, { deduplication: key, tenant: "other" });
    expect(elsewhere.isNew).toBe(true);
  });

  test("is free again when its window is over", async () => {
    const world = await start();
    const first = await submit(world, { deduplication: { ...key, windowMs: 1 } });
    await clock.sleep(5);
    const second = await submit(world, { deduplication: key });
    expect(second.isNew).toBe(true);
    expect((await submit(world, { deduplication: key })).row.id).toBe(second.row.id);
    expect(second.row.id).not.toBe(first.row.id);
  });

  test("is taken by one of many that come at the same time", async () => {
    const world = await start();
    const all = await Promise.all(Array.from({ length: 20 }, () => submit(world, { deduplication: key })));
    expect(new Set(all.map(({ row }) => row.id)).size).toBe(1);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    const rows = await world.store.read("SELECT id FROM runs");
    expect(rows).toHaveLength(1);
  });
});

describe("the fields of a submission", () => {
  test("say when it begins, by delay or by time with an offset", () => {
    const at = { now: () => Date.parse("2026-03-01T08:00:00Z") };
    expect(readSubmissionFields({ delay: "1h30m" }, at)).toEqual({
      notBeforeMs: Date.parse("2026-03-01T09:30:00Z"),
    });
    expect(readSubmissionFields({ notBefore: "2026-03-01T12:00:00+02:00" }, at)).toEqual({
      notBeforeMs: Date.parse("2026-03-01T10:00:00Z"),
    });
    expect(readSubmissionFields({ deduplication: { key: "k" } }, at)).toEqual({
      deduplication: { key: "k", windowMs: 86_400_000 },
    });
    const both = { delay: "1s", notBefore: "2026-03-01T12:00:00Z" };
    expect(() => readSubmissionFields(both, at)).toThrow("not both");
    expect(() => readSubmissionFields({ notBefore: "2036-03-01T12:00:00Z" }, at)).toThrow("366 days");
  });
});

describe("a key under which a run is made once", () => {
  test("is its tenant's and its owner's: the same name elsewhere, a schedule and a webhook have keys of their own", async () => {
    const world = await start();
    const mine = await submit(world, { dedupKey: "x" });
    expect((await submit(world, { dedupKey: "x" })).row.id).toBe(mine.row.id);
    const origin = { id: "s", name: "s", occurrenceAtMs: 0 };
    const others: Partial<Submission>[] = [
      { tenant: "acme" },
      { requester: "bob" },
      { schedule: origin },
      { isFromHook: true },
      { requester: "schedule" },
    ];
    for (const more of others) {
      const first = await submit(world, { ...more, dedupKey: "x" });
      expect(first).toMatchObject({ isNew: true, row: { tenant: more.tenant ?? "default" } });
      expect((await submit(world, { ...more, dedupKey: "x" })).row.id).toBe(first.row.id);
    }
  });

  test("finds a run that an older version made, in its own tenant alone", async () => {
    const world = await start();
    for (const [more, older] of [
      [{ requester: "ann" }, "ann/y"],
      [{ schedule: { id: "s", name: "s", occurrenceAtMs: 0 } }, "schedule/y"],
    ] as const) {
      const { row } = await submit(world, more);
      await world.store.write([
        { sql: "UPDATE runs SET dedup_key = ? WHERE id = ?", params: [older, row.id] },
      ]);
      expect(await submit(world, { ...more, dedupKey: "y" })).toMatchObject({
        isNew: false,
        row: { id: row.id },
      });
      expect(await submit(world, { ...more, dedupKey: "y", tenant: "acme" })).toMatchObject({ isNew: true });
    }
    // A person of this name has none of the keys that schedules had.
    expect(await submit(world, { requester: "schedule", dedupKey: "y" })).toMatchObject({ isNew: true });
  });
});
