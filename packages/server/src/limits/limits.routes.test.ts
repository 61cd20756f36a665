import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createBulkhead } from "../guards/bulkhead.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createRateLimiter } from "../guards/rate-limit.ts";
import type { BucketLevel } from "../guards/rate-limit.ts";
import { startTestServer } from "../http/test-server.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import type { LimitProcess } from "./limit-processes.ts";
import { nothingReported, reportOf } from "./limit-report.ts";
import type { LimitReport } from "./limit-report.ts";
import { createLimitReporter } from "./limit-reporter.ts";
import type { LimitRules } from "./limit-rules.ts";
import { limitsRoutes } from "./limits.routes.ts";
import type { LimitsRoutesDeps } from "./limits.routes.ts";
import { createLimits } from "./limits.ts";
import { quotasMigration } from "./quotas.ts";
import { createRefusalCount } from "./refusals.ts";
import { limitReportsMigration, writeReport } from "./report-rows.ts";

const clock = systemClock;
const logger = createSilentLogger();
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-limits-routes-"));
  const migrations = [quotasMigration, limitReportsMigration];
  store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const rules: LimitRules = {
  rates: { calls: { of: "tenant", action: "http.*", count: 2, perMs: 3_600_000 } },
  quotas: { month: { of: "all", action: "**", count: 9, window: "month" } },
  bulkheads: { slow: { of: "tool", action: "**", atOnce: 1, line: 3 } },
};

const processOf = (owner: string, more: Partial<LimitProcess> = {}): LimitProcess => ({
  ...{ owner, id: `wrk_${owner}`, role: "worker", host: "box", pid: 7, state: "running", ...more },
});

interface World {
  readonly deps: LimitsRoutesDeps;
  readonly breaker: ReturnType<typeof createCircuitBreaker>;
  readonly facts: [string, JsonObject][];
}

/** The answering process has used one call and failed on `x` until its breaker opened. */
async function openWorld(
  others: readonly LimitProcess[] = [],
  shared: readonly BucketLevel[] = [],
): Promise<World> {
  const limiter = createRateLimiter({ clock });
  const bulkhead = createBulkhead({ clock });
  const refusals = createRefusalCount(clock);
  const breaker = createCircuitBreaker({ clock, failuresToOpen: 2 });
  const limits = createLimits({ rules, limiter, bulkhead, store, clock });
  const action = {
    tenant: "acme",
    user: "ada",
    agent: "w",
    action: "http.get",
    resource: "https://a.b:443/",
  };
  await limits.enter(action, []);
  refusals.add("rate", "calls");
  for (const target of ["x", "x", "y"]) breaker.failed(target);
  const report = (): LimitReport =>
    reportOf({
      buckets: limiter.levels(),
      bulkheads: bulkhead.levels(),
      refusals: refusals.all(),
      breakers: breaker.states(),
    });
  const facts: [string, JsonObject][] = [];
  const deps: LimitsRoutesDeps = {
    ...{ rules, store, clock, report },
    limiter: { sharedLevels: () => Promise.resolve(shared) },
    self: processOf("self", { role: "gateway", pid: 1 }),
    listProcesses: () => Promise.resolve([processOf("self"), ...others]),
    record: (type, data) => void facts.push([type, data]),
    holdsSecret: (text) => text.includes("hunter2"),
  };
  return { deps, breaker, facts };
}

test("one process shows what is configured, used and held back", async () => {
  const { deps } = await openWorld();
  await using server = await startTestServer(limitsRoutes(deps));
  const shown: unknown = await (await server.call("/v1/limits")).json();
  expect(shown).toMatchObject({
    configured: [
      { kind: "rate", name: "calls", count: 2, per: "3600000" },
      { kind: "quota", name: "month", count: 9, per: "month" },
      { kind: "bulkhead", name: "slow", count: 1, per: "at once" },
    ],
    buckets: [{ key: "calls/acme", left: 1, count: 2, perMs: 3_600_000, processes: 1 }],
    quotas: [{ key: "month", used: 1, count: 9 }],
    bulkheads: [{ key: "slow/http.get", inUse: 1, atOnce: 1, line: 3, processes: 1 }],
    refusals: [{ kind: "rate", limit: "calls", count: 1 }],
    breakers: [
      { target: "x", state: "open", openUntil: expect.stringMatching(/Z$/) as string, processes: 1 },
      { target: "y", state: "counting", openUntil: null },
    ],
    processes: [{ id: "wrk_self", role: "gateway", host: "box", pid: 1, isAnswering: true, leftOut: 0 }],
  });
});

test("other processes are told of as they last reported; one that is silent is in no total", async () => {
  const nowMs = clock.now();
  const report = (failures: number): string =>
    JSON.stringify({
      ...nothingReported,
      breakers: [{ target: "x", state: "open", failures, openUntilMs: nowMs + 60_000 }],
    } satisfies LimitReport);
  for (const [owner, failures] of [
    ["busy", 7],
    ["silent", 99],
    ["gone", 50],
  ] as const)
    await store.write(writeReport(owner, report(failures), nowMs - 2_000));
  const others = [processOf("busy"), processOf("silent", { state: "silent" }), processOf("old")];
  const common = { key: "calls/acme", limit: { count: 9, perMs: 1_000 }, tokens: 3 };
  const { deps } = await openWorld(others, [common]);
  await using server = await startTestServer(limitsRoutes(deps));
  const shown = (await (await server.call("/v1/limits")).json()) as {
    breakers: unknown[];
    processes: { id: string }[];
  };
  expect(shown.breakers[0]).toEqual({
    ...{ target: "x", state: "open", failures: 7, processes: 2 },
    openUntil: new Date(nowMs + 60_000).toISOString(),
  });
  expect(shown).toMatchObject({
    buckets: [{ key: "calls/acme", left: 3, count: 9, processes: null }, { processes: 1 }],
    processes: [
      { id: "wrk_self", isAnswering: true },
      { id: "wrk_busy", isAnswering: false, reportedAt: new Date(nowMs - 2_000).toISOString() },
      { id: "wrk_silent", state: "silent", breakers: [{ target: "x", failures: 99 }] },
      { id: "wrk_old", reportedAt: null, breakers: [] },
    ],
  });
});

test("other tenants see what is counted for them, nothing of what all do, and reset nothing", async () => {
  const { deps, facts } = await openWorld();
  const [get, reset] = limitsRoutes(deps) as never as [
    { handle(given: object): Promise<object> },
    { handle(given: object): Promise<object> },
  ];
  const shownTo = (tenant: string) => get.handle({ principal: { id: "x", role: "admin", tenant } });
  const none = { quotas: [], bulkheads: [], refusals: [], breakers: [] };
  const process = { bulkheads: [], refusals: [], breakers: [], leftOut: 0 };
  expect(await shownTo("acme")).toMatchObject({
    ...none,
    buckets: [{ key: "calls/acme" }],
    processes: [{ ...process, buckets: [{ key: "calls/acme" }] }],
  });
  expect(await shownTo("acm")).toMatchObject({
    ...none,
    buckets: [],
    processes: [{ ...process, buckets: [] }],
  });
  const principal = { id: "x", role: "admin", tenant: "acme" };
  await expect(reset.handle({ principal, body: {} })).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });
  expect(facts).toEqual([]);
});

test("breakers are reset in the process that is named or in all, by operators, and the ledger learns of it", async () => {
  const others = [processOf("busy"), processOf("silent", { state: "silent" })];
  const { deps, breaker, facts } = await openWorld(others);
  const other = createCircuitBreaker({ clock, failuresToOpen: 2 });
  for (const target of ["x", "x", "z"]) other.failed(target);
  const shared = { store, clock, logger, report: () => nothingReported };
  const reporters = [
    createLimitReporter({ ...shared, owner: "self", breaker }),
    createLimitReporter({ ...shared, owner: "busy", breaker: other }),
  ];
  await Promise.all(reporters.map((reporter) => reporter.start()));
  await using server = await startTestServer(limitsRoutes(deps));
  const reset = (body: object, role = "operator"): Promise<Response> =>
    server.call("/v1/limits/breakers/reset", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", authorization: `Bearer ${role}` },
    });
  expect((await reset({}, "viewer")).status).toBe(403);
  for (const unknown of ["wrk_silent", "wrk_nobody"]) {
    const refused = await reset({ process: unknown });
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: "REQUEST_INVALID" }]);
  }
  expect(await (await reset({ target: "x", process: "wrk_busy" })).json()).toEqual({
    processes: [{ id: "wrk_busy", role: "worker", host: "box", pid: 7, targets: ["x"] }],
  });
  expect(breaker.blockedUntilMs("x")).toBeDefined();
  expect(await (await reset({})).json()).toMatchObject({
    processes: [
      { id: "wrk_self", targets: ["x", "y"] },
      { id: "wrk_busy", targets: ["z"] },
    ],
  });
  expect([...breaker.states(), ...other.states()]).toEqual([]);
  expect(facts).toEqual([
    ["breaker.reset", { target: "x", process: "wrk_busy", by: "operator" }],
    ["breaker.reset", { target: "*", process: "*", by: "operator" }],
  ]);
  await Promise.all(reporters.map((reporter) => reporter.stop(100)));
  // Nobody answers any more: that is said, and not waited for too long.
  const late = (await (await reset({ target: "x" })).json()) as { processes: { targets: null }[] };
  expect(late.processes.map(({ targets }) => targets)).toEqual([null, null]);
}, 15_000);

test("a secret given as a target is refused and stands nowhere", async () => {
  const { deps, facts } = await openWorld();
  await using server = await startTestServer(limitsRoutes(deps));
  const answer = await server.call("/v1/limits/breakers/reset", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ target: "hunter2" }),
  });
  expect(answer.status).toBe(422);
  expect(await answer.text()).not.toContain("hunter2");
  expect(facts).toEqual([]);
});
