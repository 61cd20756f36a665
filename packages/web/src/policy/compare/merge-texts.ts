/** Brings two changes of one text together, line by line (diff3, Khanna and others 2007). Pure. */
import { diffLines } from "./line-diff.ts";

export interface Merged {
  readonly text: string;
  /** Places where both changed the same lines otherwise; both stand in the text, between comments. */
  readonly conflicts: number;
}

export const conflictMarks = {
  mine: "# <<< your change",
  theirs: "# === in force",
  end: "# >>>",
} as const;

/** `base` is what both began with. Changes that touch each other are a conflict, unless they are the same. */
export function mergeTexts(base: string, mine: string, theirs: string): Merged {
  const lines = base.split("\n");
  const left = changesOf(base, mine);
  const right = changesOf(base, theirs);
  const merged: string[] = [];
  let conflicts = 0;
  let at = 0;
  while (left.length > 0 || right.length > 0) {
    const start = Math.min(left[0]?.from ?? Infinity, right[0]?.from ?? Infinity);
    merged.push(...lines.slice(at, start));
    const { mineHere, theirsHere, to } = takeRegion(left, right, start);
    const ours = applied(lines, { changes: mineHere, from: start, to });
    const others = applied(lines, { changes: theirsHere, from: start, to });
    if (theirsHere.length === 0 || isSame(ours, others)) merged.push(...ours);
    else if (mineHere.length === 0) merged.push(...others);
    else {
      conflicts += 1;
      merged.push(conflictMarks.mine, ...ours, conflictMarks.theirs, ...others, conflictMarks.end);
    }
    at = to;
  }
  merged.push(...lines.slice(at));
  return { text: merged.join("\n"), conflicts };
}

/** Lines `from` to `to` (excluded) of the base become `lines`. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
}

function changesOf(base: string, text: string): Change[] {
  const changes: { from: number; to: number; lines: string[] }[] = [];
  let at = 0;
  let isOpen = false;
  for (const { kind, text: line } of diffLines(base, text)) {
    if (kind === "same") {
      at += 1;
      isOpen = false;
      continue;
    }
    if (!isOpen) changes.push({ from: at, to: at, lines: [] });
    isOpen = true;
    const change = changes.at(-1);
    if (kind === "added") change?.lines.push(line);
    else {
      at += 1;
      if (change !== undefined) change.to = at;
    }
  }
  return changes;
}

/** All changes of both that touch each other from `start` on; they are taken out of the lists. */
function takeRegion(left: Change[], right: Change[], start: number) {
  const mineHere: Change[] = [];
  const theirsHere: Change[] = [];
  let to = start;
  for (;;) {
    const mine = left[0] !== undefined && left[0].from <= to ? left.shift() : undefined;
    const theirs =
      mine === undefined && right[0] !== undefined && right[0].from <= to ? right.shift() : undefined;
    const next = mine ?? theirs;
    if (next === undefined) return { mineHere, theirsHere, to };
    (mine === undefined ? theirsHere : mineHere).push(next);
    to = Math.max(to, next.to);
  }
}

function applied(
  lines: readonly string[],
  { changes, from, to }: { readonly changes: readonly Change[]; readonly from: number; readonly to: number },
): readonly string[] {
  const result: string[] = [];
  let at = from;
  for (const change of changes) {
    result.push(...lines.slice(at, change.from), ...change.lines);
    at = change.to;
  }
  return [...result, ...lines.slice(at, to)];
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at]);
}
