/** `homeostat limits`: how far rates, quotas, places and circuit breakers are used. */
import { formatDuration } from "../base/duration.ts";
import { connect } from "./connect.ts";
import type { GlobalOptions } from "./connect.ts";
import { exitCodes } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export async function limits(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const state = await client.call("limits.get", {});
  terminal.result(state, () => {
    const rows = [
      ...state.buckets.map(({ key, left, count, perMs }) => [
        "rate",
        key,
        `${left} of ${count} left per ${formatDuration(perMs)}`,
      ]),
      ...state.quotas.map(({ key, used, count, endsAt }) => [
        "quota",
        key,
        `${used} of ${count} used until ${endsAt}`,
      ]),
      ...state.bulkheads.map(({ key, inUse, atOnce, waiting, refused }) => [
        "at once",
        key,
        `${inUse} of ${atOnce} in use, ${waiting} in line, ${refused} turned away`,
      ]),
      ...state.breakers.map(({ target, state: is, failures, openUntil }) => [
        "breaker",
        target,
        `${is} after ${failures} failures${openUntil === null ? "" : `, until ${openUntil}`}`,
      ]),
      ...state.refusals.map(({ kind, limit, count, lastAt }) => [
        "held back",
        limit,
        `${count} times by its ${kind}, last at ${lastAt}`,
      ]),
    ];
    if (rows.length > 0) return formatTable(["KIND", "WHOSE", "NOW"], rows, terminal.columns);
    const names = state.configured.map(({ name }) => name).join(", ");
    return names === ""
      ? "No limits are configured, and nothing has failed."
      : `Nothing is used yet of: ${names}`;
  });
  return exitCodes.done;
}
