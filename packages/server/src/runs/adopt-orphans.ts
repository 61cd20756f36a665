/** Ends leases that nobody works under any more, and asks for their runs to be taken again. */
import type { Clock } from "../base/clock.ts";
import { delayRun, wakeRun } from "../queue/run-row.ts";
import { pauseAfterCrashMs } from "../queue/vain-claims.ts";
import { endLease } from "../store/lease.ts";
import type { Row, Store } from "../store/store.ts";
import type { OverlongLeases, SeenLease } from "./overlong-leases.ts";

export interface OrphanDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly overlong: OverlongLeases;
  /** True while this process works on the run, or may be about to. */
  readonly isHeldHere: (runId: string) => boolean;
}

/**
 * Runs whose holder is provably gone, was a session of this process that ended badly, or has not got on for longer than it may
 * take, may be taken again. Throws STORE_UNAVAILABLE.
 */
export async function adoptOrphans(deps: OrphanDeps): Promise<void> {
  const { store, clock } = deps;
  const rows = await store.read(
    `SELECT l.name, l.owner, l.epoch, l.until_ms, r.claims, r.head_seq FROM leases AS l JOIN runs AS r ON r.id = substr(l.name, 5)
      WHERE l.owner <> '' AND l.until_ms > ? AND l.name LIKE 'run/%'`,
    [clock.now()],
  );
  const others = rows.filter((row) => row["owner"] !== deps.owner).map(seenLease);
  const now = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  const overlong = await deps.overlong.judge(others, now);
  const isOrphan = (name: string, owner: string): boolean =>
    owner === deps.owner ? !deps.isHeldHere(runOf(name)) : deps.isOwnerDead(owner) || overlong.has(name);
  const statements = rows.flatMap((row) => {
    const [name, owner, epoch] = [row["name"] as string, row["owner"] as string, row["epoch"] as number];
    if (!isOrphan(name, owner)) return [];
    const pauseMs = pauseAfterCrashMs(row["claims"] as number);
    const again = (pauseMs === 0 ? wakeRun : delayRun)(runOf(name), clock.now() + pauseMs);
    return [endLease({ name, owner, epoch }), again];
  });
  if (statements.length > 0) await store.write(statements);
}

const leasePrefix = "run/";

export function leaseName(runId: string): string {
  return `${leasePrefix}${runId}`;
}

function runOf(name: string): string {
  return name.slice(leasePrefix.length);
}

function seenLease(row: Row): SeenLease {
  const name = row["name"] as string;
  return {
    ...{ name, runId: runOf(name), epoch: row["epoch"] as number },
    untilMs: row["until_ms"] as number,
    headSeq: row["head_seq"] as number,
  };
}
