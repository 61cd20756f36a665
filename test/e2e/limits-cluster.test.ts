/** Limits and circuit breakers of several processes, seen and reset through the gateway that has none of them itself. */
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Operations } from "@homeostat/client/api";
import { afterEach, describe, expect, test } from "vitest";
import { skipsPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { skipsRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import { freePort, repository } from "../chaos/server-process.ts";
import { createCluster } from "../cluster/cluster.ts";
import type { Cluster, ClusterOptions } from "../cluster/cluster.ts";
import type { Member } from "../cluster/member-process.ts";

type Limits = Operations["limits.get"]["answer"];
type Reset = Operations["limits.resetBreakers"]["answer"];

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

interface World {
  readonly cluster: Cluster;
  /** `http://127.0.0.1:PORT` where nobody listens at first. */
  readonly shop: string;
  /** A worker that alone has the root of this name. */
  startWorker(root: string): Promise<Member>;
  /** Runs of the worker with this root that call the shop, one after the other, until each has ended. */
  callShop(root: string, times: number): Promise<void>;
  openShop(): Promise<void>;
}

async function open(options: ClusterOptions): Promise<World> {
  const port = await freePort();
  const cluster = await createCluster({
    ...options,
    environment: {
      HOMEOSTAT_TOOLS_ALLOWED_HOSTS: `127.0.0.1:${port}`,
      HOMEOSTAT_TOOLS_ALLOW_PRIVATE: `127.0.0.1:${port}`,
      HOMEOSTAT_LIMITS_RATES: JSON.stringify({ calls: { action: "http.*", count: 100, within: "10h" } }),
      HOMEOSTAT_LIMITS_QUOTAS: JSON.stringify({ day: { action: "http.*", count: 1_000, window: "month" } }),
    },
  });
  cleanups.push(cluster.stop);
  const shop = `http://127.0.0.1:${port}`;
  let runs = 0;
  return {
    cluster,
    shop,
    async startWorker(root) {
      const path = `${cluster.home}-${root}`;
      await mkdir(path);
      cleanups.push(() => rm(path, { recursive: true }));
      await writeFile(join(path, "hello.txt"), "hello");
      return await cluster.start("worker", {
        HOMEOSTAT_ROOTS: JSON.stringify({ [root]: { path, mode: "read" } }),
        HOMEOSTAT_RUNS_CONCURRENCY: "1",
      });
    },
    async callShop(root, times) {
      const workflow = `version: 1
name: shopping
steps:
  - { id: here, tool: file_ops.read, with: { path: "${root}:hello.txt" } }
  - { id: ask, tool: http.get, with: { url: "${shop}/" } }
`;
      for (let time = 0; time < times; time += 1) {
        const key = `shopping-${(runs += 1)}`;
        const { id } = await cluster.call<{ id: string }>("POST", "/v1/tasks", {
          body: { workflow, maxAttempts: 1 },
          key,
        });
        await until(async () => {
          const { state } = await cluster.call<{ state: string }>("GET", `/v1/runs/${id}`);
          return ["COMPLETED", "FAILED", "DEAD"].includes(state);
        });
      }
    },
    async openShop() {
      const server = createServer((_, answer) => void answer.end("open"));
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      cleanups.push(async () => server.close());
    },
  };
}

async function until(isSo: () => Promise<boolean>, patienceMs = 20_000): Promise<void> {
  const endMs = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error("it did not become so in time");
    await sleep(50);
  }
}

const limitsOf = (cluster: Cluster): Promise<Limits> => cluster.call("GET", "/v1/limits");
const resetIn = (cluster: Cluster, body: object, key: string): Promise<Reset> =>
  cluster.call("POST", "/v1/limits/breakers/reset", { body, key });

async function untilBreakers(cluster: Cluster, wanted: readonly string[]): Promise<Limits> {
  let limits = await limitsOf(cluster);
  await until(async () => {
    limits = await limitsOf(cluster);
    const breakers = limits.breakers.map(({ target, state, processes }) => `${target} ${state} ${processes}`);
    return JSON.stringify(breakers) === JSON.stringify(wanted);
  });
  return limits;
}

describe("a gateway and a worker on SQLite", () => {
  test("the gateway tells of the worker's breaker and rates, resets it, and forgets the worker when it is dead", async () => {
    const { cluster, shop, startWorker, callShop, openShop } = await open({ database: "sqlite" });
    await cluster.start("gateway");
    const worker = await startWorker("left");
    await callShop("left", 5);
    const limits = await untilBreakers(cluster, [`${shop} open 1`]);
    expect(limits).toMatchObject({
      buckets: [{ key: "calls/default", count: 100, processes: 1 }],
      quotas: [{ key: "day/default", used: 5 }],
      processes: [
        { role: "gateway", isAnswering: true, breakers: [], buckets: [] },
        {
          role: "worker",
          pid: worker.child.pid,
          isAnswering: false,
          breakers: [{ target: shop, failures: 5 }],
        },
      ],
    });
    expect(limits.buckets[0]!.left).toBeLessThan(96);

    await openShop();
    const said = await commandLine(cluster, ["limits"]);
    expect(said).toMatch(new RegExp(`breaker +${shop} +open after 5 failures`));
    expect(said).toMatch(new RegExp(`worker +\\S+:${worker.child.pid} .*${shop} open`));
    expect(await commandLine(cluster, ["limits", "reset", shop])).toMatch(
      new RegExp(`^${shop} may be called again by worker \\S+:${worker.child.pid}\\.\n$`),
    );
    const startMs = Date.now();
    await callShop("left", 1);
    // The breaker would have kept it back for 30 s.
    expect(Date.now() - startMs).toBeLessThan(20_000);
    await untilBreakers(cluster, []);

    await worker.kill();
    await until(async () => (await limitsOf(cluster)).processes.length === 1);
    expect(await limitsOf(cluster)).toMatchObject({ buckets: [], quotas: [{ used: 6 }] });
  });
});

async function commandLine(cluster: Cluster, words: readonly string[]): Promise<string> {
  const program = join(repository, "packages/server/homeostat.js");
  const [gateway] = cluster.living("gateway");
  const env = { PATH: process.env["PATH"], ...cluster.environment, HOMEOSTAT_URL: gateway!.url };
  return (await promisify(execFile)(process.execPath, [program, ...words], { env })).stdout;
}

describe.skipIf(skipsPostgres() || skipsRedis())(
  "two gateways and two workers on PostgreSQL and Redis",
  () => {
    test("totals add up, common rates stand once, one that is silent is marked, and a reset goes where it should", async () => {
      const { cluster, shop, startWorker, callShop } = await open({ database: "postgres", redis: true });
      await Promise.all([cluster.start("gateway"), cluster.start("gateway")]);
      const [left, right] = await Promise.all([startWorker("left"), startWorker("right")]);
      await Promise.all([callShop("left", 5), callShop("right", 5)]);
      const limits = await untilBreakers(cluster, [`${shop} open 2`]);
      expect(limits.buckets).toMatchObject([{ key: "calls/default", count: 100, processes: null }]);
      expect(Math.round(limits.buckets[0]!.left)).toBe(90);
      expect(limits.quotas).toMatchObject([{ key: "day/default", used: 10 }]);
      expect(limits.processes.map(({ role }) => role).toSorted()).toEqual([
        ...["gateway", "gateway", "worker", "worker"],
      ]);
      const idOf = ({ child }: Member): string => limits.processes.find(({ pid }) => pid === child.pid)!.id;
      expect(await resetIn(cluster, { target: shop, process: idOf(left) }, "one")).toMatchObject({
        processes: [{ id: idOf(left), targets: [shop] }],
      });
      await untilBreakers(cluster, [`${shop} open 1`]);

      left.child.kill("SIGSTOP");
      await until(async () => {
        const { processes } = await limitsOf(cluster);
        return processes.find(({ id }) => id === idOf(left))?.state === "silent";
      }, 40_000);
      const { processes } = await resetIn(cluster, {}, "all");
      expect(processes).toHaveLength(3);
      expect(processes.find(({ id }) => id === idOf(right))?.targets).toEqual([shop]);
      await untilBreakers(cluster, []);
      left.child.kill("SIGCONT");
      await until(async () => (await limitsOf(cluster)).processes.every(({ state }) => state === "running"));
    });
  },
);
