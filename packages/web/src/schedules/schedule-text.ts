/** What a schedule does, in words. Pure. */
import type { Schedule } from "../api/operations-calls.ts";
import { describeCron } from "./cron-text.ts";

export const missedTexts: Readonly<Record<Schedule["missed"], string>> = {
  skip: "Skip them",
  once: "Run once for all of them",
  all: "Make up for each",
};

export const overlapTexts: Readonly<Record<Schedule["overlap"], string>> = {
  allow: "Start another beside it",
  skip: "Skip this time",
  queue: "Let one wait until it has ended",
};

/** `At 09:00, Monday to Friday (Europe/Berlin)`, `Every 15m`. */
export function timingText({ cron, timezone, every }: Pick<Schedule, "cron" | "timezone" | "every">): string {
  if (cron === null) return `Every ${every ?? ""}`;
  return `${describeCron(cron) ?? cron} (${timezone ?? "UTC"})`;
}
