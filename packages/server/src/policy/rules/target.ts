/** Looks for blocked targets in an action: in its resource and in every text among its arguments. */
import { matchesGlob } from "../../base/glob.ts";
import type { ActionRequest } from "./decision.ts";
import type { Target } from "./policy.ts";

/** Longer texts are content, not targets: globs are tried on the others only. Pieces of text are found in any length. */
const longestTarget = 4_096;

/** How deep arguments are searched; schemas allow less. */
const deepest = 32;

/** The first target found and where, as half a sentence; undefined when there is none. */
export function findTarget(targets: readonly Target[], request: ActionRequest): string | undefined {
  for (const target of targets) {
    if (isFound(target, request.resource)) return `resource holds the blocked target \`${target.source}\``;
  }
  return findInArgs(targets, request.args, { path: "args", depth: 0 });
}

function findInArgs(
  targets: readonly Target[],
  value: unknown,
  { path, depth }: { readonly path: string; readonly depth: number },
): string | undefined {
  if (typeof value === "string") {
    const found = targets.find((target) => isFound(target, value));
    return found && `${path} holds the blocked target \`${found.source}\``;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === deepest) return `${path} is nested too deeply to be searched for blocked targets`;
  for (const [key, item] of Object.entries(value)) {
    const inner = { path: Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, depth: depth + 1 };
    const found = findInArgs(targets, item, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isFound(target: Target, text: string): boolean {
  if (target.glob === null) return text.includes(target.source);
  return text.length <= longestTarget && matchesGlob(target.glob, text);
}
