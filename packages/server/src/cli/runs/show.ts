/** `homeostat show RUN`: one run with its steps, decisions, approvals and artifacts. */
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { renderDetail } from "./render-run.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function show(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const detail = await client.call("runs.get", { params: { id } });
  terminal.result(detail, (paint) => renderDetail(detail, paint));
  return exitCodes.done;
}
