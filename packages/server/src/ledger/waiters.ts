/** Callers that wait for an outbox key to be published. */
import type { HomeostatError } from "../base/error.ts";

export interface Waiters {
  /** Settled by `resolve`, `reject` or `rejectAll`; rejects with the signal's reason when it is aborted before. */
  wait(key: string, signal?: AbortSignal): Promise<void>;
  /** The keys somebody waits for at the moment. */
  keys(): readonly string[];
  resolve(key: string): void;
  reject(key: string, error: HomeostatError): void;
  rejectAll(error: HomeostatError): void;
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, Set<PromiseWithResolvers<void>>>();

  function take(key: string): ReadonlySet<PromiseWithResolvers<void>> {
    const found = waiting.get(key) ?? new Set();
    waiting.delete(key);
    return found;
  }

  function forget(key: string, waiter: PromiseWithResolvers<void>): void {
    const found = waiting.get(key);
    found?.delete(waiter);
    if (found?.size === 0) waiting.delete(key);
  }

  return {
    async wait(key, signal) {
      signal?.throwIfAborted();
      const waiter = Promise.withResolvers<void>();
      const found = waiting.get(key) ?? new Set();
      waiting.set(key, found.add(waiter));
      const abort = (): void => waiter.reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      try {
        await waiter.promise;
      } finally {
        signal?.removeEventListener("abort", abort);
        forget(key, waiter);
      }
    },
    keys: () => [...waiting.keys()],
    resolve: (key) => take(key).forEach((waiter) => waiter.resolve()),
    reject: (key, error) => take(key).forEach((waiter) => waiter.reject(error)),
    rejectAll(error) {
      for (const key of [...waiting.keys()]) take(key).forEach((waiter) => waiter.reject(error));
    },
  };
}
