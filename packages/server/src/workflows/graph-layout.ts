/** Places a graph in layers from top to bottom: each node below all that lead to it, branches beside each other. Pure and exact. */
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";

export interface PlacedNode {
  readonly node: GraphNode;
  /** Of the upper left corner, in pixels. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  /** Corners of the line, from the lower side of one node to the upper side of the other. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const nodeSize = { width: 190, height: 52 };
const gap = { x: 36, y: 54 };
const margin = 20;
/** More sweeps change nothing in graphs that people read. */
const sweeps = 8;

export function layOutGraph(graph: Graph): Layout {
  const layerOf = layersOf(graph);
  const rows = orderRows(graph, layerOf);
  const columns = columnsOf(rows, graph);
  const width = Math.max(...columns.values()) + 1;
  const place = (id: string): readonly [number, number] => [
    margin + (columns.get(id) ?? 0) * (nodeSize.width + gap.x),
    margin + (layerOf.get(id) ?? 0) * (nodeSize.height + gap.y),
  ];
  const nodes = graph.nodes.map((node): PlacedNode => {
    const [x, y] = place(node.id);
    return { node, x, y };
  });
  return {
    width: 2 * margin + width * (nodeSize.width + gap.x) - gap.x,
    height: 2 * margin + rows.length * (nodeSize.height + gap.y) - gap.y,
    nodes,
    edges: graph.edges.map((edge) => ({ edge, points: lineOf(place(edge.from), place(edge.to)) })),
  };
}

/** Longest way from the start; the graph has no cycles, and edges point to nodes that come later in the file. */
function layersOf({ nodes, edges }: Graph): ReadonlyMap<string, number> {
  const layers = new Map(nodes.map(({ id }) => [id, 0]));
  const order = new Map(nodes.map(({ id }, index) => [id, index]));
  const sorted = [...edges].sort((a, b) => (order.get(a.from) ?? 0) - (order.get(b.from) ?? 0));
  for (const { from, to } of sorted)
    layers.set(to, Math.max(layers.get(to) ?? 0, (layers.get(from) ?? 0) + 1));
  return layers;
}

function orderRows({ nodes, edges }: Graph, layerOf: ReadonlyMap<string, number>): readonly string[][] {
  const rows: string[][] = [];
  for (const { id } of nodes) (rows[layerOf.get(id) ?? 0] ??= []).push(id);
  const above = neighbours(edges, "to", "from");
  const below = neighbours(edges, "from", "to");
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const isDown = sweep % 2 === 0;
    const order = isDown ? rows.keys() : [...rows.keys()].reverse();
    for (const index of order) sortRow(rows, index, isDown ? above : below);
  }
  return rows;
}

function neighbours(
  edges: readonly GraphEdge[],
  of: "from" | "to",
  towards: "from" | "to",
): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const edge of edges) map.set(edge[of], [...(map.get(edge[of]) ?? []), edge[towards]]);
  return map;
}

/** By the mean place of what a node is joined to; ties keep their order, so that the file's order shows. */
function sortRow(
  rows: readonly string[][],
  index: number,
  joined: ReadonlyMap<string, readonly string[]>,
): void {
  const places = new Map(rows.flatMap((row) => row.map((id, place) => [id, place / row.length] as const)));
  const weight = (id: string, fallback: number): number => {
    const others = joined.get(id) ?? [];
    return others.length === 0
      ? fallback
      : others.reduce((sum, other) => sum + (places.get(other) ?? 0), 0) / others.length;
  };
  const row = rows[index] ?? [];
  const weighed = row.map((id, place) => ({ id, place, weight: weight(id, place / row.length) }));
  weighed.sort((a, b) => a.weight - b.weight || a.place - b.place);
  row.splice(0, row.length, ...weighed.map(({ id }) => id));
}

/** Columns may be halves: a node stands in the middle of what leads to it, as far as its row leaves room. */
function columnsOf(rows: readonly (readonly string[])[], { edges }: Graph): ReadonlyMap<string, number> {
  const above = neighbours(edges, "to", "from");
  const columns = new Map<string, number>();
  const widest = Math.max(...rows.map((row) => row.length));
  for (const row of rows) {
    let free = 0;
    row.forEach((id, index) => {
      const known = (above.get(id) ?? []).flatMap((other) => columns.get(other) ?? []);
      const centre = (widest - row.length) / 2 + index;
      const wanted = known.length === 0 ? centre : known.reduce((sum, each) => sum + each, 0) / known.length;
      // What comes behind it in the row must still fit.
      const last = widest - (row.length - index);
      const column = Math.max(free, Math.min(Math.round(wanted * 2) / 2, last));
      columns.set(id, column);
      free = column + 1;
    });
  }
  return columns;
}

function lineOf(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
): readonly (readonly [number, number])[] {
  const startX = fromX + nodeSize.width / 2;
  const endX = toX + nodeSize.width / 2;
  const startY = fromY + nodeSize.height;
  if (startX === endX)
    return [
      [startX, startY],
      [endX, toY],
    ];
  const bendY = toY - gap.y / 2;
  return [
    [startX, startY],
    [startX, bendY],
    [endX, bendY],
    [endX, toY],
  ];
}
