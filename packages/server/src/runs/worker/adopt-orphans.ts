/** Ends leases that nobody works under any more, and asks for their runs to be taken again. */
import type { Clock } from "../../base/clock.ts";
import { isHomeostatError } from "../../base/error.ts";
import { delayRun, wakeRun } from "../../queue/run-row.ts";
import { pauseAfterCrashMs } from "../../queue/vain-claims.ts";
import { endLease } from "../../store/lease.ts";
import type { Row, Statement, Store } from "../../store/store.ts";
import type { OverlongLeases, SeenLease } from "./overlong-leases.ts";

export interface OrphanDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly overlong: OverlongLeases;
  /** True while this process works on the run, or may be about to. */
  readonly isHeldHere: (runId: string) => boolean;
  /** 0 to 1. */
  readonly random: () => number;
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
  const orphans = rows.filter((row) => isOrphan(row["name"] as string, row["owner"] as string));
  await Promise.all(orphans.map((row) => takeAway(row, deps)));
}

/** A batch for each: one that has got on meanwhile, and so is no orphan, is no hindrance for the others. */
async function takeAway(row: Row, { store, clock, random }: OrphanDeps): Promise<void> {
  const seen = seenLease(row);
  const pauseMs = Math.round(pauseAfterCrashMs(row["claims"] as number, random()));
  // Due by any clock: this one may have jumped ahead, and once it is back nobody would look before the time it wrote.
  const again = pauseMs === 0 ? wakeRun(seen.runId, 0) : delayRun(seen.runId, clock.now() + pauseMs);
  try {
    await store.write([endLease({ ...seen, owner: row["owner"] as string }), stillAt(seen), again]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
  }
}

/** Whoever has appended since may have begun an act, which an epoch does not call back. */
function stillAt({ runId, headSeq }: SeenLease): Statement {
  return {
    sql: "UPDATE runs SET head_seq = head_seq WHERE id = ? AND head_seq = ?",
    params: [runId, headSeq],
    expect: { rows: 1, guard: "journal-head" },
  };
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
