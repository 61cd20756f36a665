/** The queue: jobs put in and worked off, beside BullMQ on Redis and PostgreSQL, pg-boss and graphile-worker; pick-up times; slow disks. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  atLeast,
  atMost,
  benchFolder,
  benchResult,
  ensurePeers,
  hasPeer,
  median,
  percentile,
  rounded,
} from "./bench.ts";
import type { Bar, BenchOptions, BenchResult, Peers, Row } from "./bench.ts";
import type { Contender } from "./queue-contender.ts";
import { eventLoopUnderSlowSyncs, pickUpAcross, pickUpInProcess } from "./queue-latency.ts";
import type { Place } from "./queue-latency.ts";
import { openOwn } from "./queue-own.ts";
import { openBullPostgres, openBullRedis, openGraphile, openPgBoss } from "./queue-peers.ts";
import { startServers } from "./queue-servers.ts";
import type { Servers } from "./queue-servers.ts";

const rounds = 5;
const pickUps = 300;

const tasks = [
  "enqueue 1 by 1",
  "enqueue 50 in parallel",
  "process, 1 at a time",
  "process, 50 at a time",
] as const;
type Task = (typeof tasks)[number];

interface Entry {
  readonly name: string;
  /** Jobs of a round: enough for a second or so. */
  readonly jobs: number;
  readonly contender: Contender;
}

/** Jobs a second, in the order of the rounds. */
type Figures = ReadonlyMap<string, Readonly<Record<Task, readonly number[]>>>;

const own = { normal: "homeostat on SQLite, normal sync", full: "homeostat on SQLite, full sync" } as const;
const bullRedis = "BullMQ on Redis, AOF every second";
const bullPostgres = "BullMQ on PostgreSQL";

export async function run(options: BenchOptions): Promise<BenchResult> {
  const peers = await ensurePeers(["bullmq", "pg-boss", "graphile-worker"], options);
  mkdirSync(join(benchFolder, "results"), { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "results", "queue-"));
  const servers = await startServers(join(folder, "redis"));
  try {
    const figures = await compare(await openAll(folder, servers, peers), options);
    options.progress(`pick-up of ${pickUps} runs, in this process and across two`);
    const places = await placesOf(folder, servers);
    const pickUp = [];
    for (const [name, place] of Object.entries(places)) {
      const near = await pickUpInProcess(place, pickUps);
      const far = await pickUpAcross(place, pickUps);
      pickUp.push({ name, near, far });
    }
    const { near, far } = pickUp[0]!;
    options.progress("event loops of two writing processes, each sync 50 ms longer");
    const loops = await eventLoopUnderSlowSyncs(folder, { delayMs: 50, durationMs: 8_000 });
    const loopMs = Math.max(...loops.map(({ p99Ms }) => p99Ms));
    return await benchResult("queue", {
      peers,
      rows: [
        ...[...figures].map(([name, figure]) => rowOf(name, figure)),
        ...pickUp.flatMap((each) => [
          latencyRow(`pick-up on ${each.name}, in process, ms: p50, p90, p99, most`, each.near),
          latencyRow(`pick-up on ${each.name}, across processes, ms`, each.far),
        ]),
      ],
      bars: [
        ...ratioBars(figures),
        atMost(
          "queue.pickUp",
          "ms until a run on SQLite is picked up in process, p99",
          percentile(near, 0.99),
          5,
        ),
        atMost(
          "queue.pickUpAcross",
          "ms until a run on SQLite is picked up across processes, p99",
          percentile(far, 0.99),
          10,
        ),
        atMost("queue.loop", "ms of event loop delay, p99, with 50 ms more for each sync", loopMs, 20),
      ],
    });
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** SQLite first: the bars are its. */
async function placesOf(folder: string, servers: Servers): Promise<Readonly<Record<string, Place>>> {
  const redisUrl = `redis://127.0.0.1:${servers.redisPort}`;
  return {
    SQLite: { kind: "sqlite", path: join(folder, "pick-up.db") },
    PostgreSQL: { kind: "postgres", url: await servers.schema("pick_up") },
    "PostgreSQL with Redis": { kind: "redis", url: await servers.schema("pick_up_redis"), redisUrl },
  };
}

async function openAll(folder: string, servers: Servers, peers: Peers): Promise<readonly Entry[]> {
  const { redisPort, postgresUrl } = servers;
  const entries: Entry[] = [
    { name: own.normal, jobs: 3_000, contender: await openOwn(folder, "normal") },
    { name: own.full, jobs: 1_000, contender: await openOwn(folder, "full") },
  ];
  if (hasPeer(peers, "bullmq")) {
    entries.push({ name: bullRedis, jobs: 3_000, contender: await openBullRedis(redisPort) });
    entries.push({ name: bullPostgres, jobs: 1_000, contender: await openBullPostgres(postgresUrl) });
  }
  if (hasPeer(peers, "graphile-worker"))
    entries.push({ name: "graphile-worker", jobs: 800, contender: await openGraphile(postgresUrl) });
  if (hasPeer(peers, "pg-boss"))
    entries.push({
      name: "pg-boss, fetch and complete",
      jobs: 400,
      contender: await openPgBoss(postgresUrl),
    });
  return entries;
}

/** All of them in turn, round by round, so that a change of the machine's load meets all alike; the first round warms up. */
async function compare(entries: readonly Entry[], { progress }: BenchOptions): Promise<Figures> {
  const figures = new Map(entries.map(({ name }) => [name, emptyFigures()]));
  for (let round = 0; round <= rounds; round += 1) {
    progress(round === 0 ? "a round to warm up" : `round ${round} of ${rounds}`);
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      const measured = await measure(entry);
      if (round === 0) continue;
      for (const task of tasks) figures.get(entry.name)![task].push(measured[task]);
    }
  }
  for (const { contender } of entries) await contender.close();
  return figures;
}

function emptyFigures(): Record<Task, number[]> {
  return Object.fromEntries(tasks.map((task) => [task, [] as number[]])) as Record<Task, number[]>;
}

async function measure({ contender, jobs }: Entry): Promise<Readonly<Record<Task, number>>> {
  const oneByOne = await rate(jobs, async () => {
    for (let job = 0; job < jobs; job += 1) await contender.enqueue();
  });
  const alone = await rate(jobs, () => contender.process(jobs, 1));
  const parallel = await rate(jobs, async () => {
    let left = jobs;
    const put = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await contender.enqueue();
      }
    };
    await Promise.all(Array.from({ length: 50 }, put));
  });
  const together = await rate(jobs, () => contender.process(jobs, 50));
  return {
    "enqueue 1 by 1": oneByOne,
    "enqueue 50 in parallel": parallel,
    "process, 1 at a time": alone,
    "process, 50 at a time": together,
  };
}

async function rate(jobs: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (jobs / (performance.now() - startMs)) * 1000;
}

/** The medians of the ratios of each round, which both sides ran within seconds of each other. */
function ratioBars(figures: Figures): readonly Bar[] {
  const ratio = (ours: string, theirs: string, task: Task): number => {
    const [mine, other] = [figures.get(ours)?.[task] ?? [], figures.get(theirs)?.[task] ?? []];
    return median(mine.map((value, round) => value / (other[round] ?? NaN)));
  };
  const beside = (id: string, task: Task, limit: number): Bar =>
    atLeast(id, `${task}, normal sync, times ${bullRedis}`, ratio(own.normal, bullRedis, task), limit);
  const besidePostgres = (id: string, task: Task): Bar =>
    atLeast(id, `${task}, full sync, times ${bullPostgres}`, ratio(own.full, bullPostgres, task), 1);
  return [
    beside("queue.enqueue", "enqueue 1 by 1", 3),
    beside("queue.enqueueParallel", "enqueue 50 in parallel", 3),
    beside("queue.process", "process, 1 at a time", 1.5),
    beside("queue.processParallel", "process, 50 at a time", 1.5),
    besidePostgres("queue.enqueueFull", "enqueue 1 by 1"),
    besidePostgres("queue.enqueueParallelFull", "enqueue 50 in parallel"),
    besidePostgres("queue.processFull", "process, 1 at a time"),
    besidePostgres("queue.processParallelFull", "process, 50 at a time"),
  ];
}

function rowOf(name: string, figure: Readonly<Record<Task, readonly number[]>>): Row {
  const medians = tasks.map((task) => [`${task}/s`, rounded(median(figure[task]))] as const);
  return { what: name, ...Object.fromEntries(medians) };
}

function latencyRow(what: string, latencies: readonly number[]): Row {
  const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((ratio) => rounded(percentile(latencies, ratio)));
  const [first, second, third, fourth] = tasks.map((task) => `${task}/s`);
  return { what, [first!]: p50!, [second!]: p90!, [third!]: p99!, [fourth!]: most! };
}
