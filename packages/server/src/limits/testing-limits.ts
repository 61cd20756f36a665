/** Limits for tests of others: policy's own rates alone, no quotas and no places. */
import type { Clock } from "../base/clock.ts";
import { createBulkhead } from "../guards/bulkhead.ts";
import { createRateLimiter } from "../guards/rate-limit.ts";
import { noLimits } from "./limit-rules.ts";
import { createLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";

export function createTestLimits(clock: Clock): Limits {
  const store = { write: () => Promise.reject(new Error("there are no quotas here")) };
  return createLimits({
    rules: noLimits,
    limiter: createRateLimiter({ clock }),
    bulkhead: createBulkhead({ clock }),
    store,
    clock,
  });
}
