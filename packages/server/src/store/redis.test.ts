/** The link to a real Redis that comes and goes. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { openRedisLink } from "./redis.ts";
import type { RedisLink } from "./redis.ts";
import { skipsRedis, startTestRedis } from "./test-redis.fixture.ts";
import type { TestRedis } from "./test-redis.fixture.ts";
import { until } from "./test-things.ts";

describe.skipIf(skipsRedis())("the link to Redis", () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());
  const open = (url = server.url): Promise<RedisLink> =>
    openRedisLink({ url, clock, logger: createSilentLogger() });

  test("tells each change once, fails commands at once while Redis is away, and heals by itself", async () => {
    const link = await open();
    const heard: boolean[] = [];
    const remove = link.onChange((isUp) => heard.push(isUp));
    await until(() => link.isUp());
    const other = link.duplicate();
    expect(await other.ping()).toBe("PONG");
    await server.crash();
    await until(() => !link.isUp());
    await expect(link.client.get("a")).rejects.toThrow();
    await server.restart();
    await until(() => link.isUp(), 10_000);
    expect(await other.ping()).toBe("PONG");
    other.disconnect();
    expect(heard).toEqual([true, false, true]);
    remove();
    await link.close();
    expect(heard).toEqual([true, false, true]);
  }, 20_000);

  test("notices a server that stands still with its connections open", async () => {
    const link = await open();
    await until(() => link.isUp());
    server.freeze();
    try {
      await until(() => !link.isUp(), 10_000);
      expect(link.why()).toMatch(/timed out/i);
    } finally {
      server.thaw();
    }
    await until(() => link.isUp(), 10_000);
    await link.close();
  }, 30_000);

  test("opens without a server, and says of every address of a host why not", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as AddressInfo;
    await new Promise((resolve) => listener.close(resolve));
    const link = await open(`redis://localhost:${port}`);
    await until(() => /ECONNREFUSED/.test(link.why()));
    expect(link.isUp()).toBe(false);
    // Of a host with one address the error itself tells, of one with two each of its own.
    link.client.emit("error", new AggregateError([new Error("first"), new Error("second")]));
    expect(link.why()).toBe("first; second");
    await link.close();
  });
});
