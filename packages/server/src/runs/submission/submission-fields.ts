/** When a task begins and what counts as the same task, as callers write it: delay, time, key and window. */
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { durationForm, longestDurationMs, parseDuration } from "../../base/duration.ts";
import { HomeostatError } from "../../base/error.ts";
import type { Submission } from "./submit.ts";

/** How long a key stands for its run when nobody says otherwise. */
const defaultWindowMs: number = 24 * 3_600_000;

/** Without an offset it would be the server's own time, which callers cannot know. */
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

const duration = z
  .string()
  .max(40)
  .refine((text) => parseDuration(text) !== undefined, { message: `expected ${durationForm}` });

/** Spread into the body of a route that takes tasks. */
export const submissionFields = {
  delay: duration
    .optional()
    .describe("Begins this much later, for example 10m; the run is PENDING until then"),
  notBefore: z
    .string()
    .max(40)
    .refine((text) => timeForm.test(text) && !Number.isNaN(Date.parse(text)), {
      message: "expected a time such as 2026-03-01T09:00:00+01:00",
    })
    .optional()
    .describe("Instead of `delay`: begins at this time (ISO 8601 with an offset), at most 366 days from now"),
  deduplication: z
    .strictObject({
      key: z
        .string()
        .min(1)
        .max(200)
        .describe("The same key gives the same run, whoever in the tenant submits it"),
      window: duration.optional().describe("How long the key stands for this run; 24h by default"),
    })
    .optional(),
} as const;

const shape = z.object(submissionFields);

/** Throws REQUEST_INVALID for two answers to one question and for a time too far away. */
export function readSubmissionFields(
  body: z.output<typeof shape>,
  clock: Pick<Clock, "now">,
): Pick<Submission, "notBeforeMs" | "deduplication"> {
  const { delay, notBefore, deduplication } = body;
  if (delay !== undefined && notBefore !== undefined)
    throw new HomeostatError("REQUEST_INVALID", "A task has a `delay` or a `notBefore`, not both");
  const nowMs = clock.now();
  const notBeforeMs =
    delay !== undefined
      ? nowMs + durationOf(delay)
      : notBefore === undefined
        ? undefined
        : Date.parse(notBefore);
  if (notBeforeMs !== undefined && notBeforeMs > nowMs + longestDurationMs) {
    const text = `\`notBefore\` is ${new Date(notBeforeMs).toISOString()}, more than 366 days from now`;
    throw new HomeostatError("REQUEST_INVALID", text);
  }
  return {
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    ...(deduplication === undefined ? {} : { deduplication: keyOf(deduplication) }),
  };
}

function keyOf({ key, window }: NonNullable<z.output<typeof shape>["deduplication"]>) {
  return { key, windowMs: window === undefined ? defaultWindowMs : durationOf(window) };
}

/** The schema has proved that it is one. */
function durationOf(text: string): number {
  return parseDuration(text) ?? 0;
}
