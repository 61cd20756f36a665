import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSilentLogger } from "../../base/log.ts";
import { systemClock } from "../../base/clock.ts";
import { outboxMigration } from "../../store/outbox.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { compilePolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest } from "../rules/decision.ts";
import { requirePolicy } from "../file/policy-file.ts";
import { openShadow, policyShadowMigration } from "./shadow.ts";
import type { Shadow } from "./shadow.ts";
import { createPolicyVersions, policyVersionsMigration } from "./versions.ts";

let folder = "";
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-policy-"));
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    synchronous: "full",
    migrations: [outboxMigration, policyVersionsMigration, policyShadowMigration],
    clock: systemClock,
    logger: createSilentLogger(),
  });
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

describe("versions of the policy", () => {
  const version = (revision: string, by: string | null = null) => ({
    revision,
    rules: 2,
    by,
    note: by === null ? null : "why",
    atMs: 1_000,
    files: [{ name: "policy.yaml", text: `# ${revision}` }],
  });

  test("are kept with text, author and a fact for the ledger; the same one twice in a row once", async () => {
    const versions = createPolicyVersions(store);
    for (const each of [version("r1"), version("r1"), version("r2", "ada"), version("r1")])
      await versions.add(each);
    const list = await versions.list({ limit: 10, before: null });
    expect(list.map(({ number, revision, by, note }) => [number, revision, by, note])).toEqual([
      [3, "r1", null, null],
      [2, "r2", "ada", "why"],
      [1, "r1", null, null],
    ]);
    expect(await versions.list({ limit: 1, before: 3 })).toMatchObject([{ number: 2 }]);
    expect(await versions.files(2)).toEqual([{ name: "policy.yaml", text: "# r2" }]);
    await expect(versions.files(9)).rejects.toMatchObject({ code: "POLICY_NOT_FOUND" });
    const facts = await store.read("SELECT * FROM ledger_outbox");
    expect(facts).toHaveLength(3);
    expect(JSON.stringify(facts)).not.toContain("why");
  });

  test("an activation is the next version of the one it was made on, and of no other", async () => {
    const versions = createPolicyVersions(store);
    expect(await versions.activate(version("r1"), "whatever was on the disk")).toBe(1);
    expect(await versions.activate(version("r2"), "r1")).toBe(2);
    await expect(versions.activate(version("r3"), "r1")).rejects.toMatchObject({ code: "POLICY_CONFLICT" });
    await store.write([{ sql: "DROP TABLE ledger_outbox" }]);
    await expect(versions.activate(version("r3"), "r2")).rejects.not.toMatchObject({
      code: "POLICY_CONFLICT",
    });
    expect(await versions.newest(0)).toMatchObject({ number: 2, revision: "r2" });
  });

  test("a failure of the database is not tried again for ever", async () => {
    await store.write([{ sql: "DROP TABLE ledger_outbox" }]);
    await expect(createPolicyVersions(store).add(version("r1"))).rejects.toThrow();
  });

  test("two processes that tell of the same change keep it once", async () => {
    const [one, two] = [createPolicyVersions(store), createPolicyVersions(store)];
    await Promise.all([one.add(version("r1")), two.add(version("r1")), one.add(version("r1"))]);
    expect(await one.list({ limit: 10, before: null })).toHaveLength(1);
  });
});

describe("the shadow policy", () => {
  const text = (effect: string): string =>
    `version: 1\nrules:\n  - { name: w, effect: ${effect}, action: wait }\n`;
  const files = (effect: string) => [{ name: "policy.yaml", text: text(effect) }];
  const active = compilePolicy(requirePolicy(text("allow")));
  const request: ActionRequest = {
    action: "wait.for",
    resource: "clock",
    args: {},
    labels: [],
    agent: "a",
    role: "r",
    tenant: "t",
  };
  const counted: string[] = [];
  const open = (pollMs = 60_000): Shadow =>
    openShadow({
      store,
      clock: systemClock,
      logger: createSilentLogger(),
      count: (change) => counted.push(change),
      pollMs,
    });
  const observe = (shadow: Shadow): void => shadow.observe(request, decide(active, request));

  test("counts and samples where it would decide otherwise, across a restart", async () => {
    counted.length = 0;
    const first = open();
    await first.start();
    observe(first);
    expect(await first.report()).toBeNull();
    await first.set(files("deny"), "ada");
    observe(first);
    observe(first);
    await first.stop(1_000);
    const second = open();
    await second.start();
    observe(second);
    const report = await second.report();
    expect(report).toMatchObject({ by: "ada", rules: 1, same: 0, changes: [{ from: "allow", to: "deny", count: 3 }] });
    expect(report?.changes[0]?.samples).toHaveLength(3);
    expect(report?.changes[0]?.samples[0]).toMatchObject({ action: "wait.for", resource: "clock", reason: expect.stringContaining("`w`") });
    expect(counted).toEqual(["allow deny", "allow deny", "allow deny"]);
    await second.set(files("allow"), "bob");
    observe(second);
    expect(await second.report()).toMatchObject({ by: "bob", same: 1, changes: [] });
    await second.clear();
    expect(await second.report()).toBeNull();
    await second.stop(1_000);
  }); // prettier-ignore

  test("what one process sets, another one runs", async () => {
    const [one, two] = [open(), open(10)];
    await Promise.all([one.start(), two.start()]);
    await one.set(files("ask"), "ada");
    await vi.waitFor(() => {
      observe(two);
      expect(counted).toContain("allow ask");
    });
    await Promise.all([one.stop(1_000), two.stop(1_000)]);
    expect(await one.report()).toMatchObject({ changes: [{ to: "ask" }] });
  });

  test("a database that is away is told once and shows in its health until it is back", async () => {
    const told: unknown[] = [];
    let isAway = false;
    const read: Store["read"] = (...all) => (isAway ? Promise.reject(new Error("the database is away")) : store.read(...all));
    const shadow = openShadow({
      store: { ...store, read, write: store.write.bind(store) },
      clock: systemClock,
      logger: { ...createSilentLogger(), warn: (data: unknown) => void told.push(data) },
      count: () => undefined,
      pollMs: 5,
    });
    await shadow.start();
    expect(shadow.health()).toEqual({ kind: "ok" });
    isAway = true;
    await vi.waitFor(() => expect(shadow.health()).toEqual({ kind: "degraded", detail: "the database is away" }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(told).toEqual([{ error: "the database is away" }]);
    isAway = false;
    await vi.waitFor(() => expect(shadow.health()).toEqual({ kind: "ok" }));
    await shadow.stop(1_000);
  }); // prettier-ignore

  test("a fault of its own code ends it, so that it is made anew", async () => {
    let isBroken = false;
    const read: Store["read"] = (...all) => (isBroken ? Promise.reject(new TypeError("rows is not iterable")) : store.read(...all));
    const shadow = openShadow({ store: { ...store, read, write: store.write.bind(store) }, clock: systemClock, logger: createSilentLogger(), count: () => undefined, pollMs: 5 });
    await shadow.start();
    isBroken = true;
    expect(await shadow.failed).toBeInstanceOf(TypeError);
    isBroken = false;
    await shadow.stop(1_000);
  }); // prettier-ignore

  test("a candidate that this program cannot read is none", async () => {
    const shadow = open();
    await shadow.start();
    await shadow.set(files("deny"), "ada");
    await store.write([{ sql: "UPDATE policy_shadow SET files = ?", params: [JSON.stringify([{ name: "policy.yaml", text: "version: 9" }])] }]);
    await shadow.stop(1_000);
    const later = open();
    await later.start();
    expect(await later.report()).toBeNull();
    await later.stop(1_000);
  }); // prettier-ignore

  test("a bad candidate is refused, and one that breaks down changes no decision", async () => {
    const shadow = open();
    await shadow.start();
    await expect(shadow.set([{ name: "p", text: "version: 1" }], "ada")).rejects.toMatchObject({ code: "POLICY_INVALID" });
    await shadow.set(files("deny"), "ada");
    const broken = { ...request, get action(): string { throw new Error("broken"); } };
    expect(() => shadow.observe(broken, decide(active, request))).not.toThrow();
    expect(shadow.health()).toMatchObject({ kind: "degraded" });
    await shadow.stop(1_000);
  }); // prettier-ignore
});
