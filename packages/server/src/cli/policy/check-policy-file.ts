/** `homeostat policy check`: a policy's mistakes with line and column; needs no server. */
import { checkPolicyFiles } from "../../policy/file/check-policy.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { reportFindings } from "../terminal/report-findings.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { builtInTools } from "./built-in-tools.ts";
import { readPolicyTexts } from "./policy-files.ts";

/** Without a file: the policy of the data folder. */
export async function checkPolicyFile(
  file: string | undefined,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const files = await readPolicyTexts(file, options);
  const { findings } = checkPolicyFiles(files, [...builtInTools().keys()]);
  return reportFindings(file ?? files[0]?.name ?? "", findings, terminal);
}
