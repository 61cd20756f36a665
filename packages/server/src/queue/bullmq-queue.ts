/** Wake-ups over BullMQ: one worker is woken for a due run instead of all. What is due, and who may take it, stays in the database. */
import type { Queue as BullQueue, Worker as BullWorker } from "bullmq";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { RedisLink } from "../store/redis.ts";
import type { Store } from "../store/store.ts";
import { dispatchDue } from "./dispatch-due.ts";
import type { Queue } from "./local-queue.ts";

export interface BullmqQueueDeps {
  /** Answers what is due, and wakes while Redis is away. */
  readonly local: Queue;
  readonly redis: RedisLink;
  /** Begins every key, so that several deployments may share a server. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BullmqQueue extends Queue {
  /**
   * Puts a wake-up for each due run into Redis as it falls due, until the signal is aborted; one process does it for all. A wake-up
   * that Redis lost is put in again after a while, if no worker's own sweep found the run before.
   */
  dispatch(store: Store, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** All a job carries: the journal is the truth, a wake-up only says where to look. */
interface WakeUp {
  readonly runId: string;
}

const queueName = "wake-ups";
/** A worker that is full keeps the one job it holds at most this long from others, who sweep meanwhile. */
const fullMs = 1_000;

/** Resolves at once; the connections are made when Redis is there. */
export async function createBullmqQueue(deps: BullmqQueueDeps): Promise<BullmqQueue> {
  const { local, redis, clock, logger } = deps;
  // Loaded only where Redis is configured.
  const bullmq = await import("bullmq");
  const consumers = new Set<() => Promise<void>>();
  let producer: BullQueue<WakeUp> | undefined;
  return {
    due: local.due,
    nextDueMs: local.nextDueMs,
    counts: local.counts,
    onWake(listener, hasRoom = () => true) {
      const consumer = createConsumer({ ...deps, Worker: bullmq.Worker }, listener, hasRoom);
      consumers.add(consumer);
      return () => {
        consumers.delete(consumer);
        void consumer();
      };
    },
    async dispatch(store, signal) {
      producer ??= openProducer();
      const add = async (ids: readonly string[]): Promise<void> => {
        const jobs = ids.map((runId) => ({ name: "wake", data: { runId }, opts: jobOptions(runId) }));
        await producer?.addBulk(jobs);
      };
      await dispatchDue({ store, clock, logger, isUp: redis.isUp, onUp: redis.onChange, add }, signal);
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer()));
      await producer?.close().catch(() => {});
    },
  };

  function openProducer(): BullQueue<WakeUp> {
    const opened = new bullmq.Queue<WakeUp>(queueName, {
      connection: redis.client,
      prefix: deps.prefix.slice(0, -1),
    });
    // The link tells of lost connections; without a listener one would end the process.
    opened.on("error", () => {});
    return opened;
  }
}

/** The id keeps one wake-up for a run in the queue at a time; nothing is kept of those that are done. */
function jobOptions(runId: string): {
  readonly jobId: string;
  readonly attempts: number;
  readonly removeOnComplete: true;
  readonly removeOnFail: true;
} {
  return { jobId: runId, attempts: 1, removeOnComplete: true, removeOnFail: true };
}

/** Calls the listener for jobs while Redis is there, for commits while it is not. Returns its end. */
function createConsumer(
  { redis, local, prefix, clock, Worker }: BullmqQueueDeps & { readonly Worker: typeof BullWorker },
  listener: () => void,
  hasRoom: () => boolean,
): () => Promise<void> {
  const connection = redis.duplicate();
  const closing = new AbortController();
  const take = async (): Promise<void> => {
    // Another worker with room gets the next job while this one waits.
    const endMs = clock.monotonic() + fullMs;
    while (!hasRoom() && clock.monotonic() < endMs && !closing.signal.aborted) await clock.sleep(10);
    listener();
  };
  const worker = new Worker<WakeUp>(queueName, take, {
    connection,
    prefix: prefix.slice(0, -1),
    concurrency: 1,
    runRetryDelay: 1_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on("error", () => {});
  let stopLocal: (() => void) | undefined;
  const follow = (isUp: boolean): void => {
    if (isUp) stopLocal?.();
    stopLocal = isUp ? undefined : (stopLocal ?? local.onWake(listener));
    // What fell due during the change belongs to neither.
    listener();
  };
  follow(redis.isUp());
  const stopFollowing = redis.onChange(follow);
  return async () => {
    closing.abort();
    stopFollowing();
    stopLocal?.();
    // Without Redis the goodbye has no end of its own.
    await Promise.race([worker.close(true), clock.sleep(500)]).catch(() => {});
    connection.disconnect();
  };
}
