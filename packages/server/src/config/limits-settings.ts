/** Settings of limits: how often, how many a day, how many at once. A section of the schema in config-schema.ts. */
import { z } from "zod";
import { durationForm, parseDuration } from "../base/duration.ts";
import { record } from "./setting.ts";

const limitName = /^[a-z][a-z0-9-]{0,63}$/;
const limitShape = {
  of: z.enum(["tenant", "user", "agent", "tool", "target", "all"]).default("tenant"),
  action: z.string().min(1).default("**"),
  count: z.number().int().min(1).max(1_000_000_000),
};

/** Read as milliseconds. */
const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({ code: "custom", message: `expected ${durationForm}` });
  return z.NEVER;
});

export const limitsSettings = {
  rates: record({
    name: limitName,
    value: z.strictObject({ ...limitShape, within: duration }),
    form: "a map of names to { of, action, count, within: a duration }",
    default: {},
    description:
      "How often actions may run: token buckets by tenant, user, agent, tool, target or all together.",
    why: "policy's own rates are enough for one team",
  }),
  quotas: record({
    name: limitName,
    value: z.strictObject({ ...limitShape, window: z.enum(["day", "month"]) }),
    form: "a map of names to { of, action, count, window: day or month }",
    default: {},
    description: "How many actions may run in a calendar day or month (UTC); kept in the database.",
    why: "nobody pays by the call at first",
  }),
  atOnce: record({
    name: limitName,
    value: z.strictObject({ ...limitShape, line: z.number().int().min(0).max(10_000).default(16) }),
    form: "a map of names to { of, action, count, line: how many may wait }",
    default: {},
    description:
      "How many actions may be under way at the same time in one process; `line` more wait, 1 s at most, further ones come again.",
    why: "`runs.concurrency` bounds all of them together",
  }),
};
