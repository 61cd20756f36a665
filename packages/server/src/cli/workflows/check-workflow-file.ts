/** `homeostat workflow check`: a workflow file's mistakes with line and column; needs no server. */
import { findWrongArguments } from "../../runs/submission/find-wrong-arguments.ts";
import { findWrongTimes } from "../../runs/submission/find-wrong-times.ts";
import { findUnknownTools } from "../../runs/submission/submit.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { builtInTools } from "../policy/built-in-tools.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { reportFindings } from "../terminal/report-findings.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function checkWorkflowFile(
  path: string,
  _options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const text = (await readUserFile(path)).toString("utf8");
  const parsed = parseWorkflow(text, { file: path });
  const tools = builtInTools();
  const findings = parsed.ok
    ? [
        ...[
          ...findUnknownTools(parsed.workflow, tools),
          ...findWrongArguments(parsed.workflow, text, tools),
          ...findWrongTimes(parsed.workflow),
        ].map((each) => ({ ...each, file: path })),
        ...parsed.warnings,
      ]
    : parsed.findings;
  return reportFindings(path, findings, terminal);
}
