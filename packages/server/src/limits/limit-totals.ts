/** The reports of several processes as one: what is used, held back and broken altogether. Pure. */
import { rank } from "./limit-report.ts";
import type { LimitReport, ReportedBucket } from "./limit-report.ts";

/** `processes`: how many have one of their own, of which the figures are the sums; null for one that all share. */
interface Of {
  readonly processes: number | null;
}

export interface LimitTotals {
  readonly buckets: readonly (ReportedBucket & Of)[];
  readonly bulkheads: readonly (LimitReport["bulkheads"][number] & Of)[];
  readonly refusals: LimitReport["refusals"];
  /** The worst state that a process has it in, the most failures, the latest end. */
  readonly breakers: readonly (LimitReport["breakers"][number] & Of)[];
}

/** `shared` are buckets that all processes draw on together. */
export function totalsOf(reports: readonly LimitReport[], shared: readonly ReportedBucket[]): LimitTotals {
  return {
    buckets: [
      ...shared.map((bucket) => ({ ...bucket, processes: null })),
      ...merged(
        reports.flatMap(({ buckets }) => buckets),
        ({ key }) => key,
        (all) => ({
          ...all[0],
          left: Math.round(sum(all.map(({ left }) => left)) * 100) / 100,
          count: sum(all.map(({ count }) => count)),
          processes: all.length,
        }),
      ),
    ],
    bulkheads: merged(
      reports.flatMap(({ bulkheads }) => bulkheads),
      ({ key }) => key,
      (all) => ({
        key: all[0].key,
        inUse: sum(all.map(({ inUse }) => inUse)),
        atOnce: sum(all.map(({ atOnce }) => atOnce)),
        waiting: sum(all.map(({ waiting }) => waiting)),
        line: sum(all.map(({ line }) => line)),
        refused: sum(all.map(({ refused }) => refused)),
        processes: all.length,
      }),
    ),
    refusals: merged(
      reports.flatMap(({ refusals }) => refusals),
      ({ kind, limit }) => `${kind} ${limit}`,
      (all) => ({
        ...all[0],
        count: sum(all.map(({ count }) => count)),
        lastAtMs: Math.max(...all.map(({ lastAtMs }) => lastAtMs)),
      }),
    ).toSorted((a, b) => b.lastAtMs - a.lastAtMs),
    breakers: merged(
      reports.flatMap(({ breakers }) => breakers),
      ({ target }) => target,
      (all) => {
        const worst = all.toSorted((a, b) => rank(a.state) - rank(b.state))[0]!;
        const ends = all.map(({ openUntilMs }) => openUntilMs).filter((end) => end !== null);
        return {
          ...worst,
          failures: Math.max(...all.map(({ failures }) => failures)),
          openUntilMs: ends.length === 0 ? null : Math.max(...ends),
          processes: all.length,
        };
      },
    ).toSorted((a, b) => rank(a.state) - rank(b.state)),
  };
}

/** One entry for those of one key, in the order of their first. */
function merged<From, To>(
  entries: readonly From[],
  keyOf: (entry: From) => string,
  merge: (all: readonly [From, ...From[]]) => To,
): To[] {
  const groups = new Map<string, [From, ...From[]]>();
  for (const entry of entries) {
    const group = groups.get(keyOf(entry));
    if (group === undefined) groups.set(keyOf(entry), [entry]);
    else group.push(entry);
  }
  return [...groups.values()].map(merge);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
