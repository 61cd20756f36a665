/** Asks a candidate policy what another one was asked before, and groups what would be different. */
import type { CompiledPolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import { decideAll } from "../rules/decide-all.ts";
import type { Decision } from "../rules/decision.ts";
import type { RecordedAction } from "../rules/recorded-action.ts";

type Effect = Decision["effect"];

/** One action whose effect would change. */
export interface ChangedAction {
  readonly runId: string;
  readonly step: string;
  readonly seq: number;
  readonly atMs: number;
  readonly action: string;
  readonly resource: string;
  readonly from: Effect;
  readonly to: Effect;
  /** The candidate's reason. */
  readonly reason: string;
}

export interface ChangeGroup {
  readonly from: Effect;
  readonly to: Effect;
  readonly count: number;
  readonly examples: readonly ChangedAction[];
}

export interface DryRunReport {
  readonly actions: number;
  readonly changed: number;
  /** Recorded by older versions, without role and user: judged by what is known. */
  readonly incomplete: number;
  /** Runs whose bodies were erased. */
  readonly erasedRuns: number;
  /** Loosest changes first: those are what a reviewer looks for. */
  readonly groups: readonly ChangeGroup[];
  /** Every rule of the candidate with how many actions it matched, in the order of the file. */
  readonly rules: readonly { readonly name: string; readonly line: number; readonly hits: number }[];
}

export interface DryRun {
  /** Answers with the change, if there is one. Cost: that of a decision. */
  take(action: RecordedAction): ChangedAction | undefined;
  skipErased(): void;
  counts(): { readonly actions: number; readonly changed: number };
  report(): DryRunReport;
}

const strictness: Readonly<Record<Effect, number>> = { allow: 0, ask: 1, deny: 2 };

export interface DryRunOptions {
  /** Compare with what this one says now instead of what was recorded. */
  readonly baseline?: CompiledPolicy | undefined;
  /** Examples kept of each group; 5 by default. */
  readonly examples?: number | undefined;
}

export function createDryRun(
  candidate: CompiledPolicy,
  { baseline, examples = 5 }: DryRunOptions = {},
): DryRun {
  const groups = new Map<string, { from: Effect; to: Effect; count: number; examples: ChangedAction[] }>();
  const hits = new Map<string, number>();
  const counts = { actions: 0, changed: 0, incomplete: 0, erasedRuns: 0 };
  return {
    take(action) {
      counts.actions += 1;
      if (!action.isComplete) counts.incomplete += 1;
      const { request, resources } = action;
      const decision = decideAll(request, resources, (each) => {
        const found = decide(candidate, each);
        for (const { name } of found.matched) hits.set(name, (hits.get(name) ?? 0) + 1);
        return found;
      });
      const from =
        baseline === undefined
          ? action.recorded.effect
          : decideAll(request, resources, (each) => decide(baseline, each)).effect;
      if (from === decision.effect) return undefined;
      counts.changed += 1;
      const change = changeOf(action, from, decision);
      const key = `${from} ${decision.effect}`;
      const group = groups.get(key) ?? { from, to: decision.effect, count: 0, examples: [] };
      groups.set(key, group);
      group.count += 1;
      if (group.examples.length < examples) group.examples.push(change);
      return change;
    },
    skipErased() {
      counts.erasedRuns += 1;
    },
    counts: () => ({ ...counts }),
    report: () => ({
      ...counts,
      groups: [...groups.values()].sort(
        (a, b) =>
          strictness[a.to] - strictness[a.from] - (strictness[b.to] - strictness[b.from]) ||
          b.count - a.count,
      ),
      rules: candidate.rules.map(({ name, line }) => ({ name, line, hits: hits.get(name) ?? 0 })),
    }),
  };
}

function changeOf(
  { runId, step, seq, atMs, request, resources }: RecordedAction,
  from: Effect,
  { effect: to, reason }: Decision,
): ChangedAction {
  return { runId, step, seq, atMs, action: request.action, resource: resources[0]!, from, to, reason };
}
