import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import type { ManualClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createBulkhead } from "../guards/bulkhead.ts";
import { createRateLimiter } from "../guards/rate-limit.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { claimsOf, noLimits, targetOf } from "./limit-rules.ts";
import type { LimitedAction, LimitRules } from "./limit-rules.ts";
import { createLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { quotaLevels, quotasMigration, windowAt } from "./quotas.ts";
import { createRefusalCount } from "./refusals.ts";

const action: LimitedAction = {
  tenant: "acme",
  user: "ada",
  agent: "workflow:w",
  action: "http.get",
  resource: "https://api.example.org:443/a/b",
};

let folder: string;
let store: Store;
let clock: ManualClock;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-limits-"));
  clock = createManualClock(Date.UTC(2026, 0, 31, 23, 59, 0));
  const logger = createSilentLogger();
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [quotasMigration],
    clock,
    logger,
  });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function open(rules: Partial<LimitRules>): Limits {
  const limiter = createRateLimiter({ clock });
  return createLimits({
    rules: { ...noLimits, ...rules },
    limiter,
    bulkhead: createBulkhead({ clock }),
    store,
    clock,
  });
}

describe("whose actions are counted together", () => {
  const key = (of: LimitRules["rates"][string]["of"], more: Partial<LimitedAction> = {}) =>
    claimsOf({ ...noLimits, rates: { r: { of, action: "**", count: 1, perMs: 1 } } }, { ...action, ...more })
      .rates[0]?.key;

  test("each subject has its own bucket, and tenants never share one of a user or an agent", () => {
    expect(key("all")).toBe(key("all", { tenant: "other", user: "bob" }));
    expect(key("tool")).not.toBe(key("tool", { action: "http.request" }));
    expect(key("target")).toBe(key("target", { resource: "https://api.example.org:443/else" }));
    expect(key("target")).not.toBe(key("target", { resource: "https://other.example:443/a" }));
    for (const of of ["tenant", "user", "agent"] as const)
      expect(key(of)).not.toBe(key(of, { tenant: "other" }));
    expect(key("user")).not.toBe(key("user", { user: "bob" }));
  });

  test("a target is a host with its port, or the first folder", () => {
    expect(targetOf("https://h.example:8443/x/y")).toBe("https://h.example:8443");
    expect(targetOf("workspace/a/b.txt")).toBe("workspace");
    expect(targetOf("python")).toBe("python");
  });

  test("a rule counts only the actions it names", () => {
    const rules = {
      ...noLimits,
      rates: { web: { of: "all", action: "http.*", count: 1, perMs: 1 } },
    } as const;
    expect(claimsOf(rules, action).rates).toHaveLength(1);
    expect(claimsOf(rules, { ...action, action: "file_ops.read" }).rates).toEqual([]);
  });
});

describe("rates", () => {
  test("hold the action back until the bucket has a token again, and say by which limit", async () => {
    const limits = open({ rates: { web: { of: "user", action: "http.*", count: 2, perMs: 1_000 } } });
    expect((await limits.enter(action, [])).kind).toBe("entered");
    expect((await limits.enter(action, [])).kind).toBe("entered");
    const held = await limits.enter(action, []);
    expect(held).toEqual({
      kind: "held",
      by: "rate",
      reason: "Limit web allows 2 per 1s",
      retryAtMs: clock.now() + 500,
    });
    expect((await limits.enter({ ...action, user: "bob" }, [])).kind).toBe("entered");
    clock.advance(500);
    expect((await limits.enter(action, [])).kind).toBe("entered");
  });

  test("of policy count beside those of the configuration", async () => {
    const limits = open({});
    const own = [{ key: "policy/acme/w/http.get", limit: { count: 1, perMs: 1_000 } }];
    expect((await limits.enter(action, own)).kind).toBe("entered");
    expect(await limits.enter(action, own)).toMatchObject({ kind: "held", by: "rate" });
  });
});

describe("quotas", () => {
  test("are used up for the whole day, also after a restart, and begin anew at midnight UTC", async () => {
    const rules = { quotas: { calls: { of: "tenant", action: "http.*", count: 2, window: "day" } } } as const;
    const limits = open(rules);
    await limits.enter(action, []);
    await limits.enter(action, []);
    const held = await open(rules).enter(action, []);
    expect(held).toMatchObject({ kind: "held", by: "quota", retryAtMs: Date.UTC(2026, 1, 1) });
    expect(await quotaLevels(store, clock.now())).toMatchObject([{ key: "calls/acme", used: 2, count: 2 }]);
    clock.advance(60_000);
    expect((await limits.enter(action, [])).kind).toBe("entered");
    expect(await quotaLevels(store, clock.now())).toMatchObject([{ used: 1 }]);
  });

  test("count in all of them or in none", async () => {
    const limits = open({
      quotas: {
        small: { of: "tenant", action: "**", count: 1, window: "day" },
        large: { of: "tenant", action: "**", count: 9, window: "month" },
      },
    });
    await limits.enter(action, []);
    expect(await limits.enter(action, [])).toMatchObject({ kind: "held", by: "quota" });
    const levels = await quotaLevels(store, clock.now());
    expect(levels.map(({ key, used }) => `${key} ${used}`)).toEqual(["large/acme 1", "small/acme 1"]);
  });

  test("never let more through than they allow, however many ask at once", async () => {
    const limits = open({ quotas: { calls: { of: "all", action: "**", count: 7, window: "day" } } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => limits.enter(action, [])));
    expect(answers.filter(({ kind }) => kind === "entered")).toHaveLength(7);
  });

  test("that cannot be counted fail, so that the gate denies, and the place is free again", async () => {
    const bulkhead = createBulkhead({ clock });
    const limits = createLimits({
      rules: {
        ...noLimits,
        quotas: { calls: { of: "all", action: "**", count: 7, window: "day" } },
        bulkheads: { slow: { of: "tool", action: "**", atOnce: 1, line: 0 } },
      },
      limiter: createRateLimiter({ clock }),
      bulkhead,
      store: { write: () => Promise.reject(new Error("the disk is full")) },
      clock,
    });
    await expect(limits.enter(action, [])).rejects.toThrow("the disk is full");
    expect(bulkhead.levels().map(({ inUse }) => inUse)).toEqual([0]);
  });

  test("windows meet without a gap and contain their time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        fc.constantFrom("day", "month"),
        (atMs, window) => {
          const { startMs, endMs } = windowAt(window, atMs);
          expect(startMs <= atMs && atMs < endMs).toBe(true);
          expect(windowAt(window, endMs).startMs).toBe(endMs);
          expect(windowAt(window, startMs - 1).endMs).toBe(startMs);
        },
      ),
    );
  });
});

describe("places", () => {
  const rules = { bulkheads: { slow: { of: "tool", action: "http.*", atOnce: 2, line: 0 } } } as const;

  test("are taken until the action is over, and then somebody else's", async () => {
    const limits = open(rules);
    const [one, two] = [await limits.enter(action, []), await limits.enter(action, [])];
    expect(await limits.enter(action, [])).toMatchObject({ kind: "held", by: "bulkhead" });
    if (one.kind === "entered") limits.leave(one.places);
    expect((await limits.enter(action, [])).kind).toBe("entered");
    expect(two.kind).toBe("entered");
  });

  test("are given back when another limit holds the action back", async () => {
    const limits = open({ ...rules, rates: { r: { of: "all", action: "**", count: 1, perMs: 1_000 } } });
    await limits.enter(action, []);
    for (let tries = 0; tries < 5; tries += 1)
      expect(await limits.enter(action, [])).toMatchObject({ by: "rate" });
    clock.advance(1_000);
    expect((await limits.enter(action, [])).kind).toBe("entered");
  });
});

describe("what is told of limits", () => {
  test("refusals are counted by limit, the latest first, and a bounded number of limits remembered", () => {
    const refusals = createRefusalCount(clock, 2);
    for (const limit of ["a", "b", "a", "c"]) refusals.add("rate", limit);
    expect(refusals.all()).toEqual([
      { kind: "rate", limit: "c", count: 1, lastAtMs: clock.now() },
      { kind: "rate", limit: "a", count: 2, lastAtMs: clock.now() },
    ]);
  });
});
