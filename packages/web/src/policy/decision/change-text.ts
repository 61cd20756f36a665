/** What policy took out of an action's texts, or quoted in them, in words. Pure. */
import type { StepDecision } from "../../api/contract.ts";
import { formatCount } from "../../format/quantity.ts";

export type TextChange = NonNullable<StepDecision["transformed"]>["changes"][number];

/** "1 passage (110 characters) left out". */
export function changeText({ handling, passages }: Pick<TextChange, "handling" | "passages">): string {
  const length = passages.reduce((sum, passage) => sum + passage.length, 0);
  const done = handling === "strip" ? "left out" : "quoted as a stranger's words";
  return `${formatCount(passages.length, "passage")} (${formatCount(length, "character")}) ${done}`;
}

/** Why: each reason once, those of the passage that reads most like an instruction first. */
export function changeReasons({ passages }: Pick<TextChange, "passages">): readonly string[] {
  const worstFirst = passages.toSorted((a, b) => b.score - a.score);
  return [...new Set(worstFirst.flatMap(({ reasons }) => reasons))];
}

/** Whose doing it was. */
export function rulesText(rules: readonly string[]): string {
  return rules.length === 1
    ? `Changed by the rule ${rules.join()}`
    : `Changed by the rules ${rules.join(", ")}`;
}
