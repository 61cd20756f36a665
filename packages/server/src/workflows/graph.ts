/** A workflow as a graph: nodes, edges, and boxes around the steps inside steps. Pure; the same file gives the same graph. */
import type { Step, StepKind, Workflow } from "./workflow.ts";
import { handlerNames } from "./workflow.ts";

export interface GraphNode {
  /** Path in the file, such as `each/read`; `start` and `end` are the run's own. */
  readonly id: string;
  readonly kind: StepKind | "start" | "end";
  readonly label: string;
  /** The tool, signal, workflow or condition: the second line. */
  readonly detail: string | null;
  /** State of the step in a run; null for a workflow that does not run. */
  readonly state: string | null;
  /** How often a step inside a loop ran, when more than once. */
  readonly times: number | null;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** A branch's name or condition. */
  readonly label: string | null;
  /** `error`: taken when the step fails or is undone. */
  readonly kind: "next" | "error";
}

/** Steps that belong together: the inside of a step or one of its handlers. */
export interface GraphBox {
  readonly id: string;
  readonly label: string;
  readonly nodes: readonly string[];
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly boxes: readonly GraphBox[];
}

/** State of a step by its path in the file; see `statesForGraph` of runs. */
export type GraphStates = ReadonlyMap<string, { readonly state: string; readonly times: number }>;

interface Drawing {
  readonly nodes: GraphNode[];
  readonly edges: GraphEdge[];
  readonly boxes: GraphBox[];
  readonly states: GraphStates | null;
}

/** The ends of a list of steps: what the next one is joined to, with the edge's label. */
interface Loose {
  readonly from: string;
  readonly label: string | null;
}

export function graphOf(
  workflow: Pick<Workflow, "name" | "steps">,
  states: GraphStates | null = null,
): Graph {
  const drawing: Drawing = { nodes: [], edges: [], boxes: [], states };
  drawing.nodes.push(endpoint("start", workflow.name));
  const ends = drawList(workflow.steps, { prefix: "", from: [{ from: "start", label: null }] }, drawing);
  drawing.nodes.push(endpoint("end", "end"));
  join(ends, "end", drawing);
  const { nodes, edges, boxes } = drawing;
  return { name: workflow.name, nodes, edges, boxes };
}

function endpoint(kind: "start" | "end", label: string): GraphNode {
  return { id: kind, kind, label, detail: null, state: null, times: null };
}

/** Where a list stands, and what its first step is joined to. */
interface Spot {
  readonly prefix: string;
  readonly from: readonly Loose[];
}

function drawList(steps: readonly Step[], { prefix, from }: Spot, drawing: Drawing): readonly Loose[] {
  return steps.reduce((loose, step) => drawStep(step, { prefix, from: loose }, drawing), from);
}

function drawStep(step: Step, { prefix, from }: Spot, drawing: Drawing): readonly Loose[] {
  const id = prefix + step.id;
  drawing.nodes.push(nodeOf(step, id, drawing.states));
  join(from, id, drawing);
  const ends = drawInside(step, id, drawing);
  for (const handler of handlerNames) {
    if (step[handler].length === 0) continue;
    drawBox({ id: `${id}/${handler}`, label: `${handler} ${step.id}` }, drawing, () => {
      const [first] = step[handler];
      drawing.edges.push({ from: id, to: `${id}/${handler}/${first!.id}`, label: handler, kind: "error" });
      drawList(step[handler], { prefix: `${id}/${handler}/`, from: [] }, drawing);
    });
  }
  return ends;
}

/** Draws what is inside and gives where the steps behind it go on from. */
function drawInside(step: Step, id: string, drawing: Drawing): readonly Loose[] {
  const here: Loose = { from: id, label: null };
  switch (step.kind) {
    case "branch": {
      const ends = step.arms.flatMap((arm, index) => {
        const label = arm.when === null ? "else" : `${index + 1}. when`;
        return drawList(arm.steps, { prefix: `${id}/`, from: [{ from: id, label }] }, drawing);
      });
      // Without `else` the branch may do nothing.
      return step.arms.some(({ when }) => when === null) ? ends : [...ends, { from: id, label: "none" }];
    }
    case "parallel":
      return step.branches.flatMap(({ name, steps }) => {
        let ends: readonly Loose[] = [];
        drawBox({ id: `${id}/${name}`, label: name }, drawing, () => {
          ends = drawList(steps, { prefix: `${id}/${name}/`, from: [{ from: id, label: name }] }, drawing);
        });
        return ends;
      });
    case "for_each":
    case "group": {
      let ends: readonly Loose[] = [];
      const label = step.kind === "group" ? step.id : `for each ${step.as}`;
      drawBox({ id, label }, drawing, () => {
        ends = drawList(step.steps, { prefix: `${id}/`, from: [here] }, drawing);
      });
      return ends;
    }
    case "tool":
    case "workflow":
    case "approval":
    case "wait":
    case "set":
      return [here];
  }
}

function drawBox(box: Omit<GraphBox, "nodes">, drawing: Drawing, draw: () => void): void {
  const before = drawing.nodes.length;
  draw();
  const nodes = drawing.nodes.slice(before).map(({ id }) => id);
  drawing.boxes.push({ ...box, nodes });
}

function join(from: readonly Loose[], to: string, { edges }: Drawing): void {
  for (const loose of from) edges.push({ from: loose.from, to, label: loose.label, kind: "next" });
}

function nodeOf(step: Step, id: string, states: GraphStates | null): GraphNode {
  const known = states?.get(id);
  return {
    id,
    kind: step.kind,
    label: step.title ?? step.id,
    detail: detailOf(step),
    state: states === null ? null : (known?.state ?? "pending"),
    times: known !== undefined && known.times > 1 ? known.times : null,
  };
}

function detailOf(step: Step): string | null {
  switch (step.kind) {
    case "tool":
      return step.action;
    case "workflow":
      return `workflow ${step.source.value}`;
    case "wait":
      return step.wait.kind === "signal" ? `signal ${step.wait.name}` : `wait ${step.wait.kind}`;
    case "for_each":
      return step.concurrency > 1 ? `for each, ${step.concurrency} at a time` : "for each";
    case "parallel":
      return `${step.branches.length} branches`;
    case "branch":
    case "group":
    case "approval":
    case "set":
      return step.kind;
  }
}
