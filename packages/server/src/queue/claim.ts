/** Taking due runs: one batch that picks them in order, keeps the limits and takes their leases, the same text on every database. */
import type { Lease } from "../store/lease.ts";
import type { Statement, StatementResult, Store } from "../store/store.ts";
import { begins, hasRates, limitParts, noLimits } from "./limits.ts";
import type { QueueLimits } from "./limits.ts";
import { runFromStore } from "./run-row.ts";
import type { StoredRun } from "./run-row.ts";
import { joined, nothing, now, plain, send, sql } from "./sql-part.ts";
import type { Sending, SqlPart } from "./sql-part.ts";
import { priorities } from "./task.ts";
import { needsMet } from "./worker-registry.ts";
import type { Need } from "./worker-registry.ts";

export interface ClaimSettings {
  /** Who takes; see process-identity.ts. */
  readonly owner: string;
  readonly leaseTtlMs: number;
  /** What this process has for runs that need something. */
  readonly offers?: readonly Need[];
  readonly limits?: QueueLimits;
  /** A run that was due for so long moves up a lane, so that a full lane starves nobody below it. 0: never. */
  readonly agingMs?: number;
}

export interface TakenRun {
  readonly row: StoredRun;
  readonly lease: Lease;
  /** Who had the run before and did not let go; "" when nobody did. */
  readonly previousOwner: string;
}

export interface Claims {
  /** True when something may be due: a look that writes nothing and takes no lock. */
  mayTake(nowMs: number): Promise<boolean>;
  /**
   * Takes up to `limit` due runs, high lane first and longest due first within a lane. No two processes ever get the same run: batches
   * run one after the other on every database. Throws what `write` throws; then nothing was taken.
   */
  take(limit: number, nowMs: number): Promise<readonly TakenRun[]>;
  /**
   * A run for a place that the batch just handed to the store makes free; undefined when nothing is due. All places of one turn are
   * filled by one claim, which the store commits together with those batches. Throws as `take`.
   */
  takeNext(nowMs: number): Promise<TakenRun | undefined>;
}

const defaultAgingMs: number = 10 * 60_000;

export function createClaims(store: Pick<Store, "read" | "write">, settings: ClaimSettings): Claims {
  let claims = 0;
  let places: Pick<PromiseWithResolvers<TakenRun | undefined>, "resolve" | "reject">[] = [];
  // Put together once for each limit, of which there are as many as places.
  const byLimit = new Map<number, readonly SqlPart[]>();
  return {
    async mayTake(nowMs) {
      const { sql: text, params } = send(mayBeDue, { nowMs, claim: claims });
      return (await store.read(text, params)).length > 0;
    },
    take,
    takeNext: (nowMs) =>
      new Promise((resolve, reject) => {
        if (places.push({ resolve, reject }) === 1) queueMicrotask(() => void fillPlaces(nowMs));
      }),
  };

  async function take(limit: number, nowMs: number): Promise<readonly TakenRun[]> {
    claims += 1;
    const sending = { nowMs, claim: claims };
    const parts = byLimit.get(limit) ?? claimParts(settings, limit);
    byLimit.set(limit, parts);
    const results = await store.write(parts.map((part) => send(part, sending)));
    return takenOf(results, settings, nowMs);
  }

  async function fillPlaces(nowMs: number): Promise<void> {
    const filled = places;
    places = [];
    try {
      const taken = await take(filled.length, nowMs);
      filled.forEach(({ resolve }, index) => resolve(taken[index]));
    } catch (error) {
      for (const { reject } of filled) reject(error);
    }
  }
}

const isTaken = "EXISTS (SELECT 1 FROM leases WHERE name = 'run/' || runs.id AND owner <> '')";

const mayBeDue: SqlPart = sql`SELECT 1 AS due WHERE ${joined(
  Object.values(priorities).map(
    (lane) => sql`EXISTS (SELECT 1 FROM runs WHERE priority = ${plain(lane)} AND wake_at_ms <= ${now})`,
  ),
  " OR ",
)}`;

/**
 * The first takes the leases, the second marks the runs. Why there is no FOR UPDATE SKIP LOCKED: on PostgreSQL too groups of batches
 * run one after the other (see store/postgres/postgres-commit.ts), so there is never a locked row to skip, and the limits, which count
 * what others hold, could not be kept without that order.
 */
function claimParts(settings: ClaimSettings, limit: number): readonly SqlPart[] {
  const { owner, leaseTtlMs } = settings;
  const untilMs = ({ nowMs }: Sending): number => nowMs + leaseTtlMs;
  const claim = (sending: Sending): number => sending.claim;
  const take = sql`WITH ${pickedRuns(settings, limit)}
    INSERT INTO leases (name, owner, epoch, until_ms, claim)
    SELECT 'run/' || id, ${owner}, 1, ${untilMs}, ${claim} FROM picked WHERE 1 = 1
    ON CONFLICT (name) DO UPDATE SET previous_owner = leases.owner, owner = excluded.owner,
      epoch = leases.epoch + 1, until_ms = excluded.until_ms, claim = excluded.claim
    RETURNING substr(name, 5) AS id, epoch, previous_owner`;
  // Due again when the lease ends, so that what a taker that died leaves is found. Until then no look has to pass over it; whoever holds it
  // for longer keeps others off by the renewed lease.
  const claimedAt = hasRates(settings.limits ?? noLimits)
    ? sql` claimed_at_ms = COALESCE(claimed_at_ms, ${now}),`
    : nothing;
  const mark = sql`UPDATE runs SET${claimedAt} wake_at_ms = ${untilMs},
      claims = CASE WHEN steps_done > claimed_steps THEN 1 ELSE claims + 1 END, claimed_steps = steps_done
    WHERE id IN (SELECT substr(name, 5) FROM leases
      WHERE until_ms = ${untilMs} AND owner <> '' AND owner = ${owner} AND claim = ${claim})
    RETURNING *`;
  return [take, mark];
}

function pickedRuns(settings: ClaimSettings, limit: number): SqlPart {
  const limits = limitParts(settings.limits ?? noLimits);
  // With limits some of what is read may have to stay; what has nothing left at all is not read, so every claim gets on.
  const readAhead = limits === undefined ? limit : limit * 4 + 64;
  const lanes = Object.values(priorities).map(
    (lane) => sql`SELECT * FROM (SELECT id, tenant, workflow_name, wake_at_ms, ${plain(begins)} AS begins,
        ${laneNow(lane, settings.agingMs ?? defaultAgingMs)} AS lane
      FROM runs WHERE priority = ${plain(lane)} AND wake_at_ms <= ${now}
        AND NOT EXISTS (SELECT 1 FROM leases WHERE name = 'run/' || runs.id AND owner <> '' AND until_ms > ${now})
        AND ${needsMet({ owner: settings.owner, offers: settings.offers ?? [] })}${limits?.open ?? nothing}
      ORDER BY wake_at_ms, id LIMIT ${plain(readAhead)}) AS ${plain(`lane${lane}`)}`,
  );
  return sql`${limits?.tables ?? nothing}due AS (${joined(lanes, " UNION ALL ")})${limits?.narrowing ?? nothing},
    picked AS (SELECT id FROM ${plain(limits?.result ?? "due")} ORDER BY lane, wake_at_ms, id LIMIT ${plain(limit)})`;
}

/** The lane in which a run stands by now. Within a lane the longest due come first, so each lane's head is all that can move up. */
function laneNow(lane: number, agingMs: number): SqlPart {
  if (agingMs === 0 || lane === 0) return plain(lane);
  const steps = Array.from({ length: lane }, (_, up) => lane - up);
  const cases = steps.map((up) => {
    const dueSince = ({ nowMs }: Sending): number => nowMs - up * agingMs;
    return sql` WHEN wake_at_ms <= ${dueSince} THEN ${plain(lane - up)}`;
  });
  return sql`CASE${joined(cases, "")} ELSE ${plain(lane)} END`;
}

/** For a copy of the database before all its leases are freed: what was taken would else wait for the end of a lease that nobody has. */
export function wakeTaken(nowMs: number): Statement {
  return {
    sql: `UPDATE runs SET wake_at_ms = ? WHERE state = 'RUNNING' OR (wake_at_ms > ? AND ${isTaken})`,
    params: [nowMs, nowMs],
  };
}

/** The same for rows that a move brings into another database, where nobody holds a lease. See `MoveOptions.arriving`. */
export const arrivingRuns: Readonly<Record<string, string>> = {
  wake_at_ms: `CASE WHEN wake_at_ms IS NOT NULL AND ${isTaken} THEN 0 ELSE wake_at_ms END AS wake_at_ms`,
};

function takenOf(
  [leases, runs]: readonly StatementResult[],
  { owner, leaseTtlMs }: ClaimSettings,
  nowMs: number,
): readonly TakenRun[] {
  const rows = new Map((runs?.rows ?? []).map((row) => [row["id"], runFromStore(row)]));
  return (leases?.rows ?? []).map((row) => ({
    row: rows.get(row["id"]!)!,
    lease: {
      name: `run/${row["id"] as string}`,
      owner,
      epoch: row["epoch"] as number,
      ttlMs: leaseTtlMs,
      untilMs: nowMs + leaseTtlMs,
    },
    previousOwner: row["previous_owner"] as string,
  }));
}
