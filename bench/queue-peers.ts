/** The queues compared with, each as its manual says to use it: one job at a time in, a handler that does nothing. */
import type { Contender } from "./queue-contender.ts";

/** Peers are installed beside the benches and have no types here; what is used of them is written down in these shapes. */
interface BullMq {
  readonly Queue: new (name: string, options: object, backend?: unknown) => BullQueue;
  readonly Worker: new (
    name: string,
    handle: () => Promise<void>,
    options: object,
    backend?: unknown,
  ) => BullWorker;
  readonly createPostgresBackend?: unknown;
}

interface BullQueue {
  waitUntilReady(): Promise<unknown>;
  add(name: string, data: object): Promise<unknown>;
  close(): Promise<void>;
}

interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  run(): Promise<void>;
  on(event: string, listener: () => void): void;
  close(): Promise<void>;
}

interface PgBoss {
  on(event: string, listener: () => void): void;
  start(): Promise<unknown>;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<string | null>;
  fetch(name: string, options: object): Promise<{ readonly id: string }[]>;
  complete(name: string, id: string): Promise<unknown>;
  stop(options: object): Promise<void>;
}

interface Graphile {
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJob(name: string, payload: object): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<{ stop(): Promise<void> }>;
}

/** About 100 bytes, as a small job has. */
const payload = { id: "0192f3b2c1d47a0e8b7c5d6e7f809a1b", text: "x".repeat(50) };
const jobs = "bench";
/** Connections of each; more than their own default of 10, and together below the server's 100. */
const poolSize = 15;

export async function openBullRedis(port: number): Promise<Contender> {
  const bull = await importPeer<BullMq>("bullmq");
  return await openBull(bull, { connection: { host: "127.0.0.1", port, maxRetriesPerRequest: null } });
}

export async function openBullPostgres(url: string): Promise<Contender> {
  const bull = await importPeer<BullMq>("bullmq");
  const connection = { connectionString: url, migrate: true, max: poolSize };
  return await openBull(bull, { connection }, bull.createPostgresBackend);
}

async function openBull(bull: BullMq, options: object, backend?: unknown): Promise<Contender> {
  const queue = new bull.Queue(jobs, options, backend);
  await queue.waitUntilReady();
  return {
    enqueue: async () => {
      await queue.add("job", payload);
    },
    async process(count, concurrency) {
      const settings = { ...options, concurrency, autorun: false };
      const worker = new bull.Worker(jobs, () => Promise.resolve(), settings, backend);
      await worker.waitUntilReady();
      const ended = countTo(count);
      worker.on("completed", ended.one);
      void worker.run();
      await ended.all;
      await worker.close();
    },
    close: () => queue.close(),
  };
}

export async function openPgBoss(url: string): Promise<Contender> {
  const { PgBoss } = await importPeer<{ readonly PgBoss: new (options: object) => PgBoss }>("pg-boss");
  const boss = new PgBoss({ connectionString: url, schema: "pgboss", max: poolSize });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue(jobs);
  return {
    enqueue: async () => {
      await boss.send(jobs, payload);
    },
    // Its own work() looks every half second; a loop that fetches and completes is what it can do.
    async process(count, concurrency) {
      let left = count;
      const work = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          const [job] = await boss.fetch(jobs, { batchSize: 1 });
          if (job === undefined) throw new Error("pg-boss gave no job");
          await boss.complete(jobs, job.id);
        }
      };
      await Promise.all(Array.from({ length: concurrency }, work));
    },
    close: () => boss.stop({ graceful: false }),
  };
}

export async function openGraphile(url: string): Promise<Contender> {
  const graphile = await importPeer<Graphile>("graphile-worker");
  const quiet = { log: () => undefined };
  const { Logger } = await importPeer<{ readonly Logger: new (factory: unknown) => unknown }>(
    "graphile-worker",
  );
  const logger = new Logger(() => quiet.log);
  const utils = await graphile.makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  return {
    enqueue: async () => {
      await utils.addJob(jobs, payload);
    },
    async process(count, concurrency) {
      const ended = countTo(count);
      const runner = await graphile.run({
        ...{ connectionString: url, logger, noHandleSignals: true, maxPoolSize: poolSize },
        concurrency,
        taskList: { [jobs]: () => ended.one() },
      });
      await ended.all;
      await runner.stop();
    },
    close: () => utils.release(),
  };
}

function countTo(count: number): { readonly one: () => void; readonly all: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  return {
    one() {
      left -= 1;
      if (left === 0) resolve();
    },
    all: promise,
  };
}

/** A name that the type checker does not follow: peers are not installed when it runs. */
async function importPeer<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
