/** The way to a Redis server that may come and go: commands fail at once while it is away, and the link heals by itself. */
import type { Redis } from "ioredis";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";

export interface RedisLink {
  /** For short commands. They reject at once while there is no connection, and after 2 s without an answer. */
  readonly client: Redis;
  /** A further connection with commands that may wait for ever; who asks for it ends it. */
  duplicate(): Redis;
  isUp(): boolean;
  /** Told of each change. Must not throw. Returns the removal. */
  onChange(listener: (isUp: boolean) => void): () => void;
  /** Why it is down, without secrets. */
  why(): string;
  close(): Promise<void>;
}

export interface RedisLinkOptions {
  /** `redis://user:password@host:port/database`, rediss for TLS. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const commandTimeoutMs = 2_000;
const longestDelayMs = 2_000;
/** A server that stands still keeps its connections; only asking shows it. */
const askEveryMs = 1_000;

/** Resolves at once, whether or not the server is there. */
export async function openRedisLink({ url, clock, logger }: RedisLinkOptions): Promise<RedisLink> {
  // Loaded only where Redis is configured.
  const { Redis: Client } = await import("ioredis");
  const common = {
    retryStrategy: (times: number): number => Math.min(50 * 2 ** Math.min(times, 6), longestDelayMs),
    // Whoever waits for ever for a lost answer would never look into the database instead.
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    keepAlive: 10_000,
  };
  const client = new Client(url, {
    ...common,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandTimeoutMs,
  });
  const listeners = new Set<(isUp: boolean) => void>();
  const closing = new AbortController();
  let isUp = false;
  let reason = "it has not answered yet";
  client.on("error", (error) => fail(error));
  client.on("close", () => set(false));
  const watching = watch();
  return {
    client,
    duplicate() {
      const other = new Client(url, { ...common, enableOfflineQueue: true });
      // Without a listener a lost connection would end the process; the link itself tells of it.
      other.on("error", () => {});
      return other;
    },
    isUp: () => isUp,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    why: () => reason,
    async close() {
      closing.abort();
      await watching;
      client.disconnect();
    },
  };

  async function watch(): Promise<void> {
    client.on("ready", () => void ask());
    while (!closing.signal.aborted) {
      await ask();
      // Rejects when it is closed, which the loop's condition sees.
      await clock.sleep(askEveryMs, closing.signal).catch(() => {});
    }
  }

  async function ask(): Promise<void> {
    try {
      await client.ping();
      set(true);
    } catch (error) {
      fail(error);
      set(false);
    }
  }

  function fail(error: unknown): void {
    // A host with several addresses: the message is empty, each address has its own error.
    reason =
      error instanceof AggregateError ? error.errors.map(errorMessage).join("; ") : errorMessage(error);
  }

  function set(next: boolean): void {
    if (next === isUp || closing.signal.aborted) return;
    isUp = next;
    if (next) logger.info({}, "Redis is there");
    else
      logger.warn(
        { why: reason },
        "Redis is away; the database wakes workers, and rate limits hold per process",
      );
    for (const listener of [...listeners]) listener(next);
  }
}
