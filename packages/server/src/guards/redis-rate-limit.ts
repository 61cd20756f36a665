/** Token buckets in Redis, so that a limit holds for all processes together; per process while Redis is away. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { RedisLink } from "../store/redis.ts";
import type { RateLimiter, VisibleRateLimiter } from "./rate-limit.ts";

export interface RedisRateLimiterDeps {
  readonly redis: Pick<RedisLink, "client" | "isUp">;
  /** Begins every key, so that several deployments may share a server. */
  readonly prefix: string;
  /** Holds the limits of this process alone. */
  readonly fallback: RateLimiter & Pick<VisibleRateLimiter, "levels">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The time is the Redis server's, so that processes with different clocks agree. Says once that it fell back. */
export function createRedisRateLimiter(deps: RedisRateLimiterDeps): VisibleRateLimiter {
  const { redis, prefix, fallback, clock, logger } = deps;
  /** Names of the buckets used last, for people. */
  const index = `${prefix}rates`;
  let hasFallenBack = false;
  return {
    async take(claims) {
      if (claims.length === 0) return undefined;
      if (!redis.isUp()) return await fallback.take(claims);
      try {
        const keys = claims.map(({ key }) => `${prefix}rate:${key}`);
        const limits = claims.flatMap(({ limit }) => [String(limit.count), String(limit.perMs)]);
        const answer = await redis.client.eval(takeScript, keys.length + 1, ...keys, index, ...limits);
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
    levels: fallback.levels,
    async sharedLevels() {
      if (!redis.isUp()) return [];
      const rows = (await redis.client
        .eval(levelsScript, 1, index, String(shownBuckets))
        // Looking must not fail because Redis went away a moment ago.
        .catch(() => [])) as readonly (readonly [string, string, string, string])[];
      return rows.map(([key, tokens, count, perMs]) => ({
        key: key.slice(`${prefix}rate:`.length),
        limit: { count: Number(count), perMs: Number(perMs) },
        tokens: Number(tokens),
      }));
    },
  };
}

/** As many buckets are remembered by name; a bucket whose name is forgotten goes on counting. */
const shownBuckets = 1_000;

/**
 * All buckets or none, atomically; the last key is the index of their names. A bucket that would be full again by now need not be remembered. Answers the number of the
 * bucket that is empty for longest (0: all granted) and the whole milliseconds until it has a token.
 */
const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local worst, worstWait = 0, 0
local tokens, index, longest = {}, KEYS[#KEYS], 0
for i = 1, #KEYS - 1 do
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
for i = 1, #KEYS - 1 do
  local count, per = ARGV[2 * i - 1], ARGV[2 * i]
  local life = math.max(1, math.ceil(tonumber(per)))
  redis.call('HSET', KEYS[i], 'tokens', string.format('%.9f', tokens[i] - 1), 'at', now, 'count', count, 'per', per)
  redis.call('PEXPIRE', KEYS[i], life)
  redis.call('ZADD', index, now, KEYS[i])
  longest = math.max(longest, life)
end
redis.call('ZREMRANGEBYRANK', index, 0, -${shownBuckets + 1})
if redis.call('PTTL', index) < longest then redis.call('PEXPIRE', index, longest) end
return { 0, 0 }
`;

/** Buckets that are not full: key, tokens now, and their limit. Those of an older version, without their limit, are left out. */
const levelsScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, key in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1)) do
  local kept = redis.call('HMGET', key, 'tokens', 'at', 'count', 'per')
  local count, per = tonumber(kept[3]), tonumber(kept[4])
  if count and per then
    local tokens = tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * count / per
    if tokens < count then found[#found + 1] = { key, string.format('%.3f', tokens), kept[3], kept[4] } end
  end
end
return found
`;
