/** Which runs fall due, told as they do: the sending side of wake-ups, for one process at a time. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Store } from "../store/store.ts";

export interface DispatchDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isUp: () => boolean;
  /** Tells of changes of `isUp`. */
  readonly onUp: (listener: () => void) => () => void;
  /** May reject; the same runs come again. */
  readonly add: (runIds: readonly string[]) => Promise<void>;
}

/** Also without a commit: a timer that another process's clock made due. */
const lookMs = 1_000;
/** A run that is still due this long after its wake-up was put in: Redis lost it, or everybody is full. */
const againMs = 5_000;
const runsAtATime = 1_000;

/** Until the signal is aborted. */
export async function dispatchDue(deps: DispatchDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, logger } = deps;
  const sent = new Map<string, { readonly wakeAtMs: number; readonly atMs: number }>();
  let sleeper = new AbortController();
  let hasRung = false;
  const ring = (): void => {
    hasRung = true;
    sleeper.abort();
  };
  const stops = [store.onCommit("runs", ring), deps.onUp(ring)];
  signal.addEventListener("abort", ring, { once: true });
  try {
    while (!signal.aborted) {
      hasRung = false;
      const nextMs = deps.isUp() ? await round().catch(tell) : undefined;
      sleeper = new AbortController();
      const waitMs = Math.max(1, Math.min(lookMs, (nextMs ?? Infinity) - clock.now()));
      // Woken early by a commit.
      if (!hasRung) await clock.sleep(waitMs, sleeper.signal).catch(() => {});
    }
  } finally {
    for (const stop of stops) stop();
    signal.removeEventListener("abort", ring);
  }

  /** When the next run falls due. */
  async function round(): Promise<number | undefined> {
    const nowMs = clock.now();
    const due = await store.read(
      "SELECT id, wake_at_ms FROM runs WHERE wake_at_ms <= ? ORDER BY priority, wake_at_ms LIMIT ?",
      [nowMs, runsAtATime],
    );
    const fresh = due
      .map((row) => ({ id: String(row["id"]), wakeAtMs: Number(row["wake_at_ms"]) }))
      .filter(isNew);
    if (fresh.length > 0) {
      await deps.add(fresh.map(({ id }) => id));
      for (const { id, wakeAtMs } of fresh) sent.set(id, { wakeAtMs, atMs: nowMs });
    }
    for (const [id, { atMs }] of sent) if (nowMs - atMs > againMs) sent.delete(id);
    const [next] = await store.read("SELECT MIN(wake_at_ms) AS at FROM runs WHERE wake_at_ms > ?", [nowMs]);
    return (next?.["at"] as number | null | undefined) ?? undefined;
  }

  function isNew({ id, wakeAtMs }: { readonly id: string; readonly wakeAtMs: number }): boolean {
    return sent.get(id)?.wakeAtMs !== wakeAtMs;
  }

  function tell(error: unknown): undefined {
    logger.debug({ error: errorMessage(error) }, "wake-ups could not be put into Redis");
  }
}
