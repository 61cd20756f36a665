/** What was decided and what would be: two effects with an arrow that is read out as a word. */
import type { ReactElement } from "react";
import type { RuleEffect } from "../api/contract.ts";
import { effectLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";

export function EffectChange({
  from,
  to,
}: {
  readonly from: RuleEffect;
  readonly to: RuleEffect;
}): ReactElement {
  return (
    <span className="cluster effect-change">
      <StateBadge look={effectLooks[from]} />
      <span aria-hidden="true">→</span>
      <span className="visually-hidden">becomes</span>
      <StateBadge look={effectLooks[to]} />
    </span>
  );
}
