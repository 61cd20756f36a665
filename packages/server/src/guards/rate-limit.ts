/** Token buckets: `count` actions per `perMs`, refilled evenly, one bucket per key. */
import type { Clock } from "../base/clock.ts";

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

export interface RateLimiter {
  /** Takes a token. Undefined when there was one; otherwise the wall time when there will be. */
  take(key: string, limit: RateLimit): number | undefined;
}

/** At most `maxKeys` buckets are remembered; a forgotten one starts full again. */
export function createRateLimiter(deps: { readonly clock: Clock; readonly maxKeys?: number }): RateLimiter {
  const { clock, maxKeys = 10_000 } = deps;
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(key, { count, perMs }) {
      const nowMs = clock.monotonic();
      const bucket = buckets.get(key) ?? { tokens: count, atMs: nowMs };
      const tokens = Math.min(count, bucket.tokens + ((nowMs - bucket.atMs) * count) / perMs);
      const granted = tokens >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: granted ? tokens - 1 : tokens, atMs: nowMs });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value!);
      return granted ? undefined : clock.now() + Math.ceil(((1 - tokens) * perMs) / count);
    },
  };
}
