/** Each rule with what reached it: recorded actions and test cases. Pure. */
import type { PolicyRule } from "../../api/contract.ts";

export interface CoverageRow extends Pick<PolicyRule, "name" | "effect" | "line" | "file"> {
  /** Recorded actions it matched; null: not counted. */
  readonly hits: number | null;
  /** Null: no cases were run. */
  readonly isTested: boolean | null;
  /** Something was counted, and nothing reached it. */
  readonly isUnused: boolean;
}

interface Named {
  readonly name: string;
}

/** Rules that nothing reached come first, in the order of the file. */
export function coverageRows(
  rules: readonly Pick<PolicyRule, "name" | "effect" | "line" | "file">[],
  seen: {
    readonly hits: readonly (Named & { readonly hits: number })[] | undefined;
    readonly missed: readonly Named[] | undefined;
  },
): readonly CoverageRow[] {
  const rows = rules.map(({ name, effect, line, file }): CoverageRow => {
    const hits = seen.hits === undefined ? null : (seen.hits.find((each) => each.name === name)?.hits ?? 0);
    const isTested = seen.missed === undefined ? null : !seen.missed.some((each) => each.name === name);
    const isUnused = (hits !== null || isTested !== null) && (hits ?? 0) === 0 && isTested !== true;
    return { name, effect, line, file, hits, isTested, isUnused };
  });
  return rows.toSorted((a, b) => Number(b.isUnused) - Number(a.isUnused));
}
