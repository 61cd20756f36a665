/** What a run keeps to, whatever changes later: versions of its meaning, schemas of its tools, the workflows its steps run. */
import { HomeostatError } from "../../base/error.ts";
import { formatFinding, toErrorDetail } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import { expressionVersion } from "../../expression/expression.ts";
import type { FindWorkflow } from "../../workflows/registry.ts";
import { allSteps } from "../../workflows/workflow.ts";
import type { ChildStep, Workflow } from "../../workflows/workflow.ts";
import type { Pins } from "../journal/event.ts";
import { stateVersion } from "../journal/fold.ts";

export interface PinsDeps {
  /** Action name -> digest of its argument schema. */
  readonly toolDigests: ReadonlyMap<string, string>;
  /** Absent: none are registered. */
  readonly workflows?: FindWorkflow;
  /** Of this program; absent: not told. */
  readonly version?: string;
}

/** Throws WORKFLOW_INVALID when a step runs a workflow that is not registered, or a file the task does not bring. */
export async function pinsOf(
  deps: PinsDeps,
  workflow: Workflow,
  task: { readonly tenant: string; readonly files: readonly { readonly path: string }[] },
): Promise<Pins> {
  const workflows: Record<string, string> = {};
  const findings: Finding[] = [];
  for (const step of allSteps(workflow.steps)) {
    if (step.kind !== "workflow") continue;
    const { kind, value } = step.source;
    if (kind === "file") {
      if (!task.files.some(({ path }) => path === value)) findings.push(missing(step));
      continue;
    }
    const found = await deps.workflows?.find(task.tenant, { name: value });
    if (found === undefined) findings.push(missing(step));
    else workflows[value] = found.digest;
  }
  const [first] = findings;
  if (first !== undefined) {
    const message = `The workflow is not valid: ${formatFinding(first)}`;
    throw new HomeostatError("WORKFLOW_INVALID", message, {}, { details: findings.map(toErrorDetail) });
  }
  const program = deps.version === undefined ? {} : { program: deps.version };
  const pins = { stateVersion, expressionVersion, tools: Object.fromEntries(deps.toolDigests), ...program };
  return Object.keys(workflows).length === 0 ? pins : { ...pins, workflows };
}

function missing({ place, source: { kind, value } }: ChildStep): Finding {
  const path = `${place.path}.workflow`;
  const { line, column } = place;
  return kind === "name"
    ? {
        ...{ severity: "error", line, column, path },
        message: `there is no registered workflow \`${value}\``,
        hint: "register it with `homeostat workflow add FILE`",
      }
    : {
        ...{ severity: "error", line, column, path },
        message: `the task brings no file \`${value.slice(0, 120)}\``,
        hint: "submit the folder that holds it",
      };
}
