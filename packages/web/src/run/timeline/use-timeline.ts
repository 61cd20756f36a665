/** Everything the timeline draws, computed from the run and the time. */
import { useMemo } from "react";
import type { RunDetail } from "../../api/contract.ts";
import { millisOf } from "../../format/time.ts";
import { useNow } from "../../live/now.ts";
import { endedStates } from "../../ui/state.ts";
import { activeIntervals, rowsOf, type StepRow } from "./step-rows.ts";
import {
  createTimeScale,
  findIdleGaps,
  ticksOf,
  type Interval,
  type Tick,
  type TimeScale,
} from "./time-scale.ts";

export interface TimelineOptions {
  readonly folded: ReadonlySet<string>;
  readonly filter: string;
  /** Show waiting in its true length. */
  readonly isReal: boolean;
}

export interface TimelineView {
  readonly rows: readonly StepRow[];
  readonly scale: TimeScale;
  readonly ticks: readonly Tick[];
  /** Idle stretches worth squeezing, squeezed or not. */
  readonly gaps: readonly Interval[];
  readonly groupPaths: ReadonlySet<string>;
  readonly now: number;
}

const redrawMs = 200;
/** Many rows are redrawn less often. */
const redrawManyMs = 1_000;
const manySteps = 200;
const wantedTicks = 5;

export function useTimeline(run: RunDetail, options: TimelineOptions): TimelineView {
  const isLive = !endedStates.has(run.state);
  const now = useNow(run.steps.length > manySteps ? redrawManyMs : redrawMs, isLive);
  return useMemo(() => {
    const { folded, filter, isReal } = options;
    const span = spanOf(run, now);
    const gaps = findIdleGaps(span, activeIntervals(run.steps, run.approvals, now));
    const scale = createTimeScale(span, isReal ? [] : gaps);
    return {
      rows: rowsOf(run.steps, run.approvals, { folded, filter, nowMs: now }),
      scale,
      ticks: ticksOf(scale, wantedTicks),
      gaps,
      groupPaths: groupPathsOf(run),
      now,
    };
  }, [run, now, options.folded, options.filter, options.isReal]);
}

/** From the start to the end, or to now; steps may be stamped a little outside of the run. */
function spanOf(run: RunDetail, now: number): Interval {
  const fromMs = millisOf(run.startedAt) ?? millisOf(run.createdAt) ?? now;
  const ends = run.steps.map((step) => millisOf(step.endedAt) ?? 0);
  const toMs = endedStates.has(run.state) ? (millisOf(run.endedAt) ?? fromMs) : now;
  return { fromMs, toMs: Math.max(fromMs + 1, toMs, ...ends) };
}

function groupPathsOf(run: RunDetail): ReadonlySet<string> {
  const groups = run.steps.filter((step, index) => (run.steps[index + 1]?.depth ?? 0) > step.depth);
  return new Set(groups.map((step) => step.path));
}
