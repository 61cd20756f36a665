/** What a run waits for, in words. */
import type { WaitingFor } from "../api/contract.ts";
import { formatCountdown } from "../format/duration.ts";
import { millisOf } from "../format/time.ts";

export function waitingText(waiting: WaitingFor, nowMs: number): string {
  const untilMs = millisOf(waiting.until ?? null);
  const left = untilMs === null ? "" : ` ${formatCountdown(untilMs - nowMs)}`;
  switch (waiting.kind) {
    case "approval":
      return "Waits for an approval";
    case "outcome":
      return "Waits for an answer: did it happen?";
    case "timer":
      return left === "" ? "Waits for a timer" : `Goes on in${left}`;
    case "retry":
      return left === "" ? "Tries again soon" : `Tries again in${left}`;
    case "pause":
      return "Paused";
  }
}
