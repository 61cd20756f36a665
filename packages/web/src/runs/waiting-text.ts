/** What a run waits for, in words. */
import type { WaitingFor } from "../api/contract.ts";
import { formatCountdown } from "../format/duration.ts";
import { millisOf } from "../format/time.ts";

export function waitingText(waiting: WaitingFor, nowMs: number): string {
  const untilMs = millisOf(waiting.until ?? null);
  switch (waiting.kind) {
    case "approval":
      return "Waits for an approval";
    case "outcome":
      return "Waits for an answer: did it happen?";
    case "signal":
      return `Waits for the signal ${waiting.name ?? ""}`.trimEnd();
    case "child":
      return "Waits for a run of its own";
    case "timer":
      return untilMs === null ? "Waits for a timer" : `Goes on ${inText(untilMs - nowMs)}`;
    case "retry":
      return untilMs === null ? "Tries again soon" : `Tries again ${inText(untilMs - nowMs)}`;
    case "pause":
      return "Paused";
  }
}

function inText(leftMs: number): string {
  return leftMs <= 0 ? "any moment" : `in ${formatCountdown(leftMs)}`;
}
