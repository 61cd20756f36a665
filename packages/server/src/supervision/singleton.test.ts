import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { until } from "../store/test-things.ts";
import type { Part } from "./part.ts";
import { createSingleton } from "./singleton.ts";

async function openStore(): Promise<LeaseStore> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-singleton-"));
  const logger = createSilentLogger();
  const path = join(folder, "state.db");
  const store = await openSqliteStore({ path, migrations: [leaseMigration], clock: systemClock, logger });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

interface Worker {
  readonly part: Part;
  readonly turns: number;
}

function singleton(
  store: LeaseStore,
  owner: string,
  works: Set<string>,
  dead: readonly string[] = [],
): Worker {
  const state = { turns: 0 };
  const part = createSingleton({
    name: "broom",
    store,
    clock: systemClock,
    logger: createSilentLogger(),
    owner,
    isOwnerDead: (other) => dead.includes(other),
    async work(signal) {
      state.turns += 1;
      works.add(owner);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      works.delete(owner);
    },
  });
  return {
    part,
    get turns() {
      return state.turns;
    },
  };
}

test("one works while the other waits, and follows when the first has stopped", async () => {
  const store = await openStore();
  const works = new Set<string>();
  const [one, two] = [singleton(store, "one", works), singleton(store, "two", works)];
  await one.part.start();
  await until(() => works.has("one"));
  await two.part.start();
  await systemClock.sleep(100);
  expect(works).toEqual(new Set(["one"]));
  expect(two.part.health()).toEqual({ kind: "ok", detail: "another process does it" });
  await one.part.stop(100);
  await until(() => works.has("two"));
  await two.part.stop(100);
  expect(works.size).toBe(0);
});

test("a holder that is provably dead is followed at once", async () => {
  const store = await openStore();
  const works = new Set<string>();
  await store.write([
    {
      sql: "INSERT INTO leases (name, owner, epoch, until_ms) VALUES (?, ?, ?, ?)",
      params: ["singleton/broom", "killed", 3, systemClock.now() + 60_000],
    },
  ]);
  const next = singleton(store, "next", works, ["killed"]);
  await next.part.start();
  await until(() => works.has("next"));
  await next.part.stop(100);
});

test("work that fails is told by health and begun again", async () => {
  const store = await openStore();
  let turns = 0;
  const part = createSingleton({
    name: "broom",
    store,
    clock: systemClock,
    logger: createSilentLogger(),
    owner: "one",
    isOwnerDead: () => false,
    work: () => {
      turns += 1;
      return Promise.reject(new Error("the broom broke"));
    },
  });
  await part.start();
  await until(() => part.health().kind === "degraded");
  expect(part.health().detail).toBe("the broom broke");
  await until(() => turns === 2);
  await part.stop(100);
});

test("whoever could not free its own lease takes it again at once when that is possible", async () => {
  const real = await openStore();
  let turns = 0;
  let isFull = false;
  const store: LeaseStore = {
    ...real,
    write: (batch) =>
      isFull
        ? Promise.reject(new HomeostatError("STORE_UNAVAILABLE", "database or disk is full"))
        : real.write(batch),
  };
  const part = createSingleton({
    name: "broom",
    ...{ store, clock: systemClock, logger: createSilentLogger() },
    ...{ owner: "one", isOwnerDead: () => false, ttlMs: 60_000 },
    work: () => {
      turns += 1;
      isFull = turns === 1;
      return Promise.reject(new HomeostatError("STORE_UNAVAILABLE", "database or disk is full"));
    },
  });
  await part.start();
  await until(() => part.health().kind === "degraded");
  isFull = false;
  // Long before the lease of a minute ends.
  await until(() => turns === 2, 5_000);
  await part.stop(100);
});
