/** The time axis of a run. Long idle stretches (a person was asked, a timer ran) may be squeezed so that work stays readable. */
import { formatTick } from "../../format/duration.ts";

/** Milliseconds since 1970. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Segment extends Interval {
  /** 0 to 1 across the axis. */
  readonly fromRatio: number;
  readonly toRatio: number;
  readonly squeezed: boolean;
}

export interface TimeScale extends Interval {
  readonly segments: readonly Segment[];
}

export interface Tick {
  readonly ratio: number;
  readonly label: string;
}

/** A squeezed stretch takes this share of the width; all of them together at most `squeezedShareLimit`. */
const squeezedShare = 0.08;
const squeezedShareLimit = 0.4;
/** Idle time is worth squeezing when it is longer than this and than this share of all activity. */
const shortestGapMs = 1_500;
const shortestGapShare = 0.25;

/** What is left of `span` when everything active is taken away, longest-lasting gaps only; in order. */
export function findIdleGaps(span: Interval, active: readonly Interval[]): Interval[] {
  const gaps: Interval[] = [];
  let freeFromMs = span.fromMs;
  let activeMs = 0;
  for (const interval of active.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const fromMs = Math.max(interval.fromMs, freeFromMs);
    const toMs = Math.min(interval.toMs, span.toMs);
    if (fromMs > freeFromMs) gaps.push({ fromMs: freeFromMs, toMs: Math.min(fromMs, span.toMs) });
    if (toMs > fromMs) activeMs += toMs - fromMs;
    freeFromMs = Math.max(freeFromMs, toMs);
  }
  if (freeFromMs < span.toMs) gaps.push({ fromMs: freeFromMs, toMs: span.toMs });
  const limitMs = Math.max(shortestGapMs, activeMs * shortestGapShare);
  return gaps.filter((gap) => gap.toMs - gap.fromMs > limitMs);
}

/** `squeeze` must be in order, apart and inside `span`, as `findIdleGaps` gives them. Empty: the axis is linear. */
export function createTimeScale(span: Interval, squeeze: readonly Interval[]): TimeScale {
  const lengthMs = Math.max(1, span.toMs - span.fromMs);
  const squeezedMs = squeeze.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
  const openMs = lengthMs - squeezedMs;
  const shareOfAll = Math.min(squeezedShareLimit, squeeze.length * squeezedShare);
  const gapShare = openMs <= 0 ? 1 / Math.max(1, squeeze.length) : shareOfAll / Math.max(1, squeeze.length);
  const openShare = openMs <= 0 ? 0 : 1 - gapShare * squeeze.length;
  const segments: Segment[] = [];
  let ratio = 0;
  const add = (fromMs: number, toMs: number, squeezed: boolean): void => {
    if (toMs <= fromMs) return;
    const width = squeezed ? gapShare : ((toMs - fromMs) / openMs) * openShare;
    segments.push({ fromMs, toMs, fromRatio: ratio, toRatio: ratio + width, squeezed });
    ratio += width;
  };
  let atMs = span.fromMs;
  for (const gap of squeeze) {
    add(atMs, gap.fromMs, false);
    add(gap.fromMs, gap.toMs, true);
    atMs = gap.toMs;
  }
  add(atMs, span.fromMs + lengthMs, false);
  return { fromMs: span.fromMs, toMs: span.fromMs + lengthMs, segments };
}

/** Where a moment lies on the axis, 0 to 1; moments outside are put at the nearer end. */
export function ratioAt(scale: TimeScale, atMs: number): number {
  if (atMs <= scale.fromMs) return 0;
  for (const segment of scale.segments) {
    if (atMs > segment.toMs) continue;
    const within = (atMs - segment.fromMs) / (segment.toMs - segment.fromMs);
    return segment.fromRatio + Math.max(0, within) * (segment.toRatio - segment.fromRatio);
  }
  return 1;
}

/** About `count` round labels over the open segments, never closer than `count * 1.6` to the width, never the same twice. */
export function ticksOf(scale: TimeScale, count: number): Tick[] {
  const open = scale.segments.filter((segment) => !segment.squeezed);
  const openMs = open.reduce((sum, segment) => sum + segment.toMs - segment.fromMs, 0);
  const stepMs = roundStep(openMs / count);
  const ticks: Tick[] = [{ ratio: 0, label: formatTick(0) }];
  for (const segment of open) {
    const firstMs = Math.ceil((segment.fromMs - scale.fromMs) / stepMs) * stepMs;
    for (let offsetMs = firstMs; scale.fromMs + offsetMs <= segment.toMs; offsetMs += stepMs) {
      const tick = { ratio: ratioAt(scale, scale.fromMs + offsetMs), label: formatTick(offsetMs) };
      const last = ticks.at(-1);
      const isApart = last === undefined || tick.ratio - last.ratio >= 1 / (count * 1.6);
      if (isApart && isClear(tick, scale) && tick.label !== last?.label) ticks.push(tick);
    }
  }
  return ticks;
}

/** A label needs room: up to the axis' end, and up to the label of a squeezed stretch. */
const labelRoom = 0.06;

function isClear({ ratio }: Tick, scale: TimeScale): boolean {
  const blocked = scale.segments.filter((segment) => segment.squeezed);
  return (
    ratio <= 1 - labelRoom / 2 &&
    blocked.every((segment) => ratio <= segment.fromRatio - labelRoom || ratio >= segment.toRatio)
  );
}

const roundStepsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000,
];

/** The smallest round step that is not below `wantedMs`; whole days beyond the list. */
export function roundStep(wantedMs: number): number {
  return roundStepsMs.find((stepMs) => stepMs >= wantedMs) ?? Math.ceil(wantedMs / 86_400_000) * 86_400_000;
}
