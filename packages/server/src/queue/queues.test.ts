import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openRedisLink } from "../store/redis.ts";
import type { RedisLink } from "../store/redis.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { skipsRedis, startTestRedis } from "../store/test-redis.fixture.ts";
import type { TestRedis } from "../store/test-redis.fixture.ts";
import { until } from "../store/test-things.ts";
import { createBullmqQueue } from "./bullmq-queue.ts";
import type { BullmqQueue } from "./bullmq-queue.ts";
import { describeQueue, testRun } from "./describe-queue.fixture.ts";
import { createLocalQueue } from "./local-queue.ts";
import type { Queue } from "./local-queue.ts";
import { queueMigrations } from "./migrations.ts";
import { insertRun } from "./run-row.ts";

const logger = createSilentLogger();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function openStore(): Promise<LeaseStore> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-queue-"));
  const migrations = [leaseMigration, ...queueMigrations];
  const store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
  cleanups.push(() => rm(folder, { recursive: true }), store.close);
  return store;
}

describeQueue("in this process", async () => {
  const store = await openStore();
  return { store, open: (offers = []) => Promise.resolve(createLocalQueue({ store, offers })) };
});

describe.skipIf(skipsRedis())("with Redis", () => {
  describeQueue("over BullMQ", async () => {
    const { store, open } = await openWorld();
    return { store, open: async (offers = []) => (await open(offers)).queue };
  });

  interface World {
    readonly store: LeaseStore;
    readonly server: TestRedis;
    /** A link and a queue of their own, as in another process; the first one dispatches. */
    readonly open: (offers?: readonly `root:${string}`[]) => Promise<{ queue: BullmqQueue; link: RedisLink }>;
  }

  async function openWorld(): Promise<World> {
    const store = await openStore();
    const server = await startTestRedis();
    cleanups.push(server.stop);
    let dispatching: Promise<void> | undefined;
    return {
      store,
      server,
      async open(offers = []) {
        const link = await openRedisLink({ url: server.url, clock, logger });
        cleanups.push(link.close);
        await until(link.isUp);
        const local = createLocalQueue({ store, offers });
        const queue = await createBullmqQueue({ local, redis: link, prefix: "test:", clock, logger });
        cleanups.push(queue.close);
        if (dispatching === undefined) {
          const ending = new AbortController();
          dispatching = queue.dispatch(store, ending.signal);
          cleanups.push(async () => {
            ending.abort();
            await dispatching;
          });
        }
        return { queue, link };
      },
    };
  }

  test("each wake-up goes to one listener, and nothing of it stays in Redis", async () => {
    const { store, server, open } = await openWorld();
    const queues = [await open(), await open(), await open()];
    const calls: number[] = [];
    queues.forEach(({ queue }, index) => queue.onWake(() => calls.push(index)));
    await clock.sleep(100);
    calls.length = 0;
    for (let index = 0; index < 10; index += 1) await store.write([insertRun(testRun(), null)]);
    await until(() => calls.length === 10);
    await clock.sleep(100);
    expect(calls).toHaveLength(10);
    expect(new Set(calls).size).toBeGreaterThan(1);
    expect(await server.run("KEYS test:wake-ups:run_*")).toMatch(/^\*0/);
  });

  test("a listener without room leaves the next wake-ups to others", async () => {
    const { store, open } = await openWorld();
    const [full, free] = [await open(), await open()];
    let fullCalls = 0;
    let freeCalls = 0;
    full.queue.onWake(
      () => (fullCalls += 1),
      () => false,
    );
    free.queue.onWake(() => (freeCalls += 1));
    await clock.sleep(100);
    [fullCalls, freeCalls] = [0, 0];
    for (let index = 0; index < 10; index += 1) await store.write([insertRun(testRun(), null)]);
    await until(() => freeCalls >= 9);
    expect(fullCalls).toBeLessThanOrEqual(1);
  });

  test("while Redis is away commits wake, and after FLUSHALL and a restart Redis does again", async () => {
    const { store, server, open } = await openWorld();
    const { queue, link } = await open();
    let calls = 0;
    queue.onWake(() => (calls += 1));
    await expectWoken();
    await server.run("FLUSHALL");
    await expectWoken();
    await server.crash();
    await until(() => !link.isUp());
    await expectWoken();
    await server.restart();
    await until(link.isUp);
    await expectWoken();

    async function expectWoken(): Promise<void> {
      await clock.sleep(100);
      const before = calls;
      await store.write([insertRun(testRun(), null)]);
      await until(() => calls > before, 10_000);
    }
  });

  test("a wake-up that Redis lost is put in again while its run is due", async () => {
    const { store, server, open } = await openWorld();
    const { queue } = await open();
    await store.write([insertRun(testRun(), null)]);
    await untilKeys(server, true);
    await server.run("FLUSHALL");
    let calls = 0;
    const listening: Pick<Queue, "onWake"> = queue;
    await untilKeys(server, true);
    listening.onWake(() => (calls += 1));
    await until(() => calls > 0);
  });

  async function untilKeys(server: TestRedis, wanted: boolean): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if (/run_/.test(await server.run("KEYS test:wake-ups:run_*")) === wanted) return;
      await clock.sleep(50);
    }
    throw new Error("Redis does not come to hold it");
  }
});
