/** `homeostat steer RUN MESSAGE`: says something to a run that goes on. */
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function steer(
  id: string,
  message: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const run = await client.call("runs.steer", { params: { id }, body: { message } });
  terminal.result(run, (paint) => `${paint("bold", run.id)}  the message is on its way (now ${run.state})`);
  return exitCodes.done;
}
