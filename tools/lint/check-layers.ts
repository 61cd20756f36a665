/** Who may import whom: the folder table, the routes rule, and what each package may depend on. */
import type { LintFinding } from "./finding.ts";
import { folderOf } from "./import-table.ts";
import { packageFolderOf, resolveImport } from "./resolve-import.ts";
import type { Target } from "./resolve-import.ts";
import type { Import, SourceFile } from "./source-file.ts";
import type { SourceTree } from "./source-tree.ts";

/** The contract of consumers and packages cannot depend on anything. */
const bottomPackages = ["packages/cell", "packages/agent", "packages/client"];
/** `system.ts` and the files beside it that it hands a feature to. */
const composers = "packages/server/src/system/";

export function checkLayers(tree: SourceTree): readonly LintFinding[] {
  const findings = checkManifests(tree);
  for (const file of tree.files) {
    for (const entry of file.imports) {
      const message = checkImport(file, entry, tree);
      if (message !== undefined)
        findings.push({ rule: "layers", file: file.path, line: entry.line, message });
    }
  }
  return findings;
}

function checkManifests({ packages }: SourceTree): LintFinding[] {
  return bottomPackages.flatMap((folder) => {
    const manifest = packages.get(folder);
    const named = Object.keys({
      ...manifest?.dependencies,
      ...manifest?.peerDependencies,
      ...manifest?.optionalDependencies,
    });
    if (named.length === 0) return [];
    const message = `has dependencies (${named.join(", ")}); ${folder} must have none`;
    return [{ rule: "layers", file: `${folder}/package.json`, line: 0, message }];
  });
}

function checkImport(file: SourceFile, entry: Import, tree: SourceTree): string | undefined {
  const target = resolveImport(file, entry, tree);
  if (target.kind !== "file") return checkForeign(file, target, tree);
  const isTestTarget = tree.files.find((other) => other.path === target.path)?.isTest === true;
  if (!file.isTest && isTestTarget) return `imports test code, ${target.path}`;
  const isRoutes = target.path.endsWith(".routes.ts");
  if (isRoutes && !file.path.startsWith(composers) && !file.isTest) {
    return `imports ${target.path}; only the files of system/ import routes`;
  }
  return file.isTest ? checkTestImport(file, target.path) : checkTable(file, entry, target.path, tree);
}

/** Tests use real parts of any tier and the generated references, but stay inside their package unless they are tests of the whole. */
function checkTestImport(file: SourceFile, path: string): string | undefined {
  const own = packageFolderOf(file.path);
  const isAllowed =
    ["", "packages/server", packageFolderOf(path)].includes(own) || /^(?:test|docs\/reference)\//.test(path);
  return isAllowed ? undefined : `imports ${path} of another package`;
}

function checkForeign(
  file: SourceFile,
  target: Exclude<Target, { kind: "file" }>,
  tree: SourceTree,
): string | undefined {
  const own = packageFolderOf(file.path);
  if (bottomPackages.includes(own) && !file.isTest) {
    return `imports ${target.name}; ${own} must run without dependencies and without Node`;
  }
  if (target.kind === "node" || own === "") return undefined;
  // Tests and a package's own tools use what the workspace has for development.
  const isTool = file.isTest || /^packages\/[^/]+\/dev\//.test(file.path);
  const manifests = [tree.packages.get(own), isTool ? tree.packages.get("") : undefined];
  const isListed = manifests.some(
    (manifest) => target.name in { ...manifest?.dependencies, ...manifest?.devDependencies },
  );
  const isTestTool = file.isTest && target.name === "vitest";
  return isListed || isTestTool
    ? undefined
    : `imports ${target.name}, which ${own}/package.json does not list`;
}

function checkTable(
  file: SourceFile,
  entry: Import,
  path: string,
  { table }: SourceTree,
): string | undefined {
  const from = folderOf(file.path, table);
  const to = folderOf(path, table);
  if (from === undefined) return "lies in a folder without a row in allowed-imports.json";
  if (to === undefined) return `imports ${path}, whose folder has no row in allowed-imports.json`;
  if (from === to) return undefined;
  const row = table.folders[from] ?? [];
  if (row.some((each) => each.startsWith("!") && path.startsWith(`${each.slice(1)}/`))) {
    return `imports ${path}; ${from} may not, whatever else it may`;
  }
  for (const allowed of row) {
    const [name, limit] = allowed.split(" ");
    if (name !== "*" && name !== to && name !== path) continue;
    if (limit !== "(types)" || entry.isTypeOnly) return undefined;
    return `imports values of ${to}; ${from} may import only its types`;
  }
  return `imports ${path}; ${from} may import ${row.join(", ") || "nothing"}`;
}
