/** `homeostat cancel`, `pause`, `resume`, `retry` and `discard`: what a person may do to a run. */
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

export type ControlCommand = "cancel" | "pause" | "resume" | "retry" | "discard";

export interface ControlOptions extends GlobalOptions {
  readonly reason?: string;
}

export async function control(
  id: string,
  command: ControlCommand,
  options: ControlOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const run = await client.call(`runs.${command}`, { params: { id }, body });
  terminal.result(run, (paint) => {
    // A run that is being worked on hears of it within moments; until then it shows its state of before.
    const isDone = run.state === "CANCELLED" || command === "retry";
    return `${paint("bold", run.id)}  ${isDone ? run.state : `${command} is on its way (now ${run.state})`}`;
  });
  return exitCodes.done;
}
