import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { openRedisLink } from "../store/redis.ts";
import type { RedisLink } from "../store/redis.ts";
import { skipsRedis, startTestRedis } from "../store/test-redis.fixture.ts";
import type { TestRedis } from "../store/test-redis.fixture.ts";
import { until } from "../store/test-things.ts";
import { describeRateLimiter } from "./describe-rate-limiter.fixture.ts";
import { createRateLimiter } from "./rate-limit.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { createRedisRateLimiter } from "./redis-rate-limit.ts";

const clock = systemClock;
const logger = createSilentLogger();

describe.skipIf(skipsRedis())("with a Redis server", () => {
  let server: TestRedis;
  let link: RedisLink;
  let prefixes = 0;
  beforeAll(async () => {
    server = await startTestRedis();
    link = await openRedisLink({ url: server.url, clock, logger });
    await until(link.isUp);
  });
  afterAll(async () => {
    await link.close();
    await server.stop();
  });

  function limiter(prefix = `t${(prefixes += 1)}:`): RateLimiter {
    return createRedisRateLimiter({
      redis: link,
      prefix,
      fallback: createRateLimiter({ clock }),
      clock,
      logger,
    });
  }

  describeRateLimiter("in Redis", () =>
    Promise.resolve({
      limiter: limiter(),
      advance: (ms) => clock.sleep(ms),
      wallMs: () => clock.now(),
      // Waking up from a real sleep may take a while on a busy machine.
      toleranceMs: 60,
    }),
  );

  test("two processes draw on the same bucket", async () => {
    const [one, other] = [limiter("same:"), limiter("same:")];
    const claims = [{ key: "k", limit: { count: 3, perMs: 60_000 } }];
    expect([await one.take(claims), await other.take(claims), await one.take(claims)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await other.take(claims)).toMatchObject({ key: "k" });
  });

  test("while Redis is away or stands still each process keeps its own limit, and later the common one again", async () => {
    const both = [limiter("away:"), limiter("away:")] as const;
    const claims = [{ key: "k", limit: { count: 1, perMs: 60_000 } }];
    server.freeze();
    // The first finds out by waiting in vain, the second is told.
    expect(await both[0].take(claims)).toBeUndefined();
    await until(() => !link.isUp());
    expect(await both[1].take(claims)).toBeUndefined();
    expect(await both[0].take(claims)).toMatchObject({ key: "k" });
    server.thaw();
    await until(link.isUp);
    await server.crash();
    await until(() => !link.isUp());
    await server.restart();
    await until(link.isUp);
    expect(await both[0].take(claims)).toBeUndefined();
    expect(await both[1].take(claims)).toMatchObject({ key: "k" });
  });

  test("a server that refuses is told of once, until it answers again", async () => {
    const told: unknown[] = [];
    const refused = createRedisRateLimiter({
      redis: link,
      prefix: "refused:",
      fallback: createRateLimiter({ clock }),
      clock,
      logger: { ...logger, warn: (_: unknown, text: unknown) => void told.push(text) } as typeof logger,
    });
    const claims = [{ key: "k", limit: { count: 1, perMs: 60_000 } }];
    // Not a bucket: the script fails on it.
    await link.client.set("refused:rate:k", "a text");
    expect(await refused.take(claims)).toBeUndefined();
    expect(await refused.take(claims)).toMatchObject({ key: "k" });
    expect(told).toEqual(["rate limits hold per process for now"]);
    await link.client.del("refused:rate:k");
    expect(await refused.take(claims)).toBeUndefined();
  });
});
