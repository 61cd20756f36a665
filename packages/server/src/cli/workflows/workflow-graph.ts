/** `homeostat workflow graph` and `workflow schema`: what a file or run looks like, and what files may hold. */
import { graphOf } from "../../workflows/graph.ts";
import { mermaidOf } from "../../workflows/graph-mermaid.ts";
import { svgOf } from "../../workflows/graph-svg.ts";
import { workflowSchema as schemaOfFiles } from "../../workflows/workflow-schema.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface GraphOptions extends GlobalOptions {
  readonly format: "mermaid" | "svg";
}

/** `what` is a file, or the id of a run. */
export async function workflowGraph(
  what: string,
  options: GraphOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const graph = /^run_[0-9a-f]{32}$/.test(what) ? await graphOfRun(what, options) : await graphOfFile(what);
  terminal.result(graph, () => graph[options.format].trimEnd());
  return exitCodes.done;
}

async function graphOfRun(id: string, options: GlobalOptions) {
  const { client } = await connect(options);
  return await client.call("runs.graph", { params: { id } });
}

async function graphOfFile(file: string) {
  const text = (await readUserFile(file)).toString("utf8");
  const graph = graphOf(requireWorkflow(text, { file }));
  return { ...graph, mermaid: mermaidOf(graph), svg: svgOf(graph) };
}

export function workflowSchema(_options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const schema = schemaOfFiles();
  terminal.result(schema, () => JSON.stringify(schema, null, 2));
  return Promise.resolve(exitCodes.done);
}
