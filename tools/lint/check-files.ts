/** Rules about single files: names, size, default exports, and where time and environment may be read. */
import type { LintFinding } from "./finding.ts";
import type { SourceFile, Use } from "./source-file.ts";
import { isGenerated, isTestCode } from "./source-tree.ts";
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
  const parts = path.split("/");
  const name = (parts.pop() ?? "").replace(
    /(\.(test|fixture|routes|generated|worker|config|bench))*\.(ts|tsx|mts|cts)$/,
    "",
  );
  const findings: LintFinding[] = [];
  const report = (message: string): unknown => findings.push({ rule: "names", file: path, line: 0, message });
  for (const part of [...parts, name]) {
    if (forbiddenNames.has(part))
      report(`\`${part}\` says nothing about its content; name it after its main export`);
    else if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)) report(`\`${part}\` is not kebab-case`);
  }
  return findings;
}

function checkSize({ path, lines }: SourceFile): LintFinding[] {
  if (lines <= maxLines || isTestCode(path) || isGenerated(path)) return [];
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
  { path }: SourceFile,
  { what, text, line }: Use,
  defaultExports: readonly string[],
): LintFinding[] {
  switch (what) {
    case "default export":
      if (defaultExports.includes(path)) return [];
      return [{ rule: "default-export", file: path, line, message: "has a default export; export by name" }];
    case "environment":
      if (isProgram(path) || path === "packages/server/src/config.ts") return [];
      return [
        {
          rule: "environment",
          file: path,
          line,
          message: `reads ${text}; only config.ts reads the environment`,
        },
      ];
    case "time":
      if (isProgram(path) || path.startsWith("packages/web/") || path === "packages/server/src/base/clock.ts")
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

function isProgram(path: string): boolean {
  return (
    isTestCode(path) ||
    programFolders.some((folder) => path.startsWith(folder)) ||
    path.startsWith("packages/web/dev/")
  );
}
