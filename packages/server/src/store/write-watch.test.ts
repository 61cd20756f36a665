import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { openSqliteStore } from "./sqlite/sqlite.ts";
import { insertThing, thingMigration, thingNames } from "./test-things.ts";
import { watchWrites } from "./write-watch.ts";
import type { WatchedStore } from "./write-watch.ts";

interface Watched {
  readonly store: WatchedStore;
  isFull: boolean;
  writes: number;
}

/** A real store behind a disk that can be full. */
async function open(probeEveryMs = 10): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-watch-"));
  const logger = createSilentLogger();
  const real = await openSqliteStore({
    ...{ path: join(folder, "state.db"), clock, logger },
    migrations: [thingMigration],
  });
  const watched = { isFull: false, writes: 0 };
  const store = watchWrites(
    {
      ...real,
      write(batch) {
        watched.writes += 1;
        if (!watched.isFull) return real.write(batch);
        return Promise.reject(new HomeostatError("STORE_UNAVAILABLE", "database or disk is full"));
      },
    },
    {
      ...{ clock, probeEveryMs },
      probe: () => ({ sql: "INSERT INTO event (name) VALUES ('probe')" }),
    },
  );
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return Object.assign(watched, { store });
}

test("a write that fails is told until one succeeds, also when nobody else writes", async () => {
  const disk = await open();
  const { store } = disk;
  await store.write([insertThing("a")]);
  expect(store.writeProblem()).toBeUndefined();
  disk.isFull = true;
  await expect(store.write([insertThing("b")])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(store.writeProblem()).toBe("database or disk is full");
  const before = disk.writes;
  await expect.poll(() => disk.writes).toBeGreaterThan(before + 3);
  expect(store.writeProblem()).toBe("database or disk is full");
  disk.isFull = false;
  await expect.poll(() => store.writeProblem()).toBeUndefined();
  const { writes } = disk;
  await clock.sleep(50);
  expect(disk.writes).toBe(writes);
  expect(await thingNames(store)).toEqual(["a"]);
});

test("a conflict and a mistake are no problem of the disk", async () => {
  const { store } = await open();
  await store.write([insertThing("a")]);
  await expect(store.write([insertThing("a")])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  await expect(store.write([{ sql: "INSERT INTO nowhere (x) VALUES (1)" }])).rejects.toMatchObject({
    code: "INTERNAL",
  });
  expect(store.writeProblem()).toBeUndefined();
});

test("a store that cannot be written is closed at once", async () => {
  const disk = await open();
  disk.isFull = true;
  await disk.store.write([insertThing("b")]).catch(() => undefined);
  await disk.store.close();
  const { writes } = disk;
  await clock.sleep(50);
  expect(disk.writes).toBe(writes);
});

test("an empty batch says nothing about the disk, and a write that fails after the end begins no probes", async () => {
  const disk = await open(60_000);
  disk.isFull = true;
  await disk.store.write([insertThing("b")]).catch(() => undefined);
  disk.isFull = false;
  await disk.store.write([]);
  expect(disk.store.writeProblem()).toBe("database or disk is full");
  await disk.store.close();
  disk.isFull = true;
  await expect(disk.store.write([insertThing("c")])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const { writes } = disk;
  await clock.sleep(50);
  expect(disk.writes).toBe(writes);
});
