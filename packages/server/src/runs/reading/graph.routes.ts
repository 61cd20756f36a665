/** Routes that draw: a workflow before it runs, and a run with the states of its steps. */
import { z } from "zod";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { layOutGraph, nodeSize } from "../../workflows/graph-layout.ts";
import { mermaidOf } from "../../workflows/graph-mermaid.ts";
import { svgOf } from "../../workflows/graph-svg.ts";
import { graphOf } from "../../workflows/graph.ts";
import type { Graph, GraphStates } from "../../workflows/graph.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { requireRun } from "../control/control.ts";
import type { RunState } from "../journal/fold.ts";
import { readState } from "../journal/run-reader.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";
import type { StepRecord } from "../journal/step-record.ts";

const graphSchema = z
  .object({
    name: z.string(),
    nodes: z.array(
      z.object({
        id: z.string().describe("Path in the file; `start` and `end` are the run's own"),
        kind: z.string(),
        label: z.string(),
        detail: z.string().nullable(),
        state: z.string().nullable().describe("Null for a workflow that does not run"),
        times: z
          .number()
          .int()
          .nullable()
          .describe("How often a step inside a loop ran, when more than once"),
        x: z.number().describe("Of the upper left corner, in pixels"),
        y: z.number(),
      }),
    ),
    edges: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        label: z.string().nullable(),
        kind: z.enum(["next", "error"]),
        points: z.array(z.array(z.number())).describe("Corners of its line: x and y of each"),
      }),
    ),
    boxes: z.array(z.object({ id: z.string(), label: z.string(), nodes: z.array(z.string()) })),
    size: z
      .object({ width: z.number(), height: z.number(), nodeWidth: z.number(), nodeHeight: z.number() })
      .describe("Of the picture and of each node, in pixels"),
    mermaid: z.string(),
    svg: z.string(),
  })
  .meta({ id: "WorkflowGraph" });

export function graphRoutes(deps: RunReaderDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/v1/workflows/graph",
      operationId: "workflows.graph",
      summary: "A workflow as a graph",
      description: "Nodes, edges and boxes to draw, and the same as Mermaid text and as SVG.",
      tags: ["workflows"],
      access: "viewer",
      body: z.strictObject({ workflow: z.string().min(1).max(262_144) }),
      response: graphSchema,
      handle: ({ body }) => viewGraph(graphOf(requireWorkflow(body.workflow))),
    }),
    route({
      method: "GET",
      path: "/v1/runs/{id}/graph",
      operationId: "runs.graph",
      summary: "A run as a graph, with the states of its steps",
      tags: ["runs"],
      access: "viewer",
      params: z.object({ id: z.string().min(1).max(64) }),
      response: graphSchema,
      handle: async ({ params, principal }) => {
        await requireRun(deps.store, principal.tenant, params.id);
        const state = await readState(deps, params.id);
        return viewGraph(graphOf(requireWorkflow(state.workflow.text), statesForGraph(state)));
      },
    }),
  ];
}

function viewGraph(graph: Graph) {
  const { width, height, nodes, edges } = layOutGraph(graph);
  return {
    ...graph,
    nodes: nodes.map(({ node, x, y }) => ({ ...node, x, y })),
    edges: edges.map(({ edge, points }) => ({ ...edge, points: points.map((point) => [...point]) })),
    size: { width, height, nodeWidth: nodeSize.width, nodeHeight: nodeSize.height },
    mermaid: mermaidOf(graph),
    svg: svgOf(graph),
  };
}

/** What stands out when the rounds of a loop are in different states. */
const urgency: readonly StepRecord["status"][] = [
  "failed",
  "denied",
  "waiting",
  "retrying",
  "running",
  "cancelled",
  "completed",
  "skipped",
];

/** The steps of a run by their path in the file: rounds of loops fall together. */
function statesForGraph(state: Pick<RunState, "steps">): GraphStates {
  const states = new Map<string, { state: StepRecord["status"]; times: number }>();
  for (const [path, { status }] of state.steps) {
    // Ids begin with a letter, so a part of digits is the number of a round.
    const place = path.replaceAll(/\/\d+(?=\/)/g, "");
    const known = states.get(place);
    const isMoreUrgent = known === undefined || urgency.indexOf(status) < urgency.indexOf(known.state);
    states.set(place, { state: isMoreUrgent ? status : known.state, times: (known?.times ?? 0) + 1 });
  }
  return states;
}
