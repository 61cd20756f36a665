/** How each state is named, coloured and drawn; the one table for runs, steps, approvals and parts. */
import type { RunState, StepState } from "../api/contract.ts";

export type Tone = "accent" | "moving" | "waiting" | "done" | "failed" | "idle";
export type GlyphName =
  | "dotted"
  | "ring"
  | "arc"
  | "turning"
  | "diamond"
  | "check"
  | "octagon"
  | "slash"
  | "skip"
  | "shield"
  | "square";

export interface StateLook {
  readonly label: string;
  readonly tone: Tone;
  /** Differs by shape as well, so that colour is never the only sign. */
  readonly glyph: GlyphName;
}

export const runLooks: Readonly<Record<RunState, StateLook>> = {
  PENDING: { label: "Pending", tone: "idle", glyph: "dotted" },
  QUEUED: { label: "Queued", tone: "idle", glyph: "ring" },
  RUNNING: { label: "Running", tone: "moving", glyph: "arc" },
  RETRYING: { label: "Retrying", tone: "moving", glyph: "turning" },
  WAITING: { label: "Waiting", tone: "waiting", glyph: "diamond" },
  COMPLETED: { label: "Completed", tone: "done", glyph: "check" },
  FAILED: { label: "Failed", tone: "failed", glyph: "octagon" },
  CANCELLED: { label: "Cancelled", tone: "idle", glyph: "slash" },
  DEAD: { label: "Dead letter", tone: "failed", glyph: "square" },
};

export const stepLooks: Readonly<Record<StepState, StateLook>> = {
  pending: { label: "Not yet", tone: "idle", glyph: "dotted" },
  running: { label: "Running", tone: "moving", glyph: "arc" },
  waiting: { label: "Waiting", tone: "waiting", glyph: "diamond" },
  retrying: { label: "Retrying", tone: "moving", glyph: "turning" },
  completed: { label: "Completed", tone: "done", glyph: "check" },
  failed: { label: "Failed", tone: "failed", glyph: "octagon" },
  skipped: { label: "Skipped", tone: "idle", glyph: "skip" },
  denied: { label: "Denied", tone: "failed", glyph: "shield" },
  cancelled: { label: "Cancelled", tone: "idle", glyph: "slash" },
};

export const effectLooks: Readonly<Record<"allow" | "ask" | "deny", StateLook>> = {
  allow: { label: "Allow", tone: "done", glyph: "check" },
  ask: { label: "Ask a person", tone: "waiting", glyph: "diamond" },
  deny: { label: "Deny", tone: "failed", glyph: "shield" },
};

export const healthLooks: Readonly<Record<"ok" | "degraded" | "failed", StateLook>> = {
  ok: { label: "Well", tone: "done", glyph: "check" },
  degraded: { label: "Degraded", tone: "waiting", glyph: "diamond" },
  failed: { label: "Failed", tone: "failed", glyph: "octagon" },
};

const riskLooks: Readonly<Record<string, StateLook>> = {
  low: { label: "Low risk", tone: "idle", glyph: "ring" },
  medium: { label: "Medium risk", tone: "waiting", glyph: "diamond" },
  high: { label: "High risk", tone: "failed", glyph: "octagon" },
};

export function riskLook(risk: string): StateLook {
  return riskLooks[risk] ?? { label: `${risk} risk`, tone: "idle", glyph: "ring" };
}

/** States after which nothing more happens by itself. */
export const endedStates: ReadonlySet<RunState> = new Set(["COMPLETED", "FAILED", "CANCELLED", "DEAD"]);
