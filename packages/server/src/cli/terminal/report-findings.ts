/** What a check of a file found, as a command's answer: each mistake with its place, and how many. */
import { formatFinding } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import { exitCodes } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** `failed` when one of them is an error. */
export function reportFindings(path: string, findings: readonly Finding[], terminal: Terminal): ExitCode {
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

function findingLines(findings: readonly Finding[], paint: Paint): readonly string[] {
  return findings.map((finding) => {
    const word = finding.severity === "error" ? paint("red", "error  ") : paint("yellow", "warning");
    return `${word} ${formatFinding(finding)}`;
  });
}
