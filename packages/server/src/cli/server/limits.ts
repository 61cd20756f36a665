/** `homeostat limits`: how far rates, quotas, places and circuit breakers are used, of all processes and of each; and resetting breakers. */
import type { Operations } from "@homeostat/client/api";
import { formatDuration } from "../../base/duration.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

type State = Operations["limits.get"]["answer"];
type Process = State["processes"][number];

export async function limits(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const state = await client.call("limits.get", {});
  terminal.result(state, (paint) => describeLimits(state, paint, terminal.columns));
  return exitCodes.done;
}

export interface ResetOptions extends GlobalOptions {
  /** Id of one process; all of them without. */
  readonly process?: string;
}

/** Without a target, all of them. */
export async function resetBreakers(
  target: string | undefined,
  options: ResetOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const { process } = options;
  const body = { ...(target === undefined ? {} : { target }), ...(process === undefined ? {} : { process }) };
  const answer = await client.call("limits.resetBreakers", { body });
  terminal.result(answer, (paint) => {
    const lines = answer.processes.flatMap((each) => {
      const whose = `${each.role} ${oneLine(each.host)}:${each.pid}`;
      if (each.targets === null)
        return [paint("yellow", `${whose} has not answered; it does it when it can.`)];
      return each.targets.map((forgotten) => `${oneLine(forgotten)} may be called again by ${whose}.`);
    });
    return lines.length > 0 ? lines.join("\n") : nothingKnown(target);
  });
  return exitCodes.done;
}

function nothingKnown(target: string | undefined): string {
  return target === undefined
    ? "No process had a circuit breaker that counts failures."
    : `No process had counted failures of ${oneLine(target)}; \`homeostat limits\` shows what there is.`;
}

function describeLimits(state: State, paint: Paint, columns: number | undefined): string {
  const isOne = state.processes.length === 1;
  const rows = totalRows(state);
  const told = isOne ? [] : ["", ...processLines(state.processes, paint)];
  const head = ["KIND", "WHOSE", "NOW", ...(isOne ? [] : ["PROCESSES"])];
  if (rows.length > 0) {
    const shown = isOne ? rows.map((row) => row.slice(0, 3)) : rows;
    return [formatTable(head, shown, columns), ...told].join("\n");
  }
  const names = state.configured.map(({ name }) => name).join(", ");
  const nothing =
    names === "" ? "No limits are configured, and nothing has failed." : `Nothing is used yet of: ${names}`;
  return [nothing, ...told].join("\n");
}

function totalRows(state: State): string[][] {
  const of = (processes: number | null): string => (processes === null ? "shared" : String(processes));
  return [
    ...state.buckets.map(({ key, left, count, perMs, processes }) => [
      "rate",
      oneLine(key),
      `${left} of ${count} left per ${formatDuration(perMs)}`,
      of(processes),
    ]),
    ...state.quotas.map(({ key, used, count, endsAt }) => [
      "quota",
      oneLine(key),
      `${used} of ${count} used until ${endsAt}`,
      of(null),
    ]),
    ...state.bulkheads.map(({ key, inUse, atOnce, waiting, refused, processes }) => [
      "at once",
      oneLine(key),
      `${inUse} of ${atOnce} in use, ${waiting} in line, ${refused} turned away`,
      of(processes),
    ]),
    ...state.breakers.map(({ target, state: is, failures, openUntil, processes }) => [
      "breaker",
      oneLine(target),
      `${is} after ${failures} failures${openUntil === null ? "" : `, until ${openUntil}`}`,
      of(processes),
    ]),
    ...state.refusals.map(({ kind, limit, count, lastAt }) => [
      "held back",
      oneLine(limit),
      `${count} times by its ${kind}, last at ${lastAt}`,
      "",
    ]),
  ];
}

/** What is this process's own business: who told what, and which breakers it holds. */
function processLines(processes: readonly Process[], paint: Paint): string[] {
  const rows = processes.map((each) => [
    each.id,
    each.isAnswering ? `${each.role} (answers)` : each.role,
    `${oneLine(each.host)}:${each.pid}`,
    each.reportedAt === null ? "never" : each.reportedAt,
    each.breakers.map(({ target, state }) => `${oneLine(target)} ${state}`).join(", ") || "-",
  ]);
  const silent = processes.filter(({ state }) => state === "silent").map(({ id }) => id);
  const unsaid = processes.reduce((sum, { leftOut }) => sum + leftOut, 0);
  return [
    formatTable(["ID", "ROLE", "PROCESS", "TOLD AT", "BREAKERS"], rows),
    ...(silent.length === 0
      ? []
      : [paint("yellow", `Not heard of lately and in no total: ${silent.join(", ")}`)]),
    ...(unsaid === 0 ? [] : [paint("yellow", `${unsaid} entries were too many to be told.`)]),
  ];
}
