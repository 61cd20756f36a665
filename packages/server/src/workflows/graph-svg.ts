/** A graph as SVG: readable alone, named for screen readers, and themable by its CSS classes. Pure; the same graph gives the same bytes. */
import { layOutGraph, nodeSize } from "./graph-layout.ts";
import type { PlacedEdge, PlacedNode } from "./graph-layout.ts";
import type { Graph, GraphNode } from "./graph.ts";

/** A page that embeds the picture sets these variables to its own colours. */
const style = `.wf{font:13px system-ui,sans-serif;--wf-ink:#1d2433;--wf-line:#7a869a;--wf-paper:#ffffff;--wf-soft:#5b6577}
.wf-node rect{fill:var(--wf-paper);stroke:var(--wf-line);stroke-width:1.5}
.wf-node text{fill:var(--wf-ink)}.wf-detail{fill:var(--wf-soft)!important;font-size:11px}
.wf-edge{fill:none;stroke:var(--wf-line);stroke-width:1.5}.wf-edge-error{stroke-dasharray:5 4}
.wf-edge-label{fill:var(--wf-soft);font-size:11px}.wf-arrow{fill:var(--wf-line)}
.wf-start rect,.wf-end rect{rx:26}.wf-approval rect{stroke-width:3}
.wf-state-completed rect{fill:#d9f2df;stroke:#2f7d46}.wf-state-running rect{fill:#dcebff;stroke:#2563c4}
.wf-state-waiting rect,.wf-state-retrying rect{fill:#fff1cf;stroke:#9a6b00}
.wf-state-failed rect,.wf-state-denied rect{fill:#fde0de;stroke:#b3261e}
.wf-state-skipped rect,.wf-state-cancelled rect{fill:#eeeeee;stroke:#6b6b6b}
.wf-state-pending rect{stroke-dasharray:3 3}`;

export function svgOf(graph: Graph): string {
  const layout = layOutGraph(graph);
  const { width, height } = layout;
  const title = `Workflow ${graph.name}`;
  const steps = graph.nodes.filter(({ kind }) => kind !== "start" && kind !== "end");
  const description = `${steps.length} steps: ${steps.map(describe).join("; ")}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="wf" role="img" aria-labelledby="wf-title wf-desc" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title id="wf-title">${escape(title)}</title>`,
    `<desc id="wf-desc">${escape(description)}</desc>`,
    `<style>${style}</style>`,
    '<defs><marker id="wf-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="wf-arrow" d="M0 0 8 4 0 8z"/></marker></defs>',
    ...layout.edges.map(drawEdge),
    ...layout.nodes.map(drawNode),
    "</svg>\n",
  ].join("\n");
}

function drawEdge({ edge, points }: PlacedEdge): string {
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ");
  const line = `<path class="wf-edge wf-edge-${edge.kind}" d="${path}" marker-end="url(#wf-arrow)"/>`;
  if (edge.label === null) return line;
  const [x, y] = points.at(-1) ?? [0, 0];
  return `${line}\n<text class="wf-edge-label" x="${x + 6}" y="${y - 10}">${escape(shorten(edge.label, 24))}</text>`;
}

function drawNode({ node, x, y }: PlacedNode): string {
  const state = node.state === null ? "" : ` wf-state-${node.state}`;
  const middle = x + nodeSize.width / 2;
  const hasDetail = node.detail !== null;
  const times = node.times === null ? "" : ` ×${node.times}`;
  return [
    `<g class="wf-node wf-${node.kind}${state}" data-step="${escape(node.id)}">`,
    `<title>${escape(describe(node))}</title>`,
    `<rect x="${x}" y="${y}" width="${nodeSize.width}" height="${nodeSize.height}" rx="8"/>`,
    `<text x="${middle}" y="${y + (hasDetail ? 22 : 31)}" text-anchor="middle">${escape(shorten(node.label, 26))}</text>`,
    ...(node.detail === null
      ? []
      : [
          `<text class="wf-detail" x="${middle}" y="${y + 40}" text-anchor="middle">${escape(shorten(node.detail + times, 30))}</text>`,
        ]),
    "</g>",
  ].join("");
}

/** State and times are said in words: colours alone tell nothing to many people. */
function describe({ label, detail, state, times }: GraphNode): string {
  const what = detail === null ? label : `${label} (${detail})`;
  const count = times === null ? "" : `, ${times} times`;
  return `${what}${state === null ? "" : `: ${state}`}${count}`;
}

function shorten(text: string, most: number): string {
  const letters = [...text.replaceAll(/\s+/g, " ")];
  return letters.length <= most ? letters.join("") : `${letters.slice(0, most - 1).join("")}…`;
}

function escape(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // Characters XML cannot hold at all.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
  );
}
