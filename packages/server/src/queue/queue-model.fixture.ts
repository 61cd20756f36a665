/** A queue in memory, as simple as it can be said: what the tables and their claims have to agree with. */
import type { Limit, QueueLimits } from "./limits.ts";
import type { Priority } from "./task.ts";
import { priorities } from "./task.ts";

export interface ModelRun {
  readonly id: string;
  readonly tenant: string;
  readonly workflow: string;
  readonly priority: Priority;
  /** Null: never by itself. */
  wakeAtMs: number | null;
  headSeq: number;
  stepsDone: number;
  hasBegun: boolean;
  isEnded: boolean;
  claims: number;
  claimedSteps: number;
  claimedAtMs: number | null;
  lease: { owner: string; epoch: number; untilMs: number };
}

export interface QueueModel {
  nowMs: number;
  readonly runs: Map<string, ModelRun>;
  readonly keys: Map<string, { runId: string; untilMs: number }>;
}

export interface ModelRules {
  readonly limits: QueueLimits;
  readonly agingMs: number;
  readonly leaseTtlMs: number;
}

export function isHeld({ lease }: ModelRun, nowMs: number): boolean {
  return lease.owner !== "" && lease.untilMs > nowMs;
}

/** Due and free, in the order in which they should be taken. */
export function takeable(model: QueueModel, { agingMs }: ModelRules): readonly ModelRun[] {
  const { nowMs } = model;
  const lane = ({ priority, wakeAtMs }: ModelRun): number =>
    Math.max(0, priorities[priority] - (agingMs === 0 ? 0 : Math.floor((nowMs - wakeAtMs!) / agingMs)));
  return [...model.runs.values()]
    .filter((run) => run.wakeAtMs !== null && run.wakeAtMs <= nowMs && !isHeld(run, nowMs))
    .toSorted((a, b) => lane(a) - lane(b) || a.wakeAtMs! - b.wakeAtMs! || (a.id < b.id ? -1 : 1));
}

/** True when every limit has room for the run. */
export function hasRoom(model: QueueModel, run: ModelRun, { limits }: ModelRules): boolean {
  const all = [...model.runs.values()];
  const groups = [
    { limit: limitOf(limits.tenants, run.tenant), mine: all.filter(({ tenant }) => tenant === run.tenant) },
    {
      limit: limitOf(limits.workflows, run.workflow),
      mine: all.filter((each) => each.tenant === run.tenant && each.workflow === run.workflow),
    },
  ];
  const begins = run.claimedAtMs === null && !run.hasBegun;
  return groups.every(({ limit, mine }) => {
    const held = mine.filter((each) => isHeld(each, model.nowMs)).length;
    if (limit.concurrency !== undefined && held >= limit.concurrency) return false;
    if (limit.rate === undefined || !begins) return true;
    const { count, windowMs } = limit.rate;
    const begun = mine.filter(
      ({ claimedAtMs }) => claimedAtMs !== null && claimedAtMs + windowMs > model.nowMs,
    );
    return begun.length < count;
  });
}

function limitOf(table: QueueLimits["tenants"], name: string): Limit {
  const [own, standard] = [table[name] ?? {}, table["*"] ?? {}];
  return { concurrency: own.concurrency ?? standard.concurrency, rate: own.rate ?? standard.rate };
}

/** The greedy claim: down the line, whoever fits. Gives the ids that would be taken, and takes nothing. */
export function greedyClaim(model: QueueModel, rules: ModelRules, count: number): readonly string[] {
  const copy: QueueModel = {
    ...model,
    runs: new Map([...model.runs].map(([id, run]) => [id, { ...run, lease: { ...run.lease } }])),
  };
  const taken: string[] = [];
  for (const run of takeable(copy, rules)) {
    if (taken.length >= count || !hasRoom(copy, run, rules)) continue;
    applyClaim(copy, run, { owner: "model", rules });
    taken.push(run.id);
  }
  return taken.toSorted();
}

export function applyClaim(
  model: QueueModel,
  run: ModelRun,
  { owner, rules }: { readonly owner: string; readonly rules: ModelRules },
): void {
  run.lease = { owner, epoch: run.lease.epoch + 1, untilMs: model.nowMs + rules.leaseTtlMs };
  run.wakeAtMs = run.lease.untilMs;
  run.claims = run.stepsDone > run.claimedSteps ? 1 : run.claims + 1;
  run.claimedSteps = run.stepsDone;
  if (hasRates(rules.limits)) run.claimedAtMs ??= model.nowMs;
}

function hasRates({ tenants, workflows }: QueueLimits): boolean {
  return [...Object.values(tenants), ...Object.values(workflows)].some(({ rate }) => rate !== undefined);
}
