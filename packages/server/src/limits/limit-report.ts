/** What one process knows of limits: its buckets, places, refusals and circuit breakers; bounded, so that it can be told to others. Pure. */
import { z } from "zod";
import type { BulkheadLevel } from "../guards/bulkhead.ts";
import type { CircuitState } from "../guards/circuit-breaker.ts";
import type { BucketLevel } from "../guards/rate-limit.ts";
import type { Refusals } from "./refusals.ts";

const count = z.number().int();

/** As it lies in the database. Another version may write more: what is not known here is passed over. */
const reportSchema = z.object({
  buckets: z.array(z.object({ key: z.string(), left: z.number(), count, perMs: z.number() })),
  bulkheads: z.array(
    z.object({ key: z.string(), inUse: count, atOnce: count, waiting: count, line: count, refused: count }),
  ),
  refusals: z.array(
    z.object({ kind: z.enum(["rate", "quota", "bulkhead"]), limit: z.string(), count, lastAtMs: z.number() }),
  ),
  breakers: z.array(
    z.object({
      target: z.string(),
      state: z.enum(["counting", "open", "probing"]),
      failures: count,
      openUntilMs: z.number().nullable(),
    }),
  ),
  leftOut: count,
});

export type LimitReport = z.output<typeof reportSchema>;
export type ReportedBucket = LimitReport["buckets"][number];

export const nothingReported: LimitReport = {
  buckets: [],
  bulkheads: [],
  refusals: [],
  breakers: [],
  leftOut: 0,
};

/** What a process holds in memory. */
export interface LimitState {
  readonly buckets: readonly BucketLevel[];
  readonly bulkheads: readonly BulkheadLevel[];
  readonly refusals: readonly Refusals[];
  readonly breakers: readonly CircuitState[];
}

/** So many entries of each kind, and so many characters of JSON for them: hosts and agents come out of texts, without end. */
const mostEntries = 100;
const mostCharacters = 8_192;

/** Full buckets and rooms where nobody ever stood are not worth a word. What matters most comes first and finds room. */
export function reportOf(state: LimitState): LimitReport {
  const buckets = fit(bucketsInUse(state.buckets).toSorted((a, b) => a.left / a.count - b.left / b.count));
  const bulkheads = fit(
    state.bulkheads
      .filter(({ inUse, waiting, refused }) => inUse + waiting + refused > 0)
      .toSorted((a, b) => b.inUse / b.atOnce - a.inUse / a.atOnce),
  );
  const refusals = fit(state.refusals);
  const breakers = fit(
    state.breakers.toSorted((a, b) => rank(a.state) - rank(b.state) || b.failures - a.failures),
  );
  const parts = [buckets, bulkheads, refusals, breakers];
  return {
    buckets: buckets.kept,
    bulkheads: bulkheads.kept,
    refusals: refusals.kept,
    breakers: breakers.kept,
    leftOut: parts.reduce((sum, { leftOut }) => sum + leftOut, 0),
  };
}

/** Those that are not full. */
export function bucketsInUse(levels: readonly BucketLevel[]): ReportedBucket[] {
  return levels
    .filter(({ tokens, limit }) => tokens < limit.count)
    .map(({ key, tokens, limit }) => ({ key, left: Math.floor(tokens * 100) / 100, ...limit }));
}

/** What is left of a report so much later: buckets refill, and an open breaker's time ends. */
export function reportAfter(
  report: LimitReport,
  { sinceMs, nowMs }: { sinceMs: number; nowMs: number },
): LimitReport {
  // Clocks of two machines may be apart.
  const passedMs = Math.max(0, nowMs - sinceMs);
  return {
    ...report,
    buckets: report.buckets
      .map((bucket) => ({ ...bucket, left: bucket.left + (passedMs * bucket.count) / bucket.perMs }))
      .filter(({ left, count: most }) => left < most)
      .map((bucket) => ({ ...bucket, left: Math.floor(bucket.left * 100) / 100 })),
    breakers: report.breakers.map((breaker) => {
      const isOver = breaker.state === "open" && breaker.openUntilMs !== null && breaker.openUntilMs <= nowMs;
      return isOver ? { ...breaker, state: "probing" } : breaker;
    }),
  };
}

/** Undefined when it is not one, such as that of a version which tells it otherwise. */
export function parseReport(text: string): LimitReport | undefined {
  return reportSchema.safeParse(JSON.parse(text)).data;
}

function fit<Entry>(entries: readonly Entry[]): { readonly kept: Entry[]; readonly leftOut: number } {
  const kept: Entry[] = [];
  let characters = 0;
  for (const entry of entries.slice(0, mostEntries)) {
    const length = JSON.stringify(entry).length;
    if (characters + length > mostCharacters) continue;
    characters += length;
    kept.push(entry);
  }
  return { kept, leftOut: entries.length - kept.length };
}

const ranks = ["open", "probing", "counting"] as const;
export function rank(state: CircuitState["state"]): number {
  return ranks.indexOf(state);
}
