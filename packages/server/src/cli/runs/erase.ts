/** `homeostat erase`: destroys the content of a run that is over; what it was stays proved. */
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface EraseOptions extends GlobalOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** Nothing brings it back, so it wants `--yes`. */
export async function erase(id: string, options: EraseOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.yes !== true) {
    const hint = "Add --yes when you are sure.";
    const text = `Erasing ${id} destroys its journal's content, files and artifacts for good`;
    throw new HomeostatError("USAGE", text, { run: id }, { hint });
  }
  const { client } = await connect(options);
  const query = options.reason === undefined ? {} : { reason: options.reason };
  const erasure = await client.call("runs.erase", { params: { id }, query });
  terminal.result(
    erasure,
    (paint) =>
      `${paint("bold", id)}  erased at ${erasure.erasedAt} by ${erasure.by}; its digests stay proved`,
  );
  return exitCodes.done;
}
