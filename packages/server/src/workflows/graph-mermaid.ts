/** A graph as Mermaid text, for documents and places that draw it themselves. Pure. */
import type { Graph, GraphNode } from "./graph.ts";

/** Opening and closing of a node's shape. */
const shapes: Readonly<Record<GraphNode["kind"], readonly [string, string]>> = {
  start: ["([", "])"],
  end: ["([", "])"],
  tool: ["[", "]"],
  set: ["[", "]"],
  workflow: ["[[", "]]"],
  approval: ["{{", "}}"],
  wait: ["(", ")"],
  branch: ["{", "}"],
  for_each: ["[/", "/]"],
  parallel: ["[/", "/]"],
  group: ["[/", "/]"],
};

const stateColours: Readonly<Record<string, string>> = {
  completed: "fill:#d9f2df,stroke:#2f7d46",
  running: "fill:#dcebff,stroke:#2563c4",
  waiting: "fill:#fff1cf,stroke:#9a6b00",
  retrying: "fill:#fff1cf,stroke:#9a6b00",
  failed: "fill:#fde0de,stroke:#b3261e",
  denied: "fill:#fde0de,stroke:#b3261e",
  cancelled: "fill:#eeeeee,stroke:#6b6b6b",
  skipped: "fill:#eeeeee,stroke:#6b6b6b",
};

export function mermaidOf(graph: Graph): string {
  const ids = new Map(graph.nodes.map(({ id }, index) => [id, `n${index}`]));
  const name = (id: string): string => ids.get(id) ?? "n0";
  const lines = ["flowchart TD"];
  for (const node of graph.nodes) {
    const [open, close] = shapes[node.kind];
    lines.push(`  ${name(node.id)}${open}"${textOf(node)}"${close}`);
  }
  for (const { from, to, label, kind } of graph.edges) {
    const arrow = kind === "error" ? "-.->" : "-->";
    lines.push(`  ${name(from)} ${arrow}${label === null ? "" : `|"${escape(label)}"|`} ${name(to)}`);
  }
  const used = [...new Set(graph.nodes.flatMap(({ state }) => (state === null ? [] : [state])))].sort();
  for (const state of used) {
    const colours = stateColours[state];
    if (colours === undefined) continue;
    const members = graph.nodes.filter((node) => node.state === state).map(({ id }) => name(id));
    lines.push(`  classDef ${state} ${colours}`, `  class ${members.join(",")} ${state}`);
  }
  return `${lines.join("\n")}\n`;
}

function textOf({ label, detail, times }: GraphNode): string {
  const count = times === null ? "" : ` ×${times}`;
  return detail === null ? escape(label) : `${escape(label)}<br/><small>${escape(detail)}${count}</small>`;
}

/** Mermaid reads entities with `#`; a quote would end the text, a bracket begin HTML. */
function escape(text: string): string {
  return text
    .replaceAll("#", "#35;")
    .replaceAll("&", "#38;")
    .replaceAll('"', "#quot;")
    .replaceAll("<", "#lt;")
    .replaceAll(">", "#gt;")
    .replaceAll(/\s+/g, " ");
}
