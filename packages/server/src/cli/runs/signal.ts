/** `homeostat signal RUN NAME`: wakes a run that waits for a signal, or will. */
import type { JsonValue } from "@homeostat/client/api";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface SignalOptions extends GlobalOptions {
  readonly data?: string;
}

export async function signal(
  { id, name }: { readonly id: string; readonly name: string },
  options: SignalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const run = await client.call("runs.signal", {
    params: { id, name },
    body: options.data === undefined ? {} : { data: parseData(options.data) },
    idempotencyKey: crypto.randomUUID(),
  });
  terminal.result(run, (paint) => `${paint("bold", run.id)}  the signal ${name} is in (now ${run.state})`);
  return exitCodes.done;
}

/** JSON where it is JSON, else the text itself: `--data yes` means what it says. */
function parseData(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // No JSON: a text.
    return text;
  }
}
