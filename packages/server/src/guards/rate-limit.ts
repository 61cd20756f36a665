/** Token buckets: `count` actions per `perMs`, refilled evenly, one bucket per key. The port, and the buckets of one process. */
import type { Clock } from "../base/clock.ts";

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

/** One bucket an action draws on. The same key always comes with the same limit until the configuration changes. */
export interface RateClaim {
  readonly key: string;
  readonly limit: RateLimit;
}

export interface RateRefusal {
  /** The bucket that was empty; with several, the one that takes longest to fill. */
  readonly key: string;
  /** Wall time at which it has a token again, if nobody else takes it. */
  readonly retryAtMs: number;
}

/** What every implementation does is in `describe-rate-limiter.fixture.ts`. */
export interface RateLimiter {
  /**
   * Takes one token from every bucket or none from any; undefined when it took them. May be slow (a server across the
   * network); rejects with a HomeostatError when that cannot be asked.
   */
  take(claims: readonly RateClaim[]): Promise<RateRefusal | undefined>;
}

/** How full a bucket is now, for people. */
export interface BucketLevel extends RateClaim {
  readonly tokens: number;
}

/** A rate limiter whose buckets people can look at. */
export interface VisibleRateLimiter extends RateLimiter {
  /** Buckets of this process alone. */
  levels(): readonly BucketLevel[];
  /** Those that all processes draw on together; none where each has its own, or while they cannot be read. Never rejects. */
  sharedLevels(): Promise<readonly BucketLevel[]>;
}

interface Bucket {
  readonly limit: RateLimit;
  readonly tokens: number;
  readonly atMs: number;
}

/** At most `maxKeys` buckets are remembered; a forgotten one starts full again. */
export function createRateLimiter(deps: {
  readonly clock: Clock;
  readonly maxKeys?: number;
}): VisibleRateLimiter {
  const { clock, maxKeys = 10_000 } = deps;
  const buckets = new Map<string, Bucket>();
  return {
    async take(claims) {
      const nowMs = clock.monotonic();
      const levels = claims.map((claim) => ({
        ...claim,
        tokens: tokensNow(buckets.get(claim.key), claim, nowMs),
      }));
      const refused = worstOf(levels);
      if (refused !== undefined) {
        return { key: refused.key, retryAtMs: clock.now() + Math.ceil(msUntilToken(refused)) };
      }
      for (const { key, limit, tokens } of levels) {
        // Taken out and put back: the map's order is then the order of last use.
        buckets.delete(key);
        buckets.set(key, { limit, tokens: tokens - 1, atMs: nowMs });
        if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value!);
      }
      return undefined;
    },
    levels() {
      const nowMs = clock.monotonic();
      return [...buckets].map(([key, bucket]) => {
        const claim = { key, limit: bucket.limit };
        return { ...claim, tokens: tokensNow(bucket, claim, nowMs) };
      });
    },
    sharedLevels: () => Promise.resolve([]),
  };
}

function tokensNow(bucket: Bucket | undefined, { limit }: RateClaim, nowMs: number): number {
  if (bucket === undefined) return limit.count;
  return Math.min(limit.count, bucket.tokens + ((nowMs - bucket.atMs) * limit.count) / limit.perMs);
}

function msUntilToken({ tokens, limit }: BucketLevel): number {
  return ((1 - tokens) * limit.perMs) / limit.count;
}

function worstOf(levels: readonly BucketLevel[]): BucketLevel | undefined {
  return levels
    .filter(({ tokens }) => tokens < 1)
    .toSorted((a, b) => msUntilToken(b) - msUntilToken(a))
    .at(0);
}
