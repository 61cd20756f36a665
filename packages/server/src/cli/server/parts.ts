/** `homeostat parts`: the supervision tree of the server, with what broke down and was made anew. */
import type { SupervisionTree } from "@homeostat/client/api";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatSpan } from "../terminal/format-time.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export async function parts(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const { tree } = await client.call("status.get", {});
  terminal.result(tree, (paint) => renderTree(tree, paint).join("\n"));
  return tree.health.kind === "failed" ? exitCodes.failed : exitCodes.done;
}

/** One line a place, indented by its depth. Pure. */
export function renderTree(node: SupervisionTree, paint: Paint, depth = 0): readonly string[] {
  const style = { ok: "green", degraded: "yellow", failed: "red" } as const;
  const word = node.state === "running" ? node.health.kind : node.state;
  const facts = [
    node.health.detail === undefined ? undefined : oneLine(node.health.detail),
    node.uptimeMs === null ? undefined : `for ${formatSpan(node.uptimeMs)}`,
    node.restarts === 0 ? undefined : `restarted ${node.restarts} times`,
    node.lastError === null ? undefined : `last error: ${oneLine(node.lastError)}`,
    node.mailbox === null ? undefined : `mailbox ${node.mailbox.length} of ${node.mailbox.capacity}`,
  ];
  const said = facts.filter((fact) => fact !== undefined).join("; ");
  const line = `${"  ".repeat(depth)}${node.name}  ${paint(style[node.health.kind], word)}${said === "" ? "" : `  ${said}`}`;
  return [line, ...node.children.flatMap((child) => renderTree(child, paint, depth + 1))];
}
