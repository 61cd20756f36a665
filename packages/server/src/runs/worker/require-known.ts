/** Whether this program understands a run that another version of it has made: if not, the run is left to the other version. Pure. */
import { HomeostatError } from "../../base/error.ts";
import { expressionVersion } from "../../expression/expression.ts";
import { requiredTools } from "../../workflows/workflow.ts";
import type { WorkflowResult } from "../../workflows/workflow-file.ts";
import { stateVersion } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";

export interface Program {
  /** Absent: not told; then nothing counts as newer. */
  readonly version?: string;
  readonly knowsTool: (action: string) => boolean;
}

/**
 * Throws RUN_VERSION_UNKNOWN when a newer version made the run and this one lacks the meaning, the step kinds or the tools that its
 * text needs. What an older version made and this one refuses is not left to anybody: it ends in plain sight.
 */
export function requireKnown(
  { pins }: Pick<RunState, "pins">,
  parsed: WorkflowResult,
  program: Program,
): void {
  if (pins.stateVersion > stateVersion || pins.expressionVersion > expressionVersion)
    throw unknown("states or expressions of a newer version", pins.program);
  const { program: maker } = pins;
  if (maker === undefined || program.version === undefined || !isNewer(maker, program.version)) return;
  if (!parsed.ok) throw unknown("a workflow that this version cannot read", maker);
  const tool = requiredTools(parsed.workflow).find(({ action }) => !program.knowsTool(action));
  if (tool !== undefined)
    throw unknown(`the tool ${tool.action.slice(0, 80)}, which this version does not have`, maker);
}

function unknown(what: string, maker: string | undefined): HomeostatError {
  const by = maker === undefined ? "" : ` made by version ${maker}`;
  return new HomeostatError("RUN_VERSION_UNKNOWN", `The run${by} needs ${what}`, {});
}

/** By the numbers of both, as far as they go; what stands behind them (`-beta.1`) is not compared. */
export function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((version) => version.split(/[-+]/, 1)[0]!.split(".").map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
