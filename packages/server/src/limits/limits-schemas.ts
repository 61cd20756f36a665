/** What routes say of limits, as schemas. */
import { z } from "zod";
import { limitSubjects } from "./limit-rules.ts";

const count = z.number().int();

const configured = z.object({
  name: z.string(),
  kind: z.enum(["rate", "quota", "bulkhead"]),
  of: z.enum(limitSubjects),
  action: z.string(),
  count,
  per: z.string().describe("A time in milliseconds, `day`, `month`, or `at once`"),
});
export type ConfiguredLimit = z.input<typeof configured>;

const bucket = z.object({ key: z.string(), left: z.number(), count, perMs: z.number() });

const bulkhead = z.object({
  key: z.string(),
  inUse: count,
  atOnce: count,
  waiting: count,
  line: count.describe("How many may wait"),
  refused: count,
});

const refusal = z.object({
  kind: z.enum(["rate", "quota", "bulkhead"]),
  limit: z.string(),
  count,
  lastAt: z.string(),
});

const breaker = z.object({
  target: z.string(),
  state: z.enum(["counting", "open", "probing"]),
  failures: count,
  openUntil: z.string().nullable(),
});

const processes = count
  .nullable()
  .describe("How many processes count it, each for itself: the figures are their sums. Null: all share one");

const limitProcess = z.object({
  id: z.string().describe("As in /v1/workers"),
  role: z.enum(["all", "gateway", "worker"]),
  host: z.string(),
  pid: count,
});

const reporting = limitProcess.extend({
  state: z
    .enum(["running", "stopping", "silent"])
    .describe("What a `silent` one told is old and in no total"),
  isAnswering: z.boolean(),
  reportedAt: z.string().nullable().describe("Null before it told anything"),
  leftOut: count.describe("What it knows besides and did not tell, because it is too much"),
  buckets: z.array(bucket),
  bulkheads: z.array(bulkhead),
  refusals: z.array(refusal),
  breakers: z.array(breaker),
});

export const limitsSchema = z
  .object({
    configured: z.array(configured),
    buckets: z.array(bucket.extend({ processes })).describe("Those that are not full"),
    quotas: z.array(z.object({ key: z.string(), used: count, count, endsAt: z.string() })),
    bulkheads: z.array(bulkhead.extend({ processes })),
    refusals: z.array(refusal).describe("What was held back since the processes started, the latest first"),
    breakers: z
      .array(breaker.extend({ processes }))
      .describe("Of several processes the worst state, the most failures and the latest end"),
    processes: z.array(reporting).describe("The answering process first"),
  })
  .meta({ id: "Limits" });

export type LimitsView = z.input<typeof limitsSchema>;

export const resetSchema = z.strictObject({
  target: z.string().min(1).max(2_000).optional().describe("All targets without"),
  process: z.string().min(1).max(200).optional().describe("Id of one process; all of them without"),
});

export const resetAnswerSchema = z
  .object({
    processes: z.array(
      limitProcess.extend({
        targets: z
          .array(z.string())
          .nullable()
          .describe("Whose failures it forgot. Null when it did not answer in time; it does it when it can"),
      }),
    ),
  })
  .meta({ id: "BreakerReset" });
