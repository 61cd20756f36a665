import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SupervisionTree } from "@homeostat/client/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { migrations } from "../../home/migrations.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import { judgeKeys } from "./check-keys.ts";
import { judgeLedger } from "./check-ledger.ts";
import { judgeNode } from "./check-machine.ts";
import { judgeTree } from "./check-server.ts";
import { judgeDead, judgeLeases, judgeReplica, judgeSkew } from "./check-state.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { doctor } from "./doctor.ts";
import type { Terminal } from "../terminal/terminal.ts";

describe("what doctor makes of what it finds", () => {
  test("a Node.js that is too old will not do", () => {
    expect(judgeNode("24.0.0").state).toBe("ok");
    expect(judgeNode("22.19.1")).toMatchObject({ state: "failed", hint: expect.stringContaining("24") });
  });

  test("clocks apart by a second are worth a warning, by a third of a lease a failure, and a slow answer is no skew", () => {
    const state = (aheadMs: number, roundTripMs = 2): string =>
      judgeSkew({ aheadMs, roundTripMs }, 30_000).state;
    expect([state(900), state(-1_500), state(1_500), state(10_500), state(-60_000)]).toEqual([
      "ok",
      "warning",
      "warning",
      "failed",
      "failed",
    ]);
    expect(state(1_400, 2_000)).toBe("ok");
    expect(judgeSkew({ aheadMs: -1_500, roundTripMs: 2 }, 30_000).detail).toContain("1500 ms behind");
  });

  test("a replica that is behind or away is worth a warning: the primary serves everything", () => {
    expect(judgeReplica(undefined, 250)).toEqual([]);
    expect(judgeReplica({ kind: "following", lagMs: 12.4 }, 250)).toMatchObject([
      { state: "ok", detail: "behind by 12 ms" },
    ]);
    expect(judgeReplica({ kind: "behind", lagMs: 300 }, 250)).toMatchObject([
      { state: "warning", detail: expect.stringContaining("more than 250 ms") },
    ]);
    expect(judgeReplica({ kind: "away", why: "ECONNREFUSED" }, 250)).toMatchObject([
      { state: "warning", detail: expect.stringContaining("ECONNREFUSED: the primary serves") },
    ]);
  });

  test("leases are stale when they ended long ago or their holder is gone, and never while somebody may hold them", () => {
    const nowMs = 1_000_000;
    const leases = [
      { name: "run/held", owner: "alive", untilMs: nowMs + 1_000 },
      { name: "run/late", owner: "alive", untilMs: nowMs - 5_000 },
      { name: "run/old", owner: "alive", untilMs: nowMs - 61_000 },
      { name: "run/orphan", owner: "dead", untilMs: nowMs + 20_000 },
    ];
    const [found] = judgeLeases(leases, nowMs, (owner) => owner === "dead");
    expect(found).toMatchObject({
      state: "warning",
      detail: expect.stringMatching(/^2 held.*run\/old, run\/orphan$/),
    });
    expect(judgeLeases(leases.slice(0, 2), nowMs, () => false)).toEqual([]);
  });

  test("a ledger smaller than the database knows is an older copy; a long outbox has no publisher", () => {
    const facts = { size: 10, knownSize: 10, pending: 0, checkpointAgeMs: 5 };
    expect(judgeLedger(facts)).toMatchObject({
      state: "ok",
      detail: expect.stringContaining("never witnessed"),
    });
    expect(judgeLedger({ ...facts, knownSize: 11 }).state).toBe("failed");
    expect(judgeLedger({ ...facts, pending: 5_000 }).state).toBe("warning");
  });

  test("parts that were made anew are named with their last error, those that gave up as failed", () => {
    const place = (name: string, more: Partial<SupervisionTree> = {}): SupervisionTree => ({
      name,
      kind: "part",
      state: "running",
      health: { kind: "ok" },
      restarts: 0,
      lastError: null,
      uptimeMs: 1,
      strategy: null,
      mailbox: null,
      children: [],
      ...more,
    });
    const children = [
      place("a"),
      place("b", { restarts: 1, lastError: "a bug" }),
      place("c", { restarts: 5, state: "failed" }),
    ];
    const found = judgeTree(place("root", { children }));
    expect(found.map(({ state, detail }) => `${state} ${detail}`)).toEqual([
      "warning b was made anew, 1 time restarted: a bug",
      "failed c has failed, 5 times restarted",
    ]);
  });

  test("parts that do not serve are told with their reason and what to do", () => {
    const base = { kind: "part", state: "running", restarts: 0, lastError: null, uptimeMs: 1 } as const;
    const rest = { strategy: null, mailbox: null, children: [] } as const;
    const health = {
      kind: "failed",
      detail: "The database cannot be written: database or disk is full",
    } as const;
    const store: SupervisionTree = { ...base, ...rest, name: "store", health };
    const worker: SupervisionTree = {
      ...store,
      name: "worker",
      health: { kind: "degraded", detail: "a fault" },
    };
    const root: SupervisionTree = { ...store, name: "root", kind: "supervisor", children: [store, worker] };
    expect(judgeTree(root)).toEqual([
      {
        ...{ name: "parts", state: "failed" },
        detail: `store does not serve: ${health.detail}`,
        hint: expect.stringContaining("Free some space"),
      },
      {
        ...{ name: "parts", state: "warning" },
        detail: "worker works with less: a fault",
        hint: expect.stringContaining("homeostat logs"),
      },
    ]);
  });

  test("keys are for their owner alone", () => {
    const file = (mode: number, owner = 1000) => ({ path: "/h/keys/a.key", mode: 0o100000 | mode, owner });
    const folder = { path: "/h/keys", mode: 0o040700, owner: 1000 };
    expect(judgeKeys([folder, file(0o600)], 1000).state).toBe("ok");
    expect(judgeKeys([folder, file(0o640)], 1000)).toMatchObject({
      state: "failed",
      detail: expect.stringContaining("(mode 640)"),
      hint: expect.stringContaining("chmod go= /h/keys/a.key"),
    });
    expect(judgeKeys([folder, file(0o600, 33)], 1000)).toMatchObject({
      state: "failed",
      hint: expect.stringContaining("chown 1000"),
    });
    // The administrator of the machine reads everybody's.
    expect(judgeKeys([folder, file(0o600, 33)], 0).state).toBe("ok");
  });

  test("one dead letter or several", () => {
    expect(judgeDead(0)).toEqual([]);
    expect(judgeDead(2)[0]?.detail).toContain("2 runs have");
  });
});

describe("doctor on a data folder", () => {
  let home: string;
  let folder: string;
  let seen: { ok: boolean; checks: readonly Diagnosis[] };
  const terminal: Terminal = {
    json: true,
    result: (value) => void (seen = value as typeof seen),
    line: () => undefined,
    note: () => undefined,
    columns: undefined,
  };
  const found = (name: string): readonly Diagnosis[] => seen.checks.filter((check) => check.name === name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "homeostat-doctor-"));
    home = join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "homeostat.yaml"), `port: ${await freePort()}\n`);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("a new one is well, and where each value of the configuration comes from is told", async () => {
    expect(await doctor({ home }, terminal)).toBe(0);
    expect(seen.ok).toBe(true);
    expect(found("config")[0]?.detail).toMatch(/port = \d+ from .*homeostat\.yaml/);
    expect(found("policy")[0]).toMatchObject({ state: "ok" });
    expect(found("database")[0]?.detail).toContain("will be made");
    expect(found("ledger")[0]?.detail).toContain("will be made");
  });

  test("dead letters and leases of processes that are gone are warnings with a remedy; versions are told", async () => {
    const path = join(home, "state.db");
    const store = await openSqliteStore({ path, migrations, clock, logger: createSilentLogger() });
    const columns = await store.read(
      "SELECT name, type, \"notnull\" AS needed, dflt_value FROM pragma_table_info('runs')",
    );
    const needed = columns.filter(
      ({ name, needed: isNeeded, dflt_value: value }) =>
        name === "ended_at_ms" || (isNeeded === 1 && value === null),
    );
    const values = needed.map((column) =>
      column["name"] === "state" ? "DEAD" : String(column["type"]).startsWith("TEXT") ? "x" : 0,
    );
    const names = needed.map((column) => String(column["name"]));
    await store.write([
      {
        sql: `INSERT INTO runs (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
        params: values,
      },
      {
        sql: "INSERT INTO leases (name, owner, epoch, until_ms) VALUES ('run/x', 'somebody', 1, ?)",
        params: [clock.now() - 120_000],
      },
    ]);
    await store.close();
    expect(await doctor({ home }, terminal)).toBe(0);
    expect(found("database")[0]?.detail).toMatch(/1 runs, SQLite 3\./);
    expect(found("dead")[0]).toMatchObject({ state: "warning", hint: expect.stringContaining("dead list") });
    expect(found("leases")[0]).toMatchObject({ state: "warning", detail: expect.stringContaining("run/x") });
  });

  test("a policy no server could use, a taken port and a root in the data folder are failures, and the exit code says so", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    await symlink(home, join(folder, "link"));
    await writeFile(
      join(home, "homeostat.yaml"),
      `port: ${port}\nroots: { inside: { path: ${join(folder, "link")} } }\n`,
    );
    await writeFile(join(home, "policy.yaml"), "version: 1\nrulez: []\n");
    expect(await doctor({ home }, terminal)).toBe(1);
    other.close();
    expect(found("policy")[0]).toMatchObject({ state: "failed", hint: "homeostat policy check" });
    expect(found("roots")[0]).toMatchObject({
      state: "failed",
      detail: expect.stringContaining("data folder"),
    });
    expect(found("server")[0]).toMatchObject({
      state: "failed",
      detail: expect.stringContaining(String(port)),
    });
  });

  test("a root around the data folder is a warning", async () => {
    await writeFile(
      join(home, "homeostat.yaml"),
      `port: ${await freePort()}\nroots: { all: { path: ${folder} } }\n`,
    );
    expect(await doctor({ home }, terminal)).toBe(0);
    expect(found("roots")[0]).toMatchObject({ state: "warning" });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
