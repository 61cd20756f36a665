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
import type { VisibleRateLimiter } from "./rate-limit.ts";
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

  function limiter(prefix = `t${(prefixes += 1)}:`): VisibleRateLimiter {
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

  test("what is left in the common buckets is told by every process, and nothing of it while Redis is away", async () => {
    const [one, other] = [limiter("shown:"), limiter("shown:")];
    await one.take([
      { key: "slow/ada", limit: { count: 5, perMs: 3_600_000 } },
      { key: "quick", limit: { count: 100, perMs: 1 } },
    ]);
    await other.take([{ key: "slow/ada", limit: { count: 5, perMs: 3_600_000 } }]);
    await clock.sleep(5);
    for (const each of [one, other]) {
      const levels = await each.sharedLevels();
      // The quick one is full again.
      expect(levels).toEqual([
        { key: "slow/ada", limit: { count: 5, perMs: 3_600_000 }, tokens: expect.closeTo(3, 1) as number },
      ]);
      expect(each.levels()).toEqual([]);
    }
    const away = createRedisRateLimiter({
      redis: { client: link.client, isUp: () => false },
      prefix: "shown:",
      fallback: createRateLimiter({ clock }),
      clock,
      logger,
    });
    expect(await away.sharedLevels()).toEqual([]);
    await away.take([{ key: "slow/ada", limit: { count: 5, perMs: 3_600_000 } }]);
    expect(away.levels()).toMatchObject([{ key: "slow/ada" }]);
    await link.client.set("broken:rates", "a text");
    expect(await limiter("broken:").sharedLevels()).toEqual([]);
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
