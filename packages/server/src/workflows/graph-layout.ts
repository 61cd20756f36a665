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
  const { links, layerOf, chains } = withWaypoints(graph);
  const rows = orderRows(links, layerOf);
  const columns = columnsOf(rows, links);
  const width = Math.max(...columns.values()) + 1;
  const place = (id: string): Point => [
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
    edges: graph.edges.map((edge, index) => ({
      edge,
      points: lineThrough((chains[index] ?? []).map(place)),
    })),
  };
}

type Point = readonly [number, number];

interface Link {
  readonly from: string;
  readonly to: string;
}

/** A line over several layers gets a place of its own in each between, so that it never runs through a node. */
function withWaypoints(graph: Graph) {
  const layerOf = new Map(layersOf(graph));
  const links: Link[] = [];
  const chains = graph.edges.map(({ from, to }, index) => {
    const chain = [from];
    for (let layer = (layerOf.get(from) ?? 0) + 1; layer < (layerOf.get(to) ?? 0); layer += 1) {
      // No id of a step holds a space.
      const id = `line ${index} ${layer}`;
      layerOf.set(id, layer);
      chain.push(id);
    }
    chain.push(to);
    chain.slice(1).forEach((id, place) => links.push({ from: chain[place]!, to: id }));
    return chain;
  });
  return { links, layerOf, chains };
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

function orderRows(links: readonly Link[], layerOf: ReadonlyMap<string, number>): readonly string[][] {
  const rows: string[][] = [];
  for (const [id, layer] of layerOf) (rows[layer] ??= []).push(id);
  const above = neighbours(links, "to", "from");
  const below = neighbours(links, "from", "to");
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const isDown = sweep % 2 === 0;
    const order = isDown ? rows.keys() : [...rows.keys()].reverse();
    for (const index of order) sortRow(rows, index, isDown ? above : below);
  }
  return rows;
}

function neighbours(
  links: readonly Link[],
  of: "from" | "to",
  towards: "from" | "to",
): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const link of links) map.set(link[of], [...(map.get(link[of]) ?? []), link[towards]]);
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
function columnsOf(
  rows: readonly (readonly string[])[],
  links: readonly Link[],
): ReadonlyMap<string, number> {
  const above = neighbours(links, "to", "from");
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

/** From the lower side of the first to the upper side of the last, straight down through the places between. */
function lineThrough(places: readonly Point[]): readonly Point[] {
  const points: Point[] = [];
  const put = (point: Point): void => {
    const last = points.at(-1);
    if (last?.[0] !== point[0] || last[1] !== point[1]) points.push(point);
  };
  places.forEach(([x, y], index) => {
    const middle = x + nodeSize.width / 2;
    const before = points.at(-1);
    if (before !== undefined && before[0] !== middle) {
      const bendY = y - gap.y / 2;
      put([before[0], bendY]);
      put([middle, bendY]);
    }
    if (index > 0) put([middle, y]);
    if (index < places.length - 1) put([middle, y + nodeSize.height]);
  });
  return points;
}
