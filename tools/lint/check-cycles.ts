/** Files that import each other in a ring, type imports included: such files can only be understood together. */
import type { LintFinding } from "./finding.ts";
import { resolveImport } from "./resolve-import.ts";
import type { SourceTree } from "./source-tree.ts";

export function checkCycles(tree: SourceTree): readonly LintFinding[] {
  const known = new Set(tree.files.map((file) => file.path));
  const edges = new Map<string, readonly string[]>();
  for (const file of tree.files) {
    const targets = file.imports
      .filter((entry) => entry.kind === "import")
      .map((entry) => resolveImport(file, entry, tree))
      .flatMap((target) => (target.kind === "file" && known.has(target.path) ? [target.path] : []));
    edges.set(file.path, [...new Set(targets)]);
  }
  return findCycles(edges).map((cycle) => ({
    rule: "cycles",
    file: cycle[0] ?? "",
    line: 0,
    message: `imports itself through ${[...cycle.slice(1), cycle[0]].join(" -> ")}`,
  }));
}

/** One ring per strongly connected group, found by depth-first search; iterative, for chains may be long. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const root of edges.keys()) {
    const path: { readonly name: string; next: number }[] = done.has(root) ? [] : [{ name: root, next: 0 }];
    const onPath = new Set(path.map((step) => step.name));
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = edges.get(top.name)?.[top.next];
      top.next += 1;
      if (target === undefined) {
        done.add(top.name);
        onPath.delete(top.name);
        path.pop();
      } else if (onPath.has(target)) {
        cycles.push(path.slice(path.findIndex((step) => step.name === target)).map((step) => step.name));
      } else if (!done.has(target)) {
        path.push({ name: target, next: 0 });
        onPath.add(target);
      }
    }
  }
  return cycles;
}
