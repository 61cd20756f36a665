/** Lists of steps that are under way at the same time, inside one lease: started in order, woken by answers, timers and ends. */
import type { JsonValue } from "../../base/canonical-json.ts";
import type { WaitingFor } from "../../queue/task.ts";
import type { LaneErrorMode } from "../../workflows/workflow.ts";
import { mergeWaiting, wakeTime } from "../journal/step-result.ts";
import type { FailedStep, StepResult } from "../journal/step-result.ts";
import type { Walk } from "./walk.ts";

export interface Lane {
  /** Name of the branch or number of the round. */
  readonly key: string;
  /**
   * Walks the lane's steps as far as they go; called again when something it waited for may have come. Begins no further step
   * once `isGivenUp` says so, and is then `interrupted`.
   */
  readonly run: (isGivenUp: () => boolean) => Promise<StepResult>;
}

export interface LaneRules {
  /** Lanes under way at once; one that waits keeps its place. */
  readonly concurrency: number;
  readonly onError: LaneErrorMode;
}

export type LanesResult =
  | { readonly kind: "ended"; readonly lanes: ReadonlyMap<string, EndedLane> }
  | Exclude<StepResult, { readonly kind: "done" }>;

export type EndedLane = { readonly kind: "done"; readonly output: JsonValue } | FailedStep;

/** What the lanes have come to so far. Those not begun yet are the ones from `next` on: they begin in the order of the file. */
interface Lanes {
  next: number;
  readonly running: Map<number, Promise<void>>;
  readonly waiting: Map<number, WaitingFor>;
  readonly ended: Map<number, EndedLane>;
  isInterrupted: boolean;
  /** No further step may begin: the walk lets go, or a failure stops the others. */
  isOver: boolean;
  fault: { readonly error: unknown } | undefined;
}

/** Rejects as the lanes do, after all of them have let go. */
export async function runLanes(walk: Walk, lanes: readonly Lane[], rules: LaneRules): Promise<LanesResult> {
  const state: Lanes = {
    next: 0,
    running: new Map(),
    waiting: new Map(),
    ended: new Map(),
    isInterrupted: false,
    isOver: false,
    fault: undefined,
  };
  const begin = (index: number): void => {
    state.waiting.delete(index);
    const done = lanes[index]!.run(() => state.isOver).then(
      (result) => settle(state, index, { result, rules }),
      (error: unknown) => {
        state.fault ??= { error };
        state.running.delete(index);
      },
    );
    state.running.set(index, done);
  };
  try {
    for (;;) {
      if (state.fault !== undefined) throw state.fault.error;
      const count = countToBegin({ ...sizesOf(state), lanes: lanes.length }, rules);
      for (let left = count; left > 0; left -= 1) begin(state.next++);
      if (state.running.size === 0) return conclude(lanes, state, rules);
      if (state.waiting.size === 0 || state.isOver) {
        await Promise.race(state.running.values());
        continue;
      }
      const first = await nextOf(walk, state.running, mergeWaiting([...state.waiting.values()]));
      if (first === "woken" && !state.isOver) for (const index of [...state.waiting.keys()]) begin(index);
    }
  } finally {
    // Whatever ends this walk, no lane may act on unseen.
    await Promise.allSettled(state.running.values());
  }
}

function settle(
  state: Lanes,
  index: number,
  { result, rules }: { readonly result: StepResult; readonly rules: LaneRules },
): void {
  state.running.delete(index);
  switch (result.kind) {
    case "wait":
      state.waiting.set(index, result.waiting);
      return;
    case "interrupted":
      state.isInterrupted = true;
      state.isOver = true;
      return;
    case "failed":
      state.ended.set(index, result);
      state.isOver ||= rules.onError === "fail" || result.timeoutOf !== undefined;
      return;
    case "done":
      state.ended.set(index, result);
  }
}

interface Sizes {
  readonly begun: number;
  readonly busy: number;
  readonly isOver: boolean;
}

function sizesOf({ next, running, waiting, isOver }: Lanes): Sizes {
  return { begun: next, busy: running.size + waiting.size, isOver };
}

/** How many of the lanes not begun yet begin now. */
export function countToBegin(
  { begun, busy, isOver, lanes }: Sizes & { readonly lanes: number },
  { concurrency }: Pick<LaneRules, "concurrency">,
): number {
  return isOver ? 0 : Math.max(0, Math.min(concurrency - busy, lanes - begun));
}

/** Nothing runs any more: what the lanes together have come to. */
function conclude(lanes: readonly Lane[], state: Lanes, rules: LaneRules): LanesResult {
  const inOrder = [...state.ended].sort(([a], [b]) => a - b);
  const failures = inOrder.flatMap(([, lane]) => (lane.kind === "failed" ? [lane] : []));
  const timedOut = failures.find((failure) => failure.timeoutOf !== undefined);
  if (timedOut !== undefined) return timedOut;
  const [first] = failures;
  if (first !== undefined && rules.onError === "fail") return first;
  if (state.isInterrupted) return { kind: "interrupted" };
  if (state.waiting.size > 0) return { kind: "wait", waiting: mergeWaiting([...state.waiting.values()]) };
  if (first !== undefined && rules.onError === "wait_all") return withCount(first, failures.length);
  return { kind: "ended", lanes: new Map(inOrder.map(([index, lane]) => [lanes[index]!.key, lane])) };
}

function withCount(first: FailedStep, count: number): FailedStep {
  if (count === 1) return first;
  return {
    ...first,
    error: { ...first.error, message: `${first.error.message} (and ${count - 1} more failed)` },
  };
}

/** Resolves with the first lane that lets go, or with `woken` when a lane that waits may go on. */
async function nextOf(
  walk: Walk,
  running: ReadonlyMap<number, Promise<void>>,
  waiting: WaitingFor,
): Promise<"lane" | "woken"> {
  const over = new AbortController();
  let outcome: "lane" | "time" | undefined;
  const settle = (what: "lane" | "time"): void => {
    outcome ??= what;
    over.abort();
  };
  const lane = Promise.race(running.values());
  // Heard once for the whole wait: the bell rings for the messages of every run, and each turn would leave reactions behind.
  lane.then(
    () => settle("lane"),
    () => settle("lane"),
  );
  void sleepUntil(walk, wakeTime(waiting), over.signal).then(() => settle("time"));
  try {
    for (;;) {
      await walk.deps.bell.next(over.signal);
      if (outcome === "lane") {
        // A lane that failed by a fault of ours rejects, and so does this.
        await lane;
        return "lane";
      }
      if ((await walk.listen()) || outcome === "time") return "woken";
    }
  } finally {
    over.abort();
  }
}

/** Also resolves when it is aborted; at no time it lasts until then. */
async function sleepUntil({ deps }: Walk, atMs: number | null, signal: AbortSignal): Promise<void> {
  const leftMs = atMs === null ? Infinity : Math.max(0, atMs - deps.clock.now());
  // Timers beyond 24 days do not exist; nobody acts that long.
  await deps.clock.sleep(Math.min(leftMs, 0x7fffffff), signal).catch(() => undefined);
}
