/** `homeostat ps`: runs, newest first; without --all only those that are not over. */
import type { RunSummary } from "@homeostat/client/api";
import { systemClock } from "../../base/clock.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatAge } from "../terminal/format-time.ts";
import { formatProgress, stateStyle } from "./render-run.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface PsOptions extends GlobalOptions {
  readonly all?: boolean;
  /** Comma-separated. */
  readonly state?: string;
  readonly workflow?: string;
  readonly limit?: number;
}

/** A dead letter is over for the queue, but not for the person who has to settle it. */
const openStates = "PENDING,QUEUED,RUNNING,RETRYING,WAITING,DEAD";

export async function ps(options: PsOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const state = options.state?.toUpperCase() ?? (options.all === true ? undefined : openStates);
  const { workflow, limit = 50 } = options;
  const page = await client.call("runs.list", { query: { state, workflow, limit } });
  terminal.result(page, (paint) => {
    if (page.data.length === 0)
      return options.all === true || options.state
        ? "No runs."
        : "No open runs; `homeostat ps --all` lists all.";
    const nowMs = systemClock.now();
    const rows = page.data.map((run) => [
      run.id,
      run.state,
      run.workflow.name,
      `${run.stepsDone}/${run.stepsTotal}`,
      formatAge(run.createdAt, nowMs),
      note(run),
    ]);
    const [header = "", ...lines] = formatTable(
      ["RUN", "STATE", "WORKFLOW", "STEPS", "AGE", "NOTE"],
      rows,
      terminal.columns,
    ).split("\n");
    // Painted after the columns are aligned: colour codes have no width.
    const painted = lines.map((line, index) => {
      const { state: name } = page.data[index]!;
      return line.replace(` ${name} `, ` ${paint(stateStyle(name), name)} `);
    });
    const more = page.nextCursor === null ? [] : [paint("dim", `more: homeostat ps --limit ${limit * 2}`)];
    return [paint("bold", header), ...painted, ...more].join("\n");
  });
  return exitCodes.done;
}

function note({ waitingFor, error, fault, progress }: RunSummary): string {
  if (fault !== null) return oneLine(`fault: ${fault.message}`);
  if (waitingFor?.kind === "approval" || waitingFor?.kind === "outcome")
    return `asks: ${waitingFor.id ?? ""}`;
  if (waitingFor !== null && waitingFor !== undefined) {
    const until = waitingFor.until ? ` until ${waitingFor.until}` : "";
    return oneLine(`${waitingFor.reason ?? waitingFor.kind}${until}`);
  }
  if (error !== null) return oneLine(error.message);
  return progress === null ? "" : formatProgress(progress);
}
