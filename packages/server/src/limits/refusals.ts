/** What limits have held back in this process, for people: how often each, and when last. */
import type { Clock } from "../base/clock.ts";
import type { LimitKind } from "./limits.ts";

export interface Refusals {
  readonly kind: LimitKind;
  /** Name of the configured limit, or whose rate of policy it is. */
  readonly limit: string;
  readonly count: number;
  readonly lastAtMs: number;
}

export interface RefusalCount {
  add(kind: LimitKind, limit: string): void;
  /** Those that held something back last come first. */
  all(): readonly Refusals[];
}

/** At most `maxLimits` are remembered: policy's rates have as many names as there are agents and tools. */
export function createRefusalCount(clock: Clock, maxLimits = 1_000): RefusalCount {
  const counts = new Map<string, Refusals>();
  return {
    add(kind, limit) {
      const key = `${kind} ${limit}`;
      const count = (counts.get(key)?.count ?? 0) + 1;
      counts.delete(key);
      counts.set(key, { kind, limit, count, lastAtMs: clock.now() });
      if (counts.size > maxLimits) counts.delete(counts.keys().next().value!);
    },
    all: () => [...counts.values()].toReversed(),
  };
}
