/** All checks of the import table in one call: what is wrong with the repository at a path. */
import { checkCycles } from "./check-cycles.ts";
import { checkExports } from "./check-exports.ts";
import { checkFiles } from "./check-files.ts";
import { checkLayers } from "./check-layers.ts";
import type { LintFinding } from "./finding.ts";
import { readImportTable } from "./import-table.ts";
import type { ImportTable } from "./import-table.ts";
import { checkCompleteness, readSourceTree } from "./source-tree.ts";

export interface RepositoryCheck {
  readonly findings: readonly LintFinding[];
  readonly fileCount: number;
}

/** Throws SyntaxError when a source file does not parse. */
export function checkRepository(repository: string): RepositoryCheck {
  const table = readImportTable(repository);
  const tree = readSourceTree(repository, table);
  const found = [
    ...checkLayers(tree),
    ...checkCycles(tree),
    ...checkFiles(tree),
    ...checkExports(tree),
    ...checkCompleteness(tree),
  ];
  const findings = found.filter((finding) => !isExcepted(finding, table));
  return { findings: [...findings, ...checkExceptions(found, table)], fileCount: tree.files.length };
}

function isExcepted({ file, rule }: LintFinding, { exceptions }: ImportTable): boolean {
  return exceptions.some((exception) => exception.file === file && exception.rule === rule);
}

/** An exception that excepts nothing any more, or gives no reason, is a finding itself. */
function checkExceptions(found: readonly LintFinding[], { exceptions }: ImportTable): readonly LintFinding[] {
  return exceptions.flatMap((exception) => {
    const { file, rule, reason } = exception;
    const isUsed = found.some((finding) => finding.file === file && finding.rule === rule);
    if (isUsed && reason.trim() !== "") return [];
    const message = isUsed
      ? `the exception from \`${rule}\` has no reason`
      : `the exception from \`${rule}\` is not needed; remove it`;
    return [{ rule: "exceptions", file, line: 0, message }];
  });
}
