/** Finds runs that wait for an act to be over by a clock that had jumped ahead: measured, as overlong leases are, by a clock that does not. */
import type { Clock } from "../../base/clock.ts";
import type { Store } from "../../store/store.ts";
import { mayStillAct } from "../actions/lost-outcome.ts";
import type { OverlongLeases } from "./overlong-leases.ts";

export interface OverlongWaits {
  /** Ids of runs that have waited for as long as their act may take, and a lease more; cheap between its looks. */
  find(): Promise<readonly string[]>;
}

/** A look reads the waiting runs; they are not in a hurry. */
const lookEveryMs = 5_000;
const mostRuns = 1_000;

export function createOverlongWaits(deps: {
  readonly store: Pick<Store, "read">;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Of its own: it is given waits in place of leases. */
  readonly overlong: OverlongLeases;
}): OverlongWaits {
  const { store, clock, ttlMs, overlong } = deps;
  let lookedAtMs = -Infinity;
  return {
    async find() {
      const monotonicMs = clock.monotonic();
      if (monotonicMs - lookedAtMs < lookEveryMs) return [];
      lookedAtMs = monotonicMs;
      const wallMs = clock.now();
      const rows = await store.read(
        `SELECT id, wake_at_ms, head_seq FROM runs
          WHERE state = 'WAITING' AND wake_at_ms > ? AND replace(waiting, ?, '') <> waiting LIMIT ?`,
        [wallMs + ttlMs, JSON.stringify(mayStillAct), mostRuns],
      );
      const waits = rows.map((row) => ({
        ...{ name: row["id"] as string, runId: row["id"] as string, epoch: 0 },
        untilMs: row["wake_at_ms"] as number,
        headSeq: row["head_seq"] as number,
      }));
      return [...(await overlong.judge(waits, { wallMs, monotonicMs }))];
    },
  };
}
