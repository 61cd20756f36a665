/**
 * Finds leases that a wall clock made too long. A lease is reserved until the deadline of the act under way, by the clock of whoever
 * acts; where that clock had jumped ahead, nobody would take the run for as long as it had jumped. So those who wait measure by
 * their own monotonic clock: a run whose lease stayed the same and whose journal did not move for as long as its act may
 * take, and a lease's time more, has no holder that gets on. The epoch keeps whoever comes back from the journal, not from an act in
 * the world; so the lease is ended only if it and the journal are as they were seen, and who comes back later finds that its time is over.
 */
import type { Row, Store } from "../../store/store.ts";
import type { ActionIntent } from "../journal/event.ts";

export interface SeenLease {
  /** Of the lease, `run/<id>`. */
  readonly name: string;
  readonly runId: string;
  readonly epoch: number;
  readonly untilMs: number;
  readonly headSeq: number;
}

export interface OverlongLeases {
  /** Names of leases that nobody needs to wait out any more. `leases` are all that are held by others now. */
  judge(
    leases: readonly SeenLease[],
    now: { readonly wallMs: number; readonly monotonicMs: number },
  ): Promise<ReadonlySet<string>>;
}

interface Watched {
  readonly epoch: number;
  readonly headSeq: number;
  readonly sinceMs: number;
  mayTakeMs?: number;
}

export function createOverlongLeases(deps: {
  /** Of leases as they are taken and renewed. */
  readonly ttlMs: number;
  /** How long what the run does now may take at most. */
  readonly mayTakeMs: (runId: string) => Promise<number>;
}): OverlongLeases {
  const watched = new Map<string, Watched>();
  return {
    async judge(leases, { wallMs, monotonicMs }) {
      const over = new Set<string>();
      // What is renewed as usual ends soon by itself when nobody renews it.
      const reserved = leases.filter(({ untilMs }) => untilMs - wallMs > deps.ttlMs);
      const names = new Set(reserved.map(({ name }) => name));
      for (const name of watched.keys()) if (!names.has(name)) watched.delete(name);
      for (const { name, runId, epoch, headSeq } of reserved) {
        const seen = watched.get(name);
        if (seen === undefined || seen.epoch !== epoch || seen.headSeq !== headSeq) {
          watched.set(name, { epoch, headSeq, sinceMs: monotonicMs });
          continue;
        }
        seen.mayTakeMs ??= await deps.mayTakeMs(runId);
        if (monotonicMs - seen.sinceMs > seen.mayTakeMs + deps.ttlMs) over.add(name);
      }
      return over;
    },
  };
}

/** Branches may act side by side; more than these are not under way at once. */
const newestIntents = 16;

/** The longest that any of the newest acts of a run may take; `longestMs` where one does not say. */
export async function longestAct(
  store: Pick<Store, "read">,
  runId: string,
  longestMs: number,
): Promise<number> {
  const rows = await store.read(
    "SELECT body FROM journal WHERE run_id = ? AND kind = 'action.intended' ORDER BY seq DESC LIMIT ?",
    [runId, newestIntents],
  );
  return Math.max(0, ...rows.map((row) => mayTakeOf(row) ?? longestMs));
}

function mayTakeOf({ body }: Row): number | undefined {
  // A large body lies in a blob, which is not worth reading for this.
  if (typeof body !== "string") return undefined;
  return (JSON.parse(body) as { readonly intent: Pick<ActionIntent, "mayTakeMs"> }).intent.mayTakeMs;
}
