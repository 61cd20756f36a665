/** All source files of the repository, and proof that none was passed over. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LintFinding } from "./finding.ts";
import type { ImportTable } from "./import-table.ts";
import { readSourceFile } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";

export interface SourceTree {
  readonly repository: string;
  readonly table: ImportTable;
  readonly files: readonly SourceFile[];
  /** Package folder, for example `packages/server`, -> what its package.json says. */
  readonly packages: ReadonlyMap<string, PackageManifest>;
}

export interface PackageManifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Made or fetched by tools, never written by people. */
const ignoredFolders = new Set(["node_modules", "dist", "coverage", ".git", ".homeostat"]);

export function readSourceTree(repository: string, table: ImportTable): SourceTree {
  const paths = table.roots.flatMap((root) => sourcePaths(repository, root));
  const packages = new Map<string, PackageManifest>();
  for (const folder of ["", ...packageFolders(repository)]) {
    const path = join(repository, folder, "package.json");
    if (existsSync(path)) packages.set(folder, JSON.parse(readFileSync(path, "utf8")) as PackageManifest);
  }
  return { repository, table, packages, files: paths.map((path) => readSourceFile(repository, path)) };
}

/** A checker that silently sees less than there is would pass everything: every source file must have been read. */
export function checkCompleteness({ repository, files }: SourceTree): readonly LintFinding[] {
  const seen = new Set(files.map((file) => file.path));
  return sourcePaths(repository, "")
    .filter((path) => path.includes("/") && !seen.has(path))
    .map((file) => ({
      rule: "completeness",
      file,
      line: 0,
      message: "lies in no folder of `roots` in allowed-imports.json, so nothing checks it; add its folder",
    }));
}

export function isGenerated(path: string): boolean {
  return /\.generated\.tsx?$/.test(path);
}

function sourcePaths(repository: string, folder: string): string[] {
  const entries = readdirSync(join(repository, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : sourcePaths(repository, path);
    return /\.(ts|tsx|mts|cts)$/.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

function packageFolders(repository: string): string[] {
  if (!existsSync(join(repository, "packages"))) return [];
  return readdirSync(join(repository, "packages")).map((name) => `packages/${name}`);
}
