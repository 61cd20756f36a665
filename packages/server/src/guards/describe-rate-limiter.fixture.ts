/** What every rate limiter does, as tests. `advance` moves the limiter's time; `wallMs` reads the wall time it answers in. */
import { describe, expect, test } from "vitest";
import type { RateLimiter } from "./rate-limit.ts";

export interface RateLimiterWorld {
  readonly limiter: RateLimiter;
  readonly advance: (ms: number) => Promise<void>;
  readonly wallMs: () => number;
  /** How far an answered time may lie off, for limiters whose time is another machine's. */
  readonly toleranceMs: number;
}

export function describeRateLimiter(name: string, open: () => Promise<RateLimiterWorld>): void {
  describe(`the rate limiter ${name}`, () => {
    test("grants as many as the limit says, then names the time of the next", async () => {
      const { limiter, advance, wallMs, toleranceMs } = await open();
      const claims = [{ key: "k", limit: { count: 2, perMs: 1_000 } }];
      expect(await limiter.take(claims)).toBeUndefined();
      expect(await limiter.take(claims)).toBeUndefined();
      const refusal = await limiter.take(claims);
      expect(refusal?.key).toBe("k");
      expect(Math.abs(refusal!.retryAtMs - (wallMs() + 500))).toBeLessThanOrEqual(toleranceMs);
      await advance(500 + toleranceMs);
      expect(await limiter.take(claims)).toBeUndefined();
      expect(await limiter.take([{ key: "other", limit: { count: 2, perMs: 1_000 } }])).toBeUndefined();
    });

    test("takes from all buckets or from none, and names the one that fills last", async () => {
      const { limiter, advance, toleranceMs } = await open();
      const wide = { key: "wide", limit: { count: 2, perMs: 60_000 } };
      const narrow = { key: "narrow", limit: { count: 1, perMs: 1_000 } };
      expect(await limiter.take([wide, narrow])).toBeUndefined();
      expect((await limiter.take([wide, narrow]))?.key).toBe("narrow");
      await advance(1_000 + toleranceMs);
      // The refused call took nothing from the wide bucket, or this one would be refused.
      expect(await limiter.take([wide, narrow])).toBeUndefined();
      expect((await limiter.take([narrow, wide]))?.key).toBe("wide");
    });

    test("never saves up more than the limit", async () => {
      const { limiter, advance } = await open();
      const claims = [{ key: "k", limit: { count: 1, perMs: 1_000 } }];
      await limiter.take(claims);
      await advance(3_000);
      expect(await limiter.take(claims)).toBeUndefined();
      expect(await limiter.take(claims)).toBeDefined();
    });

    test("an action without limits is granted", async () => {
      const { limiter } = await open();
      expect(await limiter.take([])).toBeUndefined();
    });
  });
}
