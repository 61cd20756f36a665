import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import type { Lease, LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { underLease } from "./under-lease.ts";
import type { UnderLeaseDeps } from "./under-lease.ts";

async function openDeps(): Promise<(owner: string) => UnderLeaseDeps> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-lease-"));
  const path = join(folder, "state.db");
  const store = await openSqliteStore({
    path,
    migrations: [leaseMigration],
    clock,
    logger: createSilentLogger(),
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const { signal } = new AbortController();
  const logger = createSilentLogger();
  return (owner) => ({ name: "broom", store, clock, logger, owner, isOwnerDead: () => false, signal });
}

test("a second process does nothing while the first is at it, and may begin when it has ended", async () => {
  const deps = await openDeps();
  const inside = await underLease(
    deps("one"),
    async () => await underLease(deps("two"), () => Promise.resolve(2)),
  );
  expect(inside).toBeUndefined();
  await expect(underLease(deps("one"), () => Promise.reject(new Error("no broom")))).rejects.toThrow(
    "no broom",
  );
  expect(await underLease(deps("two"), () => Promise.resolve(2))).toBe(2);
});

test("how the work went is told also when its lease cannot be freed, which is logged", async () => {
  const deps = (await openDeps())("one");
  const away = new HomeostatError("STORE_UNAVAILABLE", "the database is away");
  let writes = 0;
  const write: LeaseStore["write"] = (batch) =>
    (writes += 1) % 2 === 0 ? Promise.reject(away) : deps.store.write(batch);
  const warn = vi.fn<Logger["warn"]>();
  const store = { ...deps.store, write };
  const losing = { ...deps, store, isOwnerDead: () => true, logger: { ...deps.logger, warn } };
  const why = new Error("no broom");
  await expect(underLease(losing, () => Promise.reject(why))).rejects.toBe(why);
  expect(await underLease(losing, () => Promise.resolve(2))).toBe(2);
  const fields = { lease: "singleton/broom", error: "the database is away" };
  expect(warn.mock.calls.map(([said]) => said)).toEqual([fields, fields]);
});

test("work hears that its lease has ended, and that it shall stop", async () => {
  const deps = await openDeps();
  const { store } = deps("one");
  for (const end of ["lease", "stop"] as const) {
    const ends = { lease: new AbortController(), stop: new AbortController() };
    const losing = {
      ...store,
      holdLease: (lease: Lease) => ({ ...store.holdLease(lease), signal: ends.lease.signal }),
    };
    const heard = await underLease({ ...deps("one"), store: losing, signal: ends.stop.signal }, (signal) => {
      const before = signal.aborted;
      ends[end].abort();
      return Promise.resolve([before, signal.aborted]);
    });
    expect(heard).toEqual([false, true]);
  }
});
