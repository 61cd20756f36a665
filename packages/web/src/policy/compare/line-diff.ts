/** Line by line difference of two texts (Myers 1986, linear in the common part). Pure. */

export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
  /** Counts from 1; null where the line is not in that text. */
  readonly before: number | null;
  readonly after: number | null;
}

/** Lines that stand beside a change, and how many were left out between them. */
export type DiffRow = DiffLine | { readonly kind: "gap"; readonly count: number };

/** Past so many differences the rest counts as replaced: nobody reads such a diff, and the search would get slow. */
const mostSteps = 1_000;

export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const middle = editScript(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const kinds = [...same(head), ...middle, ...same(tail)];
  let left = 0;
  let right = 0;
  return kinds.map((kind): DiffLine => {
    if (kind === "removed") return { kind, text: a[left++] ?? "", before: left, after: null };
    if (kind === "added") return { kind, text: b[right++] ?? "", before: null, after: right };
    left += 1;
    return { kind, text: b[right++] ?? "", before: left, after: right };
  });
}

/** Leaves out what is further than `context` lines from any change. */
export function foldDiff(lines: readonly DiffLine[], context = 3): readonly DiffRow[] {
  const isNear = lines.map(() => false);
  lines.forEach(({ kind }, at) => {
    if (kind !== "same") isNear.fill(true, Math.max(0, at - context), at + context + 1);
  });
  const rows: DiffRow[] = [];
  let skipped = 0;
  lines.forEach((line, at) => {
    if (isNear[at] === true) {
      if (skipped > 0) rows.push({ kind: "gap", count: skipped });
      skipped = 0;
      rows.push(line);
    } else skipped += 1;
  });
  if (skipped > 0) rows.push({ kind: "gap", count: skipped });
  return rows;
}

export function countChanges(lines: readonly DiffLine[]): {
  readonly added: number;
  readonly removed: number;
} {
  return {
    added: lines.filter(({ kind }) => kind === "added").length,
    removed: lines.filter(({ kind }) => kind === "removed").length,
  };
}

function same(count: number): DiffLine["kind"][] {
  return Array.from({ length: count }, () => "same" as const);
}

/** Removed lines come before added ones of the same place. */
function editScript(a: readonly string[], b: readonly string[]): DiffLine["kind"][] {
  const trace: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]);
  const most = Math.min(a.length + b.length, mostSteps);
  for (let steps = 0; steps <= most; steps += 1) {
    trace.push(new Map(reach));
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      const goesDown = isDown(reach, diagonal, steps);
      let x = goesDown ? (reach.get(diagonal + 1) ?? 0) : (reach.get(diagonal - 1) ?? 0) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reach.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return [...a.map(() => "removed" as const), ...b.map(() => "added" as const)];
}

function isDown(reach: ReadonlyMap<number, number>, diagonal: number, steps: number): boolean {
  return (
    diagonal === -steps ||
    (diagonal !== steps && (reach.get(diagonal - 1) ?? 0) < (reach.get(diagonal + 1) ?? 0))
  );
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  endX: number,
  endY: number,
): DiffLine["kind"][] {
  const kinds: DiffLine["kind"][] = [];
  let x = endX;
  let y = endY;
  for (let steps = trace.length - 1; steps >= 0; steps -= 1) {
    const reach = trace[steps] ?? new Map<number, number>();
    const diagonal = x - y;
    const previous = isDown(reach, diagonal, steps) ? diagonal + 1 : diagonal - 1;
    const fromX = steps === 0 ? 0 : (reach.get(previous) ?? 0);
    const fromY = steps === 0 ? 0 : fromX - previous;
    while (x > fromX && y > fromY) {
      kinds.push("same");
      x -= 1;
      y -= 1;
    }
    if (steps > 0) kinds.push(x === fromX ? "added" : "removed");
    x = fromX;
    y = fromY;
  }
  return kinds.reverse();
}
