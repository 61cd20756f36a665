/** `homeostat logs [-f] [RUN]`: a run's journal as lines, or the server's own log when no run is named. */
import type { RunEvent } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { connect, loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { formatEventLine } from "./describe-event.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { followRun } from "./follow-run.ts";
import { formatClock } from "../terminal/format-time.ts";
import { catchInterrupt } from "../terminal/interrupt.ts";
import { formatLogLine, readLogLines } from "../server/server-log.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface LogsOptions extends GlobalOptions {
  readonly follow?: boolean;
  readonly lines?: number;
}

/** `-f` with --json prints JSON lines; without it everything is one document. */
export async function logs(
  id: string | undefined,
  options: LogsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return id === undefined ? serverLog(options, terminal) : runLog(id, options, terminal);
}

async function runLog(id: string, options: LogsOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  if (options.follow === true) {
    using interrupt = catchInterrupt(undefined);
    const followed = await followRun({
      client,
      runId: id,
      after: 0,
      signal: interrupt.signal,
      throughApprovals: true,
      onEvent: (event) => terminal.line(event, (paint) => formatEvent(event, paint)),
    });
    return followed === "aborted" ? exitCodes.interrupted : exitCodes.done;
  }
  const events: RunEvent[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.call("runs.events", { params: { id }, query: { limit: 200, cursor } });
    events.push(...page.data);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  terminal.result({ data: events }, (paint) => events.map((event) => formatEvent(event, paint)).join("\n"));
  return exitCodes.done;
}

function formatEvent(event: RunEvent, paint: Paint): string {
  return `${paint("dim", formatClock(event.at))} ${formatEventLine(event, paint) ?? paint("dim", `${event.kind} ${event.step ?? ""}`)}`;
}

async function serverLog(options: LogsOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.url !== undefined) {
    throw new HomeostatError(
      "USAGE",
      "The server's own log is a file; only a run's log can be read with --url",
    );
  }
  const { config } = loadOptions(options);
  if (config.log.file === undefined) {
    throw new HomeostatError("NOT_FOUND", "The server writes its log to standard error (log.file is none)");
  }
  using interrupt = catchInterrupt(undefined);
  const reading = { path: config.log.file, lines: options.lines ?? 100, follow: options.follow === true };
  const lines: unknown[] = [];
  for await (const line of readLogLines(reading, interrupt.signal)) {
    if (reading.follow) terminal.line(line, (paint) => formatLogLine(line, paint));
    else lines.push(line);
  }
  if (reading.follow) return exitCodes.interrupted;
  terminal.result({ data: lines }, (paint) => lines.map((line) => formatLogLine(line, paint)).join("\n"));
  return exitCodes.done;
}
