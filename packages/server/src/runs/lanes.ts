/** Lists of steps that are under way at the same time, inside one lease: started in order, woken by answers, timers and ends. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { LaneErrorMode } from "../workflows/workflow.ts";
import { mergeWaiting, wakeTime } from "./step-result.ts";
import type { FailedStep, StepResult } from "./step-result.ts";
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

type LaneState = { readonly kind: "idle" | "running" } | StepResult;

/** Rejects as the lanes do, after all of them have let go. */
export async function runLanes(walk: Walk, lanes: readonly Lane[], rules: LaneRules): Promise<LanesResult> {
  const states: LaneState[] = lanes.map(() => ({ kind: "idle" }));
  const running = new Map<number, Promise<void>>();
  let fault: { readonly error: unknown } | undefined;
  const begin = (index: number): void => {
    states[index] = { kind: "running" };
    const done = lanes[index]!.run(() => isOver(states, rules)).then(
      (result) => {
        states[index] = result;
        running.delete(index);
      },
      (error: unknown) => {
        fault ??= { error };
        running.delete(index);
      },
    );
    running.set(index, done);
  };
  try {
    for (;;) {
      if (fault !== undefined) throw fault.error;
      for (const index of startable(states, rules)) begin(index);
      if (running.size === 0) return conclude(lanes, states, rules);
      const waiting = states.flatMap((state) => (state.kind === "wait" ? [state.waiting] : []));
      if (waiting.length === 0 || isOver(states, rules)) {
        await Promise.race(running.values());
        continue;
      }
      if ((await nextOf(walk, running, mergeWaiting(waiting))) === "woken") {
        states.forEach((state, index) => {
          if (state.kind === "wait" && !isOver(states, rules)) begin(index);
        });
      }
    }
  } finally {
    // Whatever ends this walk, no lane may act on unseen.
    await Promise.allSettled(running.values());
  }
}

/** Lanes to begin now, in the order of the file. */
export function startable(states: readonly LaneState[], rules: LaneRules): readonly number[] {
  if (isOver(states, rules)) return [];
  const busy = states.filter(({ kind }) => kind === "running" || kind === "wait").length;
  const idle = states.flatMap(({ kind }, index) => (kind === "idle" ? [index] : []));
  return idle.slice(0, Math.max(0, rules.concurrency - busy));
}

/** True when no further step may begin: the walk lets go, or a failure stops the others. */
function isOver(states: readonly LaneState[], { onError }: LaneRules): boolean {
  return states.some(
    (state) =>
      state.kind === "interrupted" ||
      (state.kind === "failed" && (onError === "fail" || state.timeoutOf !== undefined)),
  );
}

/** Nothing runs any more: what the lanes together have come to. */
function conclude(lanes: readonly Lane[], states: readonly LaneState[], rules: LaneRules): LanesResult {
  const failures = states.filter((state) => state.kind === "failed");
  const timedOut = failures.find((failure) => failure.timeoutOf !== undefined);
  if (timedOut !== undefined) return timedOut;
  const [first] = failures;
  if (first !== undefined && rules.onError === "fail") return first;
  if (states.some(({ kind }) => kind === "interrupted")) return { kind: "interrupted" };
  const waiting = states.flatMap((state) => (state.kind === "wait" ? [state.waiting] : []));
  if (waiting.length > 0) return { kind: "wait", waiting: mergeWaiting(waiting) };
  if (first !== undefined && rules.onError === "wait_all") return withCount(first, failures.length);
  const ended = states.map((state, index): [string, EndedLane] => {
    // Proof: nothing is idle, running, waiting or interrupted here.
    return [lanes[index]!.key, state as EndedLane];
  });
  return { kind: "ended", lanes: new Map(ended) };
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
  waiting: Parameters<typeof wakeTime>[0],
): Promise<"lane" | "woken"> {
  const over = new AbortController();
  const lane = Promise.race(running.values()).then(() => "lane" as const);
  try {
    for (;;) {
      const news = walk.deps.bell.next(over.signal).then(() => "news" as const);
      const time = sleepUntil(walk, wakeTime(waiting), over.signal);
      const first = await Promise.race([lane, news, time]);
      if (first === "lane") return "lane";
      if ((await walk.listen()) || first === "time") return "woken";
    }
  } finally {
    over.abort();
  }
}

async function sleepUntil({ deps }: Walk, atMs: number | null, signal: AbortSignal): Promise<"time"> {
  const leftMs = atMs === null ? Infinity : Math.max(0, atMs - deps.clock.now());
  // Timers beyond 24 days do not exist; nobody acts that long.
  if (leftMs > 0x7fffffff) return await new Promise<never>(() => undefined);
  await deps.clock.sleep(leftMs, signal).catch(() => undefined);
  return "time";
}
