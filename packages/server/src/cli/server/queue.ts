/** `homeostat queue`: how full the lanes are, how long the oldest run waits, and which limits hold runs back. */
import { systemClock } from "../../base/clock.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatAge, formatSpan } from "../terminal/format-time.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function queue(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const levels = await client.call("queue.get");
  terminal.result(levels, () => {
    const nowMs = systemClock.now();
    const lanes = levels.lanes.map(({ priority, due, later, held, oldestDueAt }) => [
      priority,
      String(due),
      String(later),
      String(held),
      oldestDueAt === null ? "" : formatAge(oldestDueAt, nowMs),
    ]);
    const limits = levels.limits.map(({ scope, name, concurrency, rate, held, begun, due, isFull }) => [
      `${scope} ${oneLine(name)}`,
      concurrency === null ? "" : `${held} of ${concurrency}`,
      rate === null ? "" : `${begun ?? 0} of ${rate.count} in ${formatSpan(rate.perMs)}`,
      String(due),
      isFull ? "full" : "",
    ]);
    return [
      formatTable(["LANE", "DUE", "LATER", "HELD", "OLDEST"], lanes),
      ...(limits.length === 0
        ? []
        : ["", formatTable(["LIMIT", "AT ONCE", "BEGUN", "DUE", ""], limits, terminal.columns)]),
    ].join("\n");
  });
  return exitCodes.done;
}
