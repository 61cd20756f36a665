/** The `queue` section of the configuration: ageing, claims in vain, limits of tenants and workflows. */
import { z } from "zod";
import { noLimits, parseRate, rateForm } from "../queue/limits.ts";
import type { LimitTable, QueueLimits } from "../queue/limits.ts";
import { defaultMaxVainClaims } from "../queue/vain-claims.ts";
import { integer, record } from "./setting.ts";
import type { Setting } from "./setting.ts";

interface WrittenLimit {
  readonly concurrency?: number | undefined;
  readonly rate?: string | undefined;
}

type WrittenLimits = Readonly<Record<string, WrittenLimit>>;

const limitSchema: z.ZodType<WrittenLimit> = z.strictObject({
  concurrency: z.number().int().min(1).max(100_000).optional(),
  rate: z.string().regex(rateForm).optional(),
});
const limitForm =
  "a map of names to { concurrency, rate }, with a rate such as 10/s, 100/m or 1000/h; `*` is for each that has none";

export const queueSettings: {
  readonly agingMinutes: Setting<number>;
  readonly maxVainClaims: Setting<number>;
  readonly limits: { readonly tenants: Setting<WrittenLimits>; readonly workflows: Setting<WrittenLimits> };
} = {
  agingMinutes: integer({
    min: 0,
    max: 10_080,
    default: 10,
    description: "A run that has been due for so many minutes moves up one lane of priority; 0 is never.",
    why: "a lane that is always full would keep everything below it waiting for ever",
  }),
  maxVainClaims: integer({
    min: 3,
    max: 1_000,
    default: defaultMaxVainClaims,
    description:
      "How often in a row a run may be taken without finishing a step, because of a fault or a dying process, before it is a dead letter.",
    why: "with the growing pauses about 20 minutes of faults; a run that kills its process does not do so for ever",
  }),
  limits: {
    tenants: record({
      name: /^(?:\*|[A-Za-z0-9][\w.-]{0,63})$/,
      value: limitSchema,
      form: limitForm,
      default: {},
      description: "How many runs of a tenant are worked on at once, and how many may begin in a time.",
      why: "one tenant alone may use everything",
    }),
    workflows: record({
      name: /^(?:\*|[a-z0-9][a-z0-9_-]{0,127})$/,
      value: limitSchema,
      form: limitForm,
      default: {},
      description: "The same for a tenant's workflow of that name.",
      why: "most workflows may run as often as they are submitted",
    }),
  },
};

/** The limits as claims keep them. */
export function limitsOf(written: {
  readonly tenants: WrittenLimits;
  readonly workflows: WrittenLimits;
}): QueueLimits {
  return { ...noLimits, tenants: tableOf(written.tenants), workflows: tableOf(written.workflows) };
}

function tableOf(written: WrittenLimits): LimitTable {
  const limits = Object.entries(written).map(
    ([name, { concurrency, rate }]) =>
      [name, { concurrency, rate: rate === undefined ? undefined : parseRate(rate) }] as const,
  );
  return Object.fromEntries(limits);
}
