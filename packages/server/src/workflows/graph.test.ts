import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOutGraph, nodeSize } from "./graph-layout.ts";
import { mermaidOf } from "./graph-mermaid.ts";
import { svgOf } from "./graph-svg.ts";
import { graphOf } from "./graph.ts";
import type { Graph, GraphStates } from "./graph.ts";
import { requireWorkflow } from "./workflow-file.ts";

const text = `version: 1
name: shop
steps:
  - id: both
    parallel:
      left: [{ id: l, tool: file_ops.list, with: { path: a } }]
      right: [{ id: r, approval: { message: "ok <b>?" } }, { id: r2, wait: { signal: go } }]
  - id: choice
    branch:
      - when: \${{ true }}
        steps: [{ id: yes, set: { a: 1 } }]
  - id: each
    title: Every "one" & all
    for_each: [1, 2]
    steps: [{ id: inner, set: { a: 1 } }]
    catch: [{ id: sad, set: { a: 1 } }]
`;
const workflow = requireWorkflow(text);

describe("the graph of a workflow", () => {
  test("joins steps as they follow each other, branches from their step to what comes behind", () => {
    const { nodes, edges, boxes } = graphOf(workflow);
    expect(nodes.map(({ id }) => id)).toEqual([
      "start",
      "both",
      "both/left/l",
      "both/right/r",
      "both/right/r2",
      "choice",
      "choice/yes",
      "each",
      "each/inner",
      "each/catch/sad",
      "end",
    ]);
    expect(
      edges.map(({ from, to, label, kind }) => `${from} ${label ?? ""}${kind === "error" ? "!" : ""}> ${to}`),
    ).toEqual([
      "start > both",
      "both left> both/left/l",
      "both right> both/right/r",
      "both/right/r > both/right/r2",
      "both/left/l > choice",
      "both/right/r2 > choice",
      "choice 1. when> choice/yes",
      "choice/yes > each",
      "choice none> each",
      "each > each/inner",
      "each catch!> each/catch/sad",
      "each/inner > end",
    ]);
    expect(boxes.find(({ id }) => id === "both/right")?.nodes).toEqual(["both/right/r", "both/right/r2"]);
  });

  test("shows the states of a run; what has not begun is pending, rounds of a loop are counted", () => {
    const states: GraphStates = new Map([
      ["both", { state: "completed", times: 1 }],
      ["each/inner", { state: "failed", times: 3 }],
    ]);
    const nodes = new Map(graphOf(workflow, states).nodes.map((node) => [node.id, node]));
    expect(nodes.get("both")).toMatchObject({ state: "completed", times: null });
    expect(nodes.get("each/inner")).toMatchObject({ state: "failed", times: 3 });
    expect(nodes.get("choice")).toMatchObject({ state: "pending" });
    expect(nodes.get("start")?.state).toBeNull();
  });

  test("as Mermaid and as SVG holds nothing that a file could break out with", () => {
    const graph = graphOf(workflow, new Map([["both", { state: "failed", times: 1 }]]));
    const mermaid = mermaidOf(graph);
    expect(mermaid).toContain('["');
    expect(mermaid).toContain("Every #quot;one#quot; #38; all");
    expect(mermaid).toContain("classDef failed");
    const svg = svgOf(graph);
    expect(svg).toContain("Every &quot;one&quot; &amp; all");
    expect(svg).toContain('class="wf-node wf-parallel wf-state-failed" data-step="both"');
    expect(svg).toContain("both (2 branches): failed");
    expect(svgOf(graph)).toBe(svg);
  });
});

/** Random graphs whose edges point to later nodes, as those of workflows do. */
const graphs = fc.integer({ min: 1, max: 25 }).chain((count) =>
  fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 40 }).map((pairs): Graph => ({
    name: "g",
    nodes: Array.from({ length: count }, (_, index) => ({
      id: `n${index}`,
      kind: "set",
      label: `n${index}`,
      detail: null,
      state: null,
      times: null,
    })),
    edges: pairs
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => ({
        from: `n${Math.min(a, b)}`,
        to: `n${Math.max(a, b)}`,
        label: null,
        kind: "next",
      })),
    boxes: [],
  })),
);

describe("the layout", () => {
  test("puts no two nodes on each other, each below what leads to it, and all inside the picture", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { nodes, edges, width, height } = layOutGraph(graph);
        const at = new Map(nodes.map(({ node, x, y }) => [node.id, { x, y }]));
        for (const { x, y } of nodes) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x + nodeSize.width).toBeLessThanOrEqual(width);
          expect(y + nodeSize.height).toBeLessThanOrEqual(height);
        }
        for (const [index, a] of nodes.entries())
          for (const b of nodes.slice(index + 1))
            expect(Math.abs(a.x - b.x) >= nodeSize.width || Math.abs(a.y - b.y) >= nodeSize.height).toBe(
              true,
            );
        for (const { edge, points } of edges) {
          const [from, to] = [at.get(edge.from)!, at.get(edge.to)!];
          expect(to.y).toBeGreaterThan(from.y);
          expect(points[0]).toEqual([from.x + nodeSize.width / 2, from.y + nodeSize.height]);
          expect(points.at(-1)).toEqual([to.x + nodeSize.width / 2, to.y]);
        }
      }),
    );
  });

  test("leads no line through a node that is not its own", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { nodes, edges } = layOutGraph(graph);
        for (const { points } of edges)
          for (const [index, [x, y]] of points.slice(1).entries()) {
            const [fromX, fromY] = points[index]!;
            for (const node of nodes) {
              const crosses =
                Math.max(x, fromX) > node.x &&
                Math.min(x, fromX) < node.x + nodeSize.width &&
                Math.max(y, fromY) > node.y &&
                Math.min(y, fromY) < node.y + nodeSize.height;
              expect(crosses).toBe(false);
            }
          }
      }),
    );
  });
});
