/** Rules about single files: names, size, default exports, and where time and environment may be read. */
import type { LintFinding } from "./finding.ts";
import type { SourceFile, Use } from "./source-file.ts";
import { isGenerated } from "./source-tree.ts";
import type { SourceTree } from "./source-tree.ts";

const maxLines = 400;
/** Names that say nothing about what is inside. */
const forbiddenNames = new Set([
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "shared",
  "lib",
  "misc",
  "manager",
  "index",
]);
/** Everything that is not a library: these read the environment and the clock of the machine they run on. */
const programFolders = ["scripts/", "tools/", "bench/", "test/", "examples/"];

export function checkFiles({ files, table }: SourceTree): readonly LintFinding[] {
  return files.flatMap((file) => [
    ...checkName(file),
    ...checkSize(file),
    ...file.uses.flatMap((use) => checkUse(file, use, table.defaultExports)),
  ]);
}

function checkName({ path }: SourceFile): LintFinding[] {
  // Behind the name come words for the kind of file: `fold.test.ts`, `runs.routes.ts`.
  const parts = path.split("/").flatMap((part) => part.split("."));
  const findings: LintFinding[] = [];
  const report = (message: string): unknown => findings.push({ rule: "names", file: path, line: 0, message });
  for (const part of parts) {
    if (forbiddenNames.has(part))
      report(`\`${part}\` says nothing about its content; name it after its main export`);
    else if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)) report(`\`${part}\` is not kebab-case`);
  }
  return findings;
}

function checkSize({ path, lines, isTest }: SourceFile): LintFinding[] {
  if (lines <= maxLines || isTest || isGenerated(path)) return [];
  return [
    {
      rule: "size",
      file: path,
      line: 0,
      message: `has ${lines} lines; ${maxLines} is the limit: look for the second idea`,
    },
  ];
}

function checkUse(
  file: SourceFile,
  { what, text, line }: Use,
  defaultExports: readonly string[],
): LintFinding[] {
  const { path } = file;
  switch (what) {
    case "default export":
      if (defaultExports.includes(path)) return [];
      return [{ rule: "default-export", file: path, line, message: "has a default export; export by name" }];
    case "environment":
      if (isProgram(file) || path === "packages/server/src/config/config.ts") return [];
      return [
        {
          rule: "environment",
          file: path,
          line,
          message: `reads ${text}; only config.ts reads the environment`,
        },
      ];
    case "time":
      if (isProgram(file) || path.startsWith("packages/web/") || path === "packages/server/src/base/clock.ts")
        return [];
      return [
        {
          rule: "time",
          file: path,
          line,
          message: `uses ${text}; time comes from a Clock that is handed in`,
        },
      ];
  }
}

function isProgram({ path, isTest }: SourceFile): boolean {
  return (
    isTest || programFolders.some((folder) => path.startsWith(folder)) || path.startsWith("packages/web/dev/")
  );
}
