/** The rows of the timeline: the step tree as depth-indented lines, with folding, filter and the bars of each step. */
import type { Approval, StepView } from "../../api/contract.ts";
import { millisOf } from "../../format/time.ts";
import type { Interval } from "./time-scale.ts";

export interface Piece extends Interval {
  readonly kind: "work" | "wait" | "group";
}

export interface StepRow {
  readonly step: StepView;
  /** Direct and indirect children in the whole tree, also when folded or filtered away. */
  readonly childCount: number;
  readonly isFolded: boolean;
  /** Which turn of a for_each this step is in, from its path; null outside of one. */
  readonly turn: number | null;
  readonly isLive: boolean;
  readonly pieces: readonly Piece[];
}

export interface RowOptions {
  readonly folded: ReadonlySet<string>;
  /** Lower-case text; empty shows all. A match keeps its ancestors. */
  readonly filter: string;
  readonly nowMs: number;
}

const liveStates: ReadonlySet<StepView["state"]> = new Set(["running", "waiting", "retrying"]);

export function rowsOf(
  steps: readonly StepView[],
  approvals: readonly Approval[],
  options: RowOptions,
): StepRow[] {
  const matching = matchingPaths(steps, options.filter);
  const rows: StepRow[] = [];
  let foldedAtDepth = Number.POSITIVE_INFINITY;
  steps.forEach((step, index) => {
    if (step.depth <= foldedAtDepth) foldedAtDepth = Number.POSITIVE_INFINITY;
    else if (matching === null) return;
    if (matching !== null && !matching.has(step.path)) return;
    const childCount = countChildren(steps, index);
    const isFolded = matching === null && childCount > 0 && options.folded.has(step.path);
    if (isFolded) foldedAtDepth = step.depth;
    const pieces = piecesOf(step, approvals, childCount > 0, options.nowMs);
    rows.push({
      step,
      childCount,
      isFolded,
      turn: turnOf(step.path),
      isLive: liveStates.has(step.state),
      pieces,
    });
  });
  return rows;
}

/** Groups with more steps inside than a person reads at once, but for those around the selected step. */
export function largeGroups(
  steps: readonly StepView[],
  limit: number,
  selectedPath: string | undefined,
): ReadonlySet<string> {
  const groups = steps.filter((_, index) => countChildren(steps, index) > limit);
  return new Set(
    groups.map((step) => step.path).filter((path) => selectedPath?.startsWith(`${path}/`) !== true),
  );
}

/** When something really happened: leaf steps without the time they waited for a person or a timer. */
export function activeIntervals(
  steps: readonly StepView[],
  approvals: readonly Approval[],
  nowMs: number,
): Interval[] {
  return steps.flatMap((step, index) =>
    countChildren(steps, index) > 0
      ? []
      : piecesOf(step, approvals, false, nowMs).filter((piece) => piece.kind === "work"),
  );
}

/** The last segment of the path that is not the step's own id, if it is a number: `each/3/inner` is turn 3. */
export function turnOf(path: string): number | null {
  const parent = path.split("/").at(-2);
  return parent !== undefined && /^\d+$/.test(parent) ? Number(parent) : null;
}

function countChildren(steps: readonly StepView[], index: number): number {
  const depth = steps[index]?.depth ?? 0;
  let end = index + 1;
  while (end < steps.length && (steps[end]?.depth ?? 0) > depth) end += 1;
  return end - index - 1;
}

function matchingPaths(steps: readonly StepView[], filter: string): ReadonlySet<string> | null {
  if (filter === "") return null;
  const paths = new Set<string>();
  const ancestors: StepView[] = [];
  for (const step of steps) {
    while ((ancestors.at(-1)?.depth ?? -1) >= step.depth) ancestors.pop();
    const text = [step.path, step.title, step.tool, step.resource, step.summary, step.state].join(" ");
    if (text.toLowerCase().includes(filter)) {
      for (const shown of [...ancestors, step]) paths.add(shown.path);
    }
    ancestors.push(step);
  }
  return paths;
}

function piecesOf(step: StepView, approvals: readonly Approval[], isGroup: boolean, nowMs: number): Piece[] {
  const fromMs = millisOf(step.startedAt);
  if (fromMs === null) return [];
  const endedMs = millisOf(step.endedAt) ?? (liveStates.has(step.state) ? nowMs : fromMs);
  const span = { fromMs, toMs: Math.max(fromMs, endedMs) };
  if (isGroup) return [{ ...span, kind: "group" }];
  if (step.kind === "approval" || step.kind === "wait") return [{ ...span, kind: "wait" }];
  const waits = approvals
    .filter((approval) => approval.step === step.path)
    .map((approval) => waitOf(approval, span, nowMs))
    .filter((wait) => wait.toMs > wait.fromMs)
    .sort((a, b) => a.fromMs - b.fromMs);
  return cutAtWaits(span, waits);
}

function waitOf(approval: Approval, span: Interval, nowMs: number): Interval {
  const fromMs = Math.max(span.fromMs, millisOf(approval.requestedAt) ?? span.fromMs);
  const answeredMs = millisOf(approval.decidedAt) ?? (approval.status === "waiting" ? nowMs : span.toMs);
  return { fromMs, toMs: Math.min(span.toMs, answeredMs) };
}

function cutAtWaits(span: Interval, waits: readonly Interval[]): Piece[] {
  const pieces: Piece[] = [];
  let atMs = span.fromMs;
  for (const wait of waits) {
    if (wait.fromMs > atMs) pieces.push({ fromMs: atMs, toMs: wait.fromMs, kind: "work" });
    pieces.push({ fromMs: Math.max(atMs, wait.fromMs), toMs: Math.max(atMs, wait.toMs), kind: "wait" });
    atMs = Math.max(atMs, wait.toMs);
  }
  if (atMs < span.toMs || pieces.length === 0) pieces.push({ fromMs: atMs, toMs: span.toMs, kind: "work" });
  return pieces;
}
