/** Groups what a candidate policy would have decided otherwise, while the changes still come in. Pure. */
import type { RuleEffect } from "../../api/contract.ts";

export interface Change {
  readonly runId: string;
  readonly step: string;
  readonly at: string;
  readonly action: string;
  readonly resource: string;
  readonly from: RuleEffect;
  readonly to: RuleEffect;
  readonly reason: string;
}

export interface ChangeGroup {
  readonly from: RuleEffect;
  readonly to: RuleEffect;
  readonly count: number;
  readonly examples: readonly Change[];
}

const strictness: Readonly<Record<RuleEffect, number>> = { allow: 0, ask: 1, deny: 2 };

/** With the change added: loosest groups first, as a reviewer looks for them. `most` examples are kept of each. */
export function addChange(groups: readonly ChangeGroup[], change: Change, most = 20): readonly ChangeGroup[] {
  const { from, to } = change;
  const isSame = (group: ChangeGroup): boolean => group.from === from && group.to === to;
  const old = groups.find(isSame) ?? { from, to, count: 0, examples: [] };
  const examples = old.examples.length < most ? [...old.examples, change] : old.examples;
  return [...groups.filter((group) => !isSame(group)), { from, to, count: old.count + 1, examples }].sort(
    (a, b) => step(a) - step(b) || b.count - a.count,
  );
}

/** `looser` when less is asked or denied than before. */
export function directionOf({ from, to }: Pick<ChangeGroup, "from" | "to">): "looser" | "stricter" {
  return strictness[to] < strictness[from] ? "looser" : "stricter";
}

/** How often each action is among the examples, most frequent first. */
export function actionsOf(
  examples: readonly Pick<Change, "action">[],
): readonly { readonly action: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { action } of examples) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, count]) => ({ action, count })).sort((a, b) => b.count - a.count);
}

function step({ from, to }: Pick<ChangeGroup, "from" | "to">): number {
  return strictness[to] - strictness[from];
}
