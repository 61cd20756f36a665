/** The ledger's tree as it really stands: its perfect subtrees side by side, bound together by the root. */
import type { ReactElement } from "react";
import { formatCount } from "../format/quantity.ts";
import { subtreesOf } from "./subtrees.ts";

const width = 420;
const height = 132;
const gap = 8;

export function TreePicture({ size }: { readonly size: number }): ReactElement | null {
  const trees = subtreesOf(size);
  if (trees.length === 0) return null;
  // True widths would leave the small ones invisible; by height they stay in order and in sight.
  const shares = trees.map((tree) => tree.height + 1.5);
  const sum = shares.reduce((total, share) => total + share, 0);
  const room = width - gap * (trees.length - 1);
  const tallest = Math.max(1, trees[0]?.height ?? 1);
  let left = 0;
  const peaks = trees.map((tree, index) => {
    const wide = ((shares[index] ?? 1) / sum) * room;
    const peak = {
      tree,
      left,
      wide,
      x: left + wide / 2,
      y: height - 26 - 8 - (tree.height / tallest) * (height - 46),
    };
    left += wide + gap;
    return peak;
  });
  return (
    <svg
      className="tree"
      viewBox={`0 -14 ${width} ${height + 14}`}
      role="img"
      aria-label={describe(size, trees.length)}
    >
      {peaks.map(({ tree, left: from, wide, x, y }, index) => (
        <g key={tree.from} className="tree-part">
          {index > 0 && (
            <path
              className="tree-bond"
              d={`M${peaks[index - 1]?.x ?? 0} ${peaks[index - 1]?.y ?? 0} Q${x} ${Math.min(peaks[index - 1]?.y ?? 0, y) - 12} ${x} ${y}`}
            />
          )}
          <path
            className="tree-side"
            d={`M${from} ${height - 26} L${x} ${y} L${from + wide} ${height - 26}Z`}
          />
          {tree.height > 2 && (
            <path
              className="tree-fold"
              d={`M${x} ${y} L${from + wide * 0.5} ${height - 26} M${(from + x) / 2} ${(y + height - 26) / 2} L${from + wide * 0.25} ${height - 26} M${(from + wide + x) / 2} ${(y + height - 26) / 2} L${from + wide * 0.75} ${height - 26}`}
            />
          )}
          <circle className="tree-peak" cx={x} cy={y} r="3" />
          <text x={x} y={height - 9}>
            {tree.leaves.toLocaleString("en-GB")}
          </text>
        </g>
      ))}
    </svg>
  );
}

function describe(size: number, parts: number): string {
  return `A tree of ${formatCount(size, "entry", "entries")}, made of ${formatCount(parts, "perfect subtree")}`;
}
