/** Where the words of a failure come from: a failed program, or what it talked to, wrote them. Pure. */
import { isTrustedLabel } from "../../gate/labels.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { AnyTool } from "../../tools/tool.ts";
import type { ActionIntent } from "../journal/event.ts";

/** `answered`: of an answer that was refused and of which the error may speak. */
export function failureLabels(
  tool: Pick<AnyTool, "failureLabels"> | undefined,
  { args }: Pick<ActionIntent, "args">,
  answered: readonly OriginLabel[] = [],
): readonly OriginLabel[] {
  const more = [...(tool?.failureLabels?.(args) ?? []), ...answered];
  return [...new Set<OriginLabel>(["tool", ...more.filter((label) => !isTrustedLabel(label))])].sort();
}
