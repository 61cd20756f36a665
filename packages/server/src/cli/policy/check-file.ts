/** `homeostat policy check` and `workflow check`: a file's mistakes with line and column; needs no server. */
import type { Finding } from "../../base/finding.ts";
import { checkPolicyFiles } from "../../policy/file/check-policy.ts";
import { findWrongArguments } from "../../runs/submission/find-wrong-arguments.ts";
import { findWrongTimes } from "../../runs/submission/find-wrong-times.ts";
import { findUnknownTools } from "../../runs/submission/submit.ts";
import { createTools } from "../../tools/registry.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { findingLines, readPolicyTexts } from "./policy-files.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Without a file: the policy of the data folder. */
export async function checkPolicyFile(
  file: string | undefined,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const files = await readPolicyTexts(file, options);
  const { findings } = checkPolicyFiles(files, [...builtInTools().keys()]);
  return report(file ?? files[0]?.name ?? "", findings, terminal);
}

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
  return report(path, findings, terminal);
}

/** Only their names and schemas are asked for: nothing here can act. */
export function builtInTools(): ReturnType<typeof createTools> {
  const http = {
    allowedHosts: [],
    allowPrivate: [],
    isOwnListener: () => true,
    resolveHost: () => Promise.resolve([]),
  };
  return createTools({
    forbiddenFolders: ["/"],
    temporaryFolder: "/nonexistent",
    canRun: () => false,
    http,
  });
}

function report(path: string, findings: readonly Finding[], terminal: Terminal): ExitCode {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const ok = errors === 0;
  terminal.result({ ok, file: path, findings }, (paint) => {
    const lines = findingLines(findings, paint);
    const warnings = findings.length - errors;
    const count = `${errors} ${errors === 1 ? "error" : "errors"}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
    return [...lines, `${paint(ok ? "green" : "red", ok ? "ok" : "not valid")}  ${path}: ${count}`].join(
      "\n",
    );
  });
  return ok ? exitCodes.done : exitCodes.failed;
}
