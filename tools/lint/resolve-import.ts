/** Where an import leads: a file of the repository, another package, or Node itself. */
import { posix } from "node:path";
import type { Import, SourceFile } from "./source-file.ts";
import type { SourceTree } from "./source-tree.ts";

export type Target =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "node"; readonly name: string };

/** `@homeostat/cell/redact` leads to the file that cell's `exports` names; a path it does not name leads to the package's folder. */
export function resolveImport(file: SourceFile, { specifier }: Import, tree: SourceTree): Target {
  if (specifier.startsWith("."))
    return { kind: "file", path: posix.normalize(posix.join(posix.dirname(file.path), specifier)) };
  if (specifier.startsWith("node:")) return { kind: "node", name: specifier };
  const parts = specifier.split("/");
  const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  for (const [folder, manifest] of tree.packages) {
    if (folder === "" || manifest.name !== name) continue;
    const entry = manifest.exports?.[`.${specifier.slice(name.length)}`];
    return { kind: "file", path: posix.join(folder, entry ?? `src/${parts.slice(2).join("/")}`) };
  }
  return { kind: "package", name };
}

/** `packages/server` for a file below it; empty for the workspace itself. */
export function packageFolderOf(path: string): string {
  return /^packages\/[^/]+/.exec(path)?.[0] ?? "";
}
