/** Where a value came from, in words, and which step of the run it points to. Pure. */
import type { StepDecision } from "../../api/contract.ts";

export type ArgumentOrigin = NonNullable<StepDecision["origins"]>[number];

/** A source as the server writes it: `step fetch, output.text`, `input folder`, `the task`. */
export interface Source {
  readonly text: string;
  /** The step's path, when the source is one. */
  readonly step: string | null;
  /** What follows the step: the place in its output. */
  readonly place: string;
}

export function readSource(text: string): Source {
  const match = /^step ([^\s,]+)(?:,\s*(.*))?$/.exec(text);
  return { text, step: match?.[1] ?? null, place: match?.[2] ?? "" };
}

const fromTexts: Readonly<Record<ArgumentOrigin["from"], string>> = {
  trusted: "trusted",
  mixed: "mixed",
  "untrusted-only": "only untrusted",
  invented: "found nowhere",
};

export function fromText(origin: Pick<ArgumentOrigin, "from">): string {
  return fromTexts[origin.from];
}

/** How alarming it is: what only strangers say, or nobody, stands out. */
export function originTone({
  from,
  instructed,
}: Pick<ArgumentOrigin, "from" | "instructed">): "failed" | "waiting" | "idle" {
  if (instructed >= 60) return "failed";
  return from === "trusted" && instructed < 35 ? "idle" : "waiting";
}

/** The scale of data-flow: from 60 on a passage speaks to the assistant, from 35 on it is a request. */
export function instructedText(score: number): string {
  if (score >= 60) return `${Math.round(score)} of 100: speaks to the assistant`;
  if (score >= 35) return `${Math.round(score)} of 100: a request such as people write`;
  return `${Math.round(score)} of 100`;
}

/** What matters first: instructed values, then untrusted ones; order is kept otherwise. */
export function sortOrigins<Origin extends Pick<ArgumentOrigin, "from" | "instructed">>(
  origins: readonly Origin[],
): readonly Origin[] {
  const rank = { failed: 0, waiting: 1, idle: 2 } as const;
  return origins.toSorted((a, b) => rank[originTone(a)] - rank[originTone(b)] || b.instructed - a.instructed);
}
