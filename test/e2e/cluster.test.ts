/** Several processes on one database: gateways and workers, one of them killed; every run finished once and everything proved. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { skipsPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { skipsRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import { startFakeBank } from "../chaos/fake-bank.ts";
import type { FakeBank } from "../chaos/fake-bank.ts";
import { findViolations } from "../chaos/invariants.ts";
import { createCluster } from "../cluster/cluster.ts";
import type { Cluster, ClusterOptions } from "../cluster/cluster.ts";
import { bankEnvironment, submitPayments, untilAllEnded } from "../cluster/payments.ts";
import type { Payments } from "../cluster/payments.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function open(
  options: ClusterOptions,
  bankDelayMs = 20,
): Promise<{ cluster: Cluster; bank: FakeBank }> {
  const bank = await startFakeBank(bankDelayMs);
  const environment = { ...bankEnvironment(bank), ...options.environment };
  const cluster = await createCluster({ ...options, environment });
  cleanups.push(bank.close, cluster.stop);
  return { cluster, bank };
}

interface Run {
  readonly id: string;
  readonly state: string;
}

async function expectAllPaid(cluster: Cluster, bank: FakeBank, { submitted }: Payments): Promise<void> {
  expect(await findViolations(cluster, bank, { submitted, ends: ["COMPLETED"] })).toEqual([]);
}

async function untilState(cluster: Cluster, id: string, state: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const run = await cluster.call<Run>("GET", `/v1/runs/${id}`);
    if (run.state === state) return;
    await sleep(50);
  }
  throw new Error(`${id} did not become ${state}`);
}

async function submit(cluster: Cluster, workflow: string, key: string): Promise<string> {
  return (await cluster.call<Run>("POST", "/v1/tasks", { body: { workflow }, key })).id;
}

const longWait = "version: 1\nname: long\nsteps: [{ id: a, tool: wait.for, with: { seconds: 60 } }]\n";

describe("two workers and a gateway on SQLite", () => {
  test("finish every run once although one worker is killed in the middle", async () => {
    const { cluster, bank } = await open({ database: "sqlite" });
    await cluster.start("gateway");
    const [first] = await Promise.all([cluster.start("worker"), cluster.start("worker")]);
    const submitting = submitPayments(cluster, bank, { runs: 40, parallel: 4 });
    while (bank.charges.size < 5) await sleep(10);
    await first.kill();
    const payments = await submitting;
    await untilAllEnded(cluster, bank, { payments, deadlineMs: 90_000 });
    await expectAllPaid(cluster, bank, payments);
  });

  test("a cancel reaches the run in the other process at once, and its stream shows the worker's events", async () => {
    const { cluster } = await open({ database: "sqlite" });
    const gateway = await cluster.start("gateway");
    await cluster.start("worker");
    const id = await submit(cluster, longWait, "long");
    await untilState(cluster, id, "RUNNING");
    const all = new AbortController();
    const headers = { authorization: `Bearer ${cluster.token}` };
    const everything = await fetch(`${gateway.url}/v1/stream`, { headers, signal: all.signal });
    const stream = fetch(`${gateway.url}/v1/runs/${id}/stream`, { headers });
    const startMs = Date.now();
    await cluster.call("POST", `/v1/runs/${id}/cancel`, { body: { reason: "enough" }, key: "cancel" });
    const text = await (await stream).text();
    expect(Date.now() - startMs).toBeLessThan(1_000);
    expect(text).toMatch(/event: run.cancelled/);
    expect(text).toMatch(/event: end/);
    let seen = "";
    const decoder = new TextDecoder();
    for await (const chunk of everything.body!) {
      seen += decoder.decode(chunk as Uint8Array, { stream: true });
      if (seen.includes('"state":"CANCELLED"')) break;
    }
    all.abort();
    expect(seen).toContain(id);
  });

  test("a worker that is asked to stop lets go, ends with 0, and another goes on with the run", async () => {
    const { cluster } = await open({ database: "sqlite" });
    await cluster.start("gateway");
    const first = await cluster.start("worker");
    const steps = Array.from(
      { length: 40 },
      (_, at) => `  - { id: s${at}, tool: wait.for, with: { seconds: 0.05 } }`,
    );
    const id = await submit(cluster, `version: 1\nname: many\nsteps:\n${steps.join("\n")}\n`, "many");
    await untilState(cluster, id, "RUNNING");
    const second = await cluster.start("worker");
    expect(await first.stop()).toBe(0);
    await untilState(cluster, id, "COMPLETED");
    expect(second.isAlive()).toBe(true);
    const detail = await cluster.call<{ attempts: number }>("GET", `/v1/runs/${id}`);
    expect(detail.attempts).toBe(1);
  });

  test("a run that names a root goes to the worker that has it, and waits for it if it is away", async () => {
    const { cluster } = await open({ database: "sqlite" });
    await cluster.start("gateway");
    const folder = join(cluster.home, "..", `${cluster.home.split("/").at(-1)}-root`);
    await mkdir(folder);
    await writeFile(join(folder, "hello.txt"), "hello");
    const roots = JSON.stringify({ shelf: { path: folder, mode: "read" } });
    const having = await cluster.start("worker", { HOMEOSTAT_ROOTS: roots });
    await cluster.start("worker");
    const workflow =
      'version: 1\nname: r\nsteps: [{ id: a, tool: file_ops.read, with: { path: "shelf:hello.txt" } }]\n';
    for (let index = 0; index < 6; index += 1)
      await untilState(cluster, await submit(cluster, workflow, `root-${index}`), "COMPLETED");
    await having.stop();
    const waiting = await submit(cluster, workflow, "late");
    await sleep(1_500);
    expect((await cluster.call<Run>("GET", `/v1/runs/${waiting}`)).state).toBe("QUEUED");
    const workers = await cluster.call<{ unmet: unknown }>("GET", "/v1/workers");
    expect(workers.unmet).toEqual([{ need: "root:shelf", runs: 1 }]);
    await cluster.start("worker", { HOMEOSTAT_ROOTS: roots });
    await untilState(cluster, waiting, "COMPLETED");
  });
});

describe.skipIf(skipsPostgres() || skipsRedis())("gateways and workers on PostgreSQL and Redis", () => {
  test("finish every run once although a worker and the publishing gateway are killed and Redis forgets all", async () => {
    const { cluster, bank } = await open({ database: "postgres", redis: true });
    const publishing = await cluster.start("gateway");
    await Promise.all([
      cluster.start("gateway"),
      ...Array.from({ length: 3 }, () => cluster.start("worker")),
    ]);
    const submitting = submitPayments(cluster, bank, { runs: 100, parallel: 8 });
    while (bank.charges.size < 10) await sleep(10);
    await cluster.living("worker")[0]!.kill();
    await cluster.redis!.run("FLUSHALL");
    while (bank.charges.size < 30) await sleep(10);
    await publishing.kill();
    const payments = await submitting;
    await untilAllEnded(cluster, bank, { payments, deadlineMs: 90_000 });
    await expectAllPaid(cluster, bank, payments);
    const { data } = await cluster.call<{ data: { role: string; state: string }[] }>(
      "GET",
      "/v1/workers?all=true",
    );
    expect(data.map(({ role, state }) => `${role} ${state}`).toSorted()).toEqual([
      "gateway gone",
      "gateway running",
      "worker gone",
      "worker running",
      "worker running",
    ]);
  });

  test("work goes on while Redis is away, health says so, and it recovers by itself", async () => {
    const { cluster, bank } = await open({ database: "postgres", redis: true });
    await cluster.redis!.crash();
    const gateway = await cluster.start("gateway");
    await cluster.start("worker");
    const payments = await submitPayments(cluster, bank, { runs: 5, parallel: 2 });
    await untilAllEnded(cluster, bank, { payments, deadlineMs: 30_000 });
    expect(await redisHealth(gateway.url)).toBe("degraded");
    await cluster.redis!.restart();
    for (let tries = 0; (await redisHealth(gateway.url)) !== "ok"; tries += 1) {
      if (tries > 300) throw new Error("Redis stays degraded");
      await sleep(50);
    }
    await expectAllPaid(cluster, bank, payments);
  });

  async function redisHealth(url: string): Promise<string | undefined> {
    const answer = (await (await fetch(`${url}/readyz`)).json()) as {
      checks: { name: string; kind: string }[];
    };
    return answer.checks.find(({ name }) => name === "redis")?.kind;
  }
});
