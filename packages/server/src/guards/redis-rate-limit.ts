/** Token buckets in Redis, so that a limit holds for all processes together; per process while Redis is away. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { RedisLink } from "../store/redis.ts";
import type { RateLimiter } from "./rate-limit.ts";

export interface RedisRateLimiterDeps {
  readonly redis: Pick<RedisLink, "client" | "isUp">;
  /** Begins every key, so that several deployments may share a server. */
  readonly prefix: string;
  /** Holds the limits of this process alone. */
  readonly fallback: RateLimiter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The time is the Redis server's, so that processes with different clocks agree. Says once that it fell back. */
export function createRedisRateLimiter(deps: RedisRateLimiterDeps): RateLimiter {
  const { redis, prefix, fallback, clock, logger } = deps;
  let hasFallenBack = false;
  return {
    async take(claims) {
      if (claims.length === 0) return undefined;
      if (!redis.isUp()) return await fallback.take(claims);
      try {
        const keys = claims.map(({ key }) => `${prefix}rate:${key}`);
        const limits = claims.flatMap(({ limit }) => [String(limit.count), String(limit.perMs)]);
        const answer = await redis.client.eval(takeScript, keys.length, ...keys, ...limits);
        hasFallenBack = false;
        const [refused, waitMs] = answer as readonly [number, number];
        if (refused === 0) return undefined;
        return { key: claims[refused - 1]!.key, retryAtMs: clock.now() + waitMs };
      } catch (error) {
        if (!hasFallenBack)
          logger.warn({ error: errorMessage(error) }, "rate limits hold per process for now");
        hasFallenBack = true;
        return await fallback.take(claims);
      }
    },
  };
}

/**
 * All buckets or none, atomically. A bucket that would be full again by now need not be remembered. Answers the number of the
 * bucket that is empty for longest (0: all granted) and the whole milliseconds until it has a token.
 */
const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local worst, worstWait = 0, 0
local tokens = {}
for i = 1, #KEYS do
  local count, per = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local had, at = tonumber(kept[1]) or count, tonumber(kept[2]) or now
  tokens[i] = math.min(count, had + math.max(0, now - at) * count / per)
  if tokens[i] < 1 then
    local wait = (1 - tokens[i]) * per / count
    if wait > worstWait then worst, worstWait = i, wait end
  end
end
if worst > 0 then return { worst, math.ceil(worstWait) } end
for i = 1, #KEYS do
  redis.call('HSET', KEYS[i], 'tokens', string.format('%.9f', tokens[i] - 1), 'at', now)
  redis.call('PEXPIRE', KEYS[i], math.max(1, math.ceil(tonumber(ARGV[2 * i]))))
end
return { 0, 0 }
`;
