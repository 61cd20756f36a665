/** The lines two texts do not share, by their longest common subsequence. Pure. */

export interface LineChange {
  readonly kind: "removed" | "added";
  /** In the text that has the line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Above so many pairs of lines the middle is told as a whole: quadratic time would block everything else. */
const mostPairs = 4_000_000;

/** In the order of reading; removed lines before the added ones that stand in their place. */
export function diffLines(a: string, b: string): readonly LineChange[] {
  if (a === b) return [];
  const left = a.split("\n");
  const right = b.split("\n");
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  )
    end++;
  const kept = commonLines(left.slice(start, left.length - end), right.slice(start, right.length - end));
  const changes: LineChange[] = [];
  let [i, j] = [start, start];
  for (const [leftAt, rightAt] of [
    ...kept,
    [left.length - end - start, right.length - end - start] as const,
  ]) {
    for (; i < start + leftAt; i++) changes.push({ kind: "removed", line: i + 1, text: left[i]! });
    for (; j < start + rightAt; j++) changes.push({ kind: "added", line: j + 1, text: right[j]! });
    i++;
    j++;
  }
  return changes;
}

/** Pairs of positions of lines that stand in both, ascending. */
function commonLines(
  left: readonly string[],
  right: readonly string[],
): readonly (readonly [number, number])[] {
  if (left.length * right.length > mostPairs) return [];
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        left[i] === right[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (left[i] === right[j]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
