/** Reads one sign of life from all there is: does anything depart from rest, and where should a person look? */
import type { SystemStatus } from "../api/contract.ts";
import { formatCount } from "../format/quantity.ts";
import type { StreamState } from "../live/follow-stream.ts";
import type { Tone } from "../ui/state.ts";

export interface Balance {
  /** 0 at rest, 1 at the end of the dial. */
  readonly deviation: number;
  readonly tone: Tone;
  readonly text: string;
  /** The next grave departure, if there is more than one. */
  readonly also: string | null;
  readonly to: "/" | "/approvals" | "/system";
  readonly state?: "failed" | "active";
}

type Departure = Omit<Balance, "also">;

/** The gravest departure speaks. `waiting` counts the questions a person has to answer. */
export function readBalance(status: SystemStatus | undefined, waiting: number, stream: StreamState): Balance {
  if (stream === "offline") {
    return { deviation: 0, tone: "idle", text: "Connection lost", also: null, to: "/system" };
  }
  const [gravest, next] = departuresOf(status, waiting);
  return { ...(gravest ?? atRest(status)), also: next?.text ?? null };
}

function departuresOf(status: SystemStatus | undefined, waiting: number): Departure[] {
  const found: Departure[] = [];
  const failed = status?.parts.find((part) => part.health.kind === "failed");
  if (failed !== undefined) {
    found.push({ deviation: 1, tone: "failed", text: `${failed.name} failed`, to: "/system" });
  }
  const dead = status?.queue.counts["DEAD"] ?? 0;
  if (dead > 0) {
    const text = formatCount(dead, "dead letter");
    found.push({ deviation: 0.85, tone: "failed", text, to: "/", state: "failed" });
  }
  if (waiting > 0) {
    const text = `${waiting} ${waiting === 1 ? "waits" : "wait"} for you`;
    found.push({ deviation: Math.min(0.7, 0.3 + waiting * 0.08), tone: "waiting", text, to: "/approvals" });
  }
  const degraded = status?.parts.find((part) => part.health.kind === "degraded");
  if (degraded !== undefined) {
    found.push({ deviation: 0.25, tone: "waiting", text: `${degraded.name} degraded`, to: "/system" });
  }
  return found;
}

function atRest(status: SystemStatus | undefined): Departure {
  const moving = (status?.queue.counts["RUNNING"] ?? 0) + (status?.queue.counts["RETRYING"] ?? 0);
  if (moving === 0) return { deviation: 0, tone: "done", text: "Steady", to: "/system" };
  return { deviation: 0.06, tone: "moving", text: `Steady, ${moving} running`, to: "/", state: "active" };
}
