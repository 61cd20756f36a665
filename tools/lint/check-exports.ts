/** Exports of the server that nobody imports, tests counted as importers: what is exported is there for somebody. */
import type { LintFinding } from "./finding.ts";
import { resolveImport } from "./resolve-import.ts";
import type { SourceTree } from "./source-tree.ts";

/** Packages that others install offer more than this repository uses. */
const inner = "packages/server/src/";
/** Called by homeostat.js, which is no TypeScript. */
const program = `${inner}main.ts`;

export function checkExports(tree: SourceTree): readonly LintFinding[] {
  const imported = importedNames(tree);
  return tree.files
    .filter(({ path, isTest }) => path.startsWith(inner) && path !== program && !isTest)
    .flatMap(({ path, exports }) =>
      exports
        .filter(({ name }) => imported.get(path) !== "all" && !has(imported.get(path), name))
        .map(({ name, line }) => ({
          rule: "exports",
          file: path,
          line,
          message: `exports \`${name}\`, which nobody imports: drop the \`export\`, or what it stands before`,
        })),
    );
}

type Names = ReadonlySet<string> | "all";

function has(names: Names | undefined, name: string): boolean {
  return names !== undefined && names !== "all" && names.has(name);
}

function importedNames(tree: SourceTree): ReadonlyMap<string, Names> {
  const all = new Map<string, Set<string> | "all">();
  for (const file of tree.files) {
    for (const entry of file.imports) {
      const target = resolveImport(file, entry, tree);
      if (target.kind !== "file") continue;
      const known = all.get(target.path) ?? new Set<string>();
      if (entry.names === undefined || known === "all") all.set(target.path, "all");
      else all.set(target.path, new Set([...known, ...entry.names]));
    }
  }
  return all;
}
