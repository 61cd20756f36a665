/** A workflow drawn: steps from top to bottom, coloured by state in a run; each node may lead to its step. */
import { useId, type ReactElement, type ReactNode } from "react";
import type { StepState } from "../api/contract.ts";
import type { WorkflowGraph } from "../api/run-calls.ts";
import { boxShapes } from "./box-shapes.ts";
import { stepLooks } from "../ui/state.ts";
import "./graph.css";

type Node = WorkflowGraph["nodes"][number];

interface Props {
  readonly graph: WorkflowGraph;
  /** Wraps what is drawn of a step, for example in a link; what is drawn says its name, kind and state as text. */
  readonly wrap?: (node: Node, drawn: ReactNode) => ReactNode;
}

/** Room beside the picture for labels of lines at its edge. */
const side = 8;

export function GraphPicture({ graph, wrap }: Props): ReactElement {
  const arrow = useId();
  const { width, height } = graph.size;
  const steps = graph.nodes.filter(isStep);
  return (
    <div className="graph" tabIndex={0} role="region" aria-label={`Graph of ${graph.name}`}>
      <svg
        width={width + 2 * side}
        height={height}
        viewBox={`${-side} 0 ${width + 2 * side} ${height}`}
        {...(wrap === undefined
          ? { role: "img", "aria-label": `${graph.name}: ${steps.map(labelOf).join("; ")}` }
          : {})}
      >
        <defs>
          <marker
            id={arrow}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            orient="auto"
          >
            <path className="graph-arrow" d="M0 .6 8 4 0 7.4z" />
          </marker>
        </defs>
        {boxShapes(graph).map(({ id, ...shape }) => (
          <rect className="graph-box" key={id} {...shape} rx={12} />
        ))}
        {graph.edges.map((edge, index) => (
          <Edge key={index} edge={edge} arrow={arrow} />
        ))}
        {graph.nodes.map((node) => {
          const drawn = <NodeShape node={node} size={graph.size} />;
          return <g key={node.id}>{wrap === undefined || !isStep(node) ? drawn : wrap(node, drawn)}</g>;
        })}
      </svg>
    </div>
  );
}

function Edge({
  edge,
  arrow,
}: {
  readonly edge: WorkflowGraph["edges"][number];
  readonly arrow: string;
}): ReactElement {
  const [x = 0, y = 0] = edge.points.at(-1) ?? [];
  const path = edge.points.map(([left = 0, top = 0], index) => `${index === 0 ? "M" : "L"}${left} ${top}`);
  return (
    <>
      <path className="graph-edge" data-kind={edge.kind} d={path.join(" ")} markerEnd={`url(#${arrow})`} />
      {edge.label !== null && (
        <text className="graph-label" x={x + 6} y={y - 10}>
          {shorten(edge.label, 24)}
        </text>
      )}
    </>
  );
}

function NodeShape({
  node,
  size,
}: {
  readonly node: Node;
  readonly size: WorkflowGraph["size"];
}): ReactElement {
  const { nodeWidth: width, nodeHeight: height } = size;
  const middle = node.x + width / 2;
  const times = node.times === null ? "" : ` ×${node.times}`;
  const state = node.state as StepState | null;
  const look = state === null ? undefined : stepLooks[state];
  return (
    <g
      className="graph-node"
      data-kind={node.kind}
      data-state={node.state ?? undefined}
      data-tone={look?.tone}
    >
      <rect x={node.x} y={node.y} width={width} height={height} rx={isStep(node) ? 9 : height / 2} />
      <text x={middle} y={node.y + (node.detail === null ? height / 2 + 5 : 22)} textAnchor="middle">
        {shorten(node.label, 24)}
      </text>
      {node.detail !== null && (
        <text className="graph-detail" x={middle} y={node.y + 40} textAnchor="middle">
          {shorten(`${node.detail}${times}`, 30)}
        </text>
      )}
      {look !== undefined && state !== "pending" && (
        <text className="graph-state" x={node.x + 8} y={node.y - 5}>
          {look.label}
        </text>
      )}
    </g>
  );
}

function isStep({ kind }: Node): boolean {
  return kind !== "start" && kind !== "end";
}

/** State and times in words: colours alone tell nothing to many people. */
function labelOf({ label, detail, state, times }: Node): string {
  const what = detail === null ? label : `${label}, ${detail}`;
  const said = state === null ? "" : `: ${stepLooks[state as StepState]?.label ?? state}`;
  return `${what}${said}${times === null ? "" : `, ${times} times`}`;
}

function shorten(text: string, most: number): string {
  const letters = [...text.replaceAll(/\s+/g, " ")];
  return letters.length <= most ? letters.join("") : `${letters.slice(0, most - 1).join("")}…`;
}
