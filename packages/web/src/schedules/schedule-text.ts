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

/** `At 09:00, Monday to Friday (Europe/Berlin)`, `Every 15 min`. */
export function timingText({ cron, timezone, every }: Pick<Schedule, "cron" | "timezone" | "every">): string {
  if (cron === null) return `Every ${spanText(every ?? "")}`;
  return `${describeCron(cron) ?? cron} (${timezone ?? "UTC"})`;
}

const units: Readonly<Record<string, string>> = { s: "s", m: "min", h: "h", d: "d" };

/** `1h30m` as `1 h 30 min`; what is written otherwise stays as it is. */
export function spanText(written: string): string {
  const parts = [...written.matchAll(/(\d+)(s|m|h|d)/g)];
  if (parts.map(([part]) => part).join("") !== written) return written;
  return parts.map(([, count, unit]) => `${count} ${units[unit ?? ""]}`).join(" ");
}
