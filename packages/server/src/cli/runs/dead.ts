/** `homeostat dead list|show|retry|discard`: runs that used up their attempts and wait for a person. */
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface DeadFilterOptions extends GlobalOptions {
  readonly workflow?: string;
  readonly code?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
}

export interface DeadSettleOptions extends DeadFilterOptions {
  readonly all?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export async function listDead(options: DeadFilterOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const { limit = 50 } = options;
  const page = await client.call("deadLetters.list", { query: { ...filterOf(options), limit } });
  terminal.result(page, (paint) => {
    if (page.data.length === 0) return "No dead letters.";
    const rows = page.data.map((run) => [
      run.id,
      run.workflow.name,
      run.endedAt ?? "",
      `${run.attempts}/${run.maxAttempts}`,
      run.error?.code ?? "",
      oneLine(run.error?.message ?? ""),
    ]);
    const groups = page.groups.map(
      ({ workflow, code, count }) => `${String(count).padStart(5)}  ${workflow}  ${code}`,
    );
    const more =
      page.nextCursor === null ? [] : [paint("dim", `more: homeostat dead list --limit ${limit * 2}`)];
    return [
      formatTable(["RUN", "WORKFLOW", "DIED", "TRIES", "CODE", "ERROR"], rows, terminal.columns),
      ...more,
      "",
      paint("bold", "How many died of what"),
      ...groups,
    ].join("\n");
  });
  return exitCodes.done;
}

export async function showDead(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const letter = await client.call("deadLetters.get", { params: { id } });
  terminal.result(letter, (paint) => {
    const { run, history } = letter;
    const lines = history.map(({ at, kind, step, attempt, error }) =>
      oneLine(
        [
          at,
          kind,
          step ?? "",
          attempt === null ? "" : `try ${attempt}`,
          error === null ? "" : `${error.message} (${error.code})`,
        ]
          .filter((part) => part !== "")
          .join("  "),
      ),
    );
    const { error } = run;
    return [
      `${paint("bold", run.id)}  ${run.workflow.name}  ${paint("red", run.state)}, ${run.stepsDone} of ${run.stepsTotal} steps`,
      ...(error === null ? [] : [`  error  ${oneLine(error.message)} (${error.code})`]),
      ...(error?.hint === undefined ? [] : [`  hint   ${oneLine(error.hint)}`]),
      "",
      ...lines,
      "",
      `  ${paint("cyan", `homeostat dead retry ${run.id}`)}`,
      `  ${paint("cyan", `homeostat dead discard ${run.id}`)}`,
    ].join("\n");
  });
  return exitCodes.done;
}

/** Exit code 1 when any of them failed. */
export async function settleDead(
  action: "retry" | "discard",
  ids: readonly string[],
  options: DeadSettleOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  requireChoice(action, ids, options);
  const { client } = await connect(options);
  const { reason, limit, dryRun } = options;
  const chosen = options.all === true ? { all: true, ...filterOf(options) } : { ids: [...ids] };
  const answer = await client.call(`deadLetters.${action}`, { body: { ...chosen, reason, limit, dryRun } });
  terminal.result(answer, (paint) => {
    const word = dryRun === true ? "would be done" : "done";
    const lines = answer.results.map(({ id, ok, error }) =>
      ok
        ? `${paint("green", word)}  ${id}`
        : `${paint("red", "failed")}  ${id}  ${oneLine(error?.message ?? "")} (${error?.code ?? ""})`,
    );
    const more = answer.hasMore ? "; more fit: ask again" : "";
    return [...lines, `${action}: ${answer.done} ${word}, ${answer.failed} failed${more}`].join("\n");
  });
  return answer.failed === 0 ? exitCodes.done : exitCodes.failed;
}

function requireChoice(action: string, ids: readonly string[], options: DeadSettleOptions): void {
  if (ids.length > 0 !== (options.all === true)) return;
  const hint = `homeostat dead ${action} RUN, or homeostat dead ${action} --all --workflow NAME --code CODE`;
  throw new HomeostatError("USAGE", "Name the runs, or say --all", {}, { hint });
}

function filterOf({ workflow, code, since, until }: DeadFilterOptions) {
  return {
    ...(workflow === undefined ? {} : { workflow }),
    ...(code === undefined ? {} : { code: code.toUpperCase() }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
