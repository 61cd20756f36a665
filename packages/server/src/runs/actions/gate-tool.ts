/** A tool as the gate sees it: its schema, its look at the world bound to one run's roots, and its bounds. */
import type { GateTool } from "../../gate/gate-input.ts";
import { parseArguments } from "../../tools/prepare-action.ts";
import type { AnyTool, ToolContext } from "../../tools/tool.ts";

export function createGateTool(tool: AnyTool, context: Pick<ToolContext, "roots" | "runId">): GateTool {
  return {
    name: tool.name,
    defaultTimeoutMs: tool.defaultTimeoutMs,
    maxTimeoutMs: tool.maxTimeoutMs,
    parse: (args) => parseArguments(tool, args),
    // The gate hands back what `parse` gave.
    resolve: (parsed) => tool.resolve(parsed as never, context),
  };
}
