/** How full the queue is for one tenant: its lanes, and how far the limits of tenant and workflows are used. Reads only. */
import type { Row, Store } from "../store/store.ts";
import type { Limit, LimitTable, QueueLimits } from "./limits.ts";
import { priorities } from "./task.ts";
import type { Priority } from "./task.ts";

export interface LaneLevel {
  readonly priority: Priority;
  /** Could be taken now, by what their own times say. */
  readonly due: number;
  /** Have a time that is still to come. */
  readonly later: number;
  /** A worker has them. */
  readonly held: number;
  /** Since when the longest due one has been due; null when none is. */
  readonly oldestDueAtMs: number | null;
}

export interface LimitLevel {
  readonly scope: "tenant" | "workflow";
  readonly name: string;
  readonly limit: Limit;
  readonly held: number;
  /** Began within the stretch of the rate; null without one. */
  readonly begun: number | null;
  readonly due: number;
}

export interface QueueLevels {
  readonly lanes: readonly LaneLevel[];
  /** Those that have a limit, and of them those with something due, held or begun. */
  readonly limits: readonly LimitLevel[];
}

export interface LevelsQuery {
  readonly tenant: string;
  readonly limits: QueueLimits;
  readonly nowMs: number;
}

/** Cost: reads the runs that have a time to be looked at, and those that began within the longest rate. */
export async function readQueueLevels(
  store: Pick<Store, "read">,
  { tenant, limits, nowMs }: LevelsQuery,
): Promise<QueueLevels> {
  const rows = await store.read(
    `SELECT r.priority, r.workflow_name, COUNT(l.name) AS held,
        COUNT(CASE WHEN l.name IS NULL AND r.wake_at_ms <= ? THEN 1 END) AS due,
        COUNT(CASE WHEN l.name IS NULL AND r.wake_at_ms > ? THEN 1 END) AS later,
        MIN(CASE WHEN l.name IS NULL AND r.wake_at_ms <= ? THEN r.wake_at_ms END) AS oldest
      FROM runs AS r LEFT JOIN leases AS l ON l.name = 'run/' || r.id AND l.owner <> '' AND l.until_ms > ?
      WHERE r.tenant = ? AND r.wake_at_ms IS NOT NULL
      GROUP BY r.priority, r.workflow_name`,
    [nowMs, nowMs, nowMs, nowMs, tenant],
  );
  const groups = rows.map(groupOf);
  const begun = await readBegun(store, { tenant, limits, nowMs });
  return { lanes: lanesOf(groups), limits: levelsOf(groups, begun, { tenant, limits, nowMs }) };
}

interface Group {
  readonly lane: number;
  readonly workflow: string;
  readonly held: number;
  readonly due: number;
  readonly later: number;
  readonly oldestMs: number | null;
}

function groupOf(row: Row): Group {
  return {
    lane: Number(row["priority"]),
    workflow: row["workflow_name"] as string,
    held: Number(row["held"]),
    due: Number(row["due"]),
    later: Number(row["later"]),
    oldestMs: row["oldest"] === null ? null : Number(row["oldest"]),
  };
}

/** Runs that began, by workflow, for each stretch of time that some rate speaks of. */
type Begun = ReadonlyMap<number, ReadonlyMap<string, number>>;

async function readBegun(store: Pick<Store, "read">, { tenant, limits, nowMs }: LevelsQuery): Promise<Begun> {
  const rules = [...Object.values(limits.tenants), ...Object.values(limits.workflows)];
  const windows = new Set(rules.flatMap(({ rate }) => (rate === undefined ? [] : [rate.windowMs])));
  const begun = new Map<number, Map<string, number>>();
  for (const windowMs of windows) {
    const rows = await store.read(
      `SELECT workflow_name, COUNT(*) AS begun FROM runs
        WHERE tenant = ? AND claimed_at_ms > ? GROUP BY workflow_name`,
      [tenant, nowMs - windowMs],
    );
    begun.set(windowMs, new Map(rows.map((row) => [row["workflow_name"] as string, Number(row["begun"])])));
  }
  return begun;
}

function lanesOf(groups: readonly Group[]): readonly LaneLevel[] {
  return (Object.keys(priorities) as Priority[]).map((priority) => {
    const lane = groups.filter((group) => group.lane === priorities[priority]);
    const oldest = lane.flatMap(({ oldestMs }) => oldestMs ?? []);
    return {
      priority,
      due: sum(lane.map(({ due }) => due)),
      later: sum(lane.map(({ later }) => later)),
      held: sum(lane.map(({ held }) => held)),
      oldestDueAtMs: oldest.length === 0 ? null : Math.min(...oldest),
    };
  });
}

function levelsOf(groups: readonly Group[], begun: Begun, query: LevelsQuery): readonly LimitLevel[] {
  const { tenant, limits } = query;
  const workflows = new Set([
    ...groups.map(({ workflow }) => workflow),
    ...[...begun.values()].flatMap((counts) => [...counts.keys()]),
  ]);
  const levels = [...workflows]
    .toSorted()
    .map((name) => levelOf({ scope: "workflow", name, limit: limitFor(limits.workflows, name) }, name));
  const whole = levelOf({ scope: "tenant", name: tenant, limit: limitFor(limits.tenants, tenant) }, null);
  return [whole, ...levels].filter(
    ({ limit }) => limit.concurrency !== undefined || limit.rate !== undefined,
  );

  function levelOf(scope: Pick<LimitLevel, "scope" | "name" | "limit">, workflow: string | null): LimitLevel {
    const counted = groups.filter((group) => workflow === null || group.workflow === workflow);
    const counts = scope.limit.rate && begun.get(scope.limit.rate.windowMs);
    const began = counts && (workflow === null ? sum([...counts.values()]) : (counts.get(workflow) ?? 0));
    return {
      ...scope,
      held: sum(counted.map(({ held }) => held)),
      due: sum(counted.map(({ due }) => due)),
      begun: began ?? null,
    };
  }
}

/** A limit of its own takes from `*` what it leaves open. */
function limitFor(table: LimitTable, name: string): Limit {
  const own = Object.hasOwn(table, name) ? table[name] : undefined;
  return {
    concurrency: own?.concurrency ?? table["*"]?.concurrency,
    rate: own?.rate ?? table["*"]?.rate,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
