/** Where the boxes around steps inside steps are drawn: around their nodes, the outer ones with more room. Pure. */
import type { WorkflowGraph } from "../api/run-calls.ts";

export interface BoxShape {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Room around the nodes; above them also for the word of their state. */
const room = { side: 9, above: 20, below: 9 };
/** More for each box inside, up to so many that neighbours still do not touch. */
const roomPerLevel = 4;
const mostLevels = 2;

/** Outermost first, so that inner ones are drawn over them. */
export function boxShapes({
  boxes,
  nodes,
  size,
}: Pick<WorkflowGraph, "boxes" | "nodes" | "size">): BoxShape[] {
  const places = new Map(nodes.map((node) => [node.id, node]));
  return boxes
    .toSorted((a, b) => b.nodes.length - a.nodes.length)
    .flatMap((box) => {
      const inside = box.nodes.flatMap((id) => places.get(id) ?? []);
      if (inside.length === 0) return [];
      const levels = Math.min(mostLevels, boxes.filter((other) => isInside(other.nodes, box.nodes)).length);
      const more = levels * roomPerLevel;
      const left = Math.min(...inside.map(({ x }) => x)) - room.side - more;
      const top = Math.min(...inside.map(({ y }) => y)) - room.above - more;
      const right = Math.max(...inside.map(({ x }) => x)) + size.nodeWidth + room.side + more;
      const bottom = Math.max(...inside.map(({ y }) => y)) + size.nodeHeight + room.below + more;
      return [{ id: box.id, x: left, y: top, width: right - left, height: bottom - top }];
    });
}

function isInside(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.length < outer.length && inner.every((id) => outer.includes(id));
}
