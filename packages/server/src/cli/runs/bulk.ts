/** `homeostat cancel --all ...` and its kin: one command for many runs. */
import type { RunSummary } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export type BulkAction = "cancel" | "pause" | "resume" | "retry" | "discard" | "rerun";

export interface BulkOptions extends GlobalOptions {
  readonly all?: boolean;
  readonly workflow?: string;
  /** Comma-separated. */
  readonly state?: string;
  readonly label?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Exit code 1 when any of them failed. */
export async function bulk(action: BulkAction, options: BulkOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const { workflow, label, reason, limit, cursor } = options;
  // The server refuses what is no state, with the list of those there are.
  const states = options.state?.toUpperCase().split(",") as RunSummary["state"][] | undefined;
  const answer = await client.call("runs.bulk", {
    body: {
      action,
      filter: {
        ...(states === undefined ? {} : { states }),
        ...(workflow === undefined ? {} : { workflow }),
        ...(label === undefined ? {} : { label }),
      },
      ...(reason === undefined ? {} : { reason }),
      ...(limit === undefined ? {} : { limit }),
      ...(cursor === undefined ? {} : { cursor }),
      confirm: options.yes === true,
      dryRun: options.dryRun === true,
    },
  });
  terminal.result(answer, (paint) => {
    const lines = answer.results.map(({ id, ok, newRunId, error }) => {
      const word = ok ? paint("green", answer.dryRun ? "would do" : "done    ") : paint("red", "failed  ");
      const detail = error === null ? (newRunId ?? "") : `${oneLine(error.message)} (${error.code})`;
      return `${word} ${id}  ${detail}`.trimEnd();
    });
    const what = answer.dryRun ? `${answer.done} would be done` : `${answer.done} done`;
    const more = answer.nextCursor === null ? "" : `; more match: go on with --cursor ${answer.nextCursor}`;
    return [...lines, `${action}: ${what}, ${answer.failed} failed${more}`].join("\n");
  });
  return answer.failed === 0 ? exitCodes.done : exitCodes.failed;
}

/** A run or --all, not both and not neither. Throws USAGE. */
export function requireOneOrAll(action: string, id: string | undefined, all: boolean | undefined): void {
  if ((id === undefined) === (all === true)) return;
  const hint = `homeostat ${action} RUN, or homeostat ${action} --all --workflow NAME --state STATE`;
  throw new HomeostatError("USAGE", "Name one run, or say --all", {}, { hint });
}
