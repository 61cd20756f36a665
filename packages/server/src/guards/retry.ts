/** When a failed step is tried again: never, where the same again cannot help; else after a growing pause. Pure. */
import type { ErrorCode } from "../base/error-codes.ts";
import { classOf, isWorthRetrying } from "./recovery.ts";

/** A workflow step's own wish to try again. */
export interface RetryWish {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly delayMs: number;
  readonly backoff: number;
  readonly maxDelayMs: number;
}

export interface FailedTry {
  /** The number of the try that failed, from 1. */
  readonly attempt: number;
  readonly code: string;
  /** 0 to 1. */
  readonly random: number;
}

/** No pause is shorter, however lucky the draw: the other side needs a moment in any case. */
const leastMs = 100;
/** The longest pause is so much longer than the one asked for. */
const mostMore = 1.1;

/**
 * Milliseconds until the next try, or undefined when there is none. After an error on the way to another machine anything up to the
 * exponential pause ("full jitter", Brooker, AWS Architecture Blog 2015): many callers that failed together must not return
 * together. An error of the work itself is nobody else's, so the pause is as asked, and up to a tenth more.
 */
export function retryDelay(wish: RetryWish | null, { attempt, code, random }: FailedTry): number | undefined {
  if (wish === null || attempt >= wish.attempts || !isWorthRetrying(code)) return undefined;
  const wholeMs = Math.min(wish.maxDelayMs, wish.delayMs * wish.backoff ** (attempt - 1));
  if (classOf(code as ErrorCode) !== "network") return Math.round(wholeMs * (1 + random * (mostMore - 1)));
  return Math.round(Math.max(Math.min(leastMs, wholeMs), wholeMs * random));
}

/**
 * Milliseconds left until a try that was put off until `retryAtMs` (wall clock); 0 when it is due. One further ahead than any pause of
 * this wish, or put off at a time that has not come yet, was put off by a clock that has gone back since, and nobody should wait
 * for it.
 */
export function msUntilRetry(
  wish: RetryWish | null,
  { retryAtMs, setAtMs }: { readonly retryAtMs: number; readonly setAtMs: number },
  nowMs: number,
): number {
  if (nowMs < setAtMs) return 0;
  const leftMs = retryAtMs - nowMs;
  const longestMs = wish === null ? Infinity : wish.maxDelayMs * mostMore;
  return leftMs > longestMs ? 0 : Math.max(0, leftMs);
}
