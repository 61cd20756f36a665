/** `homeostat workers`: which processes work on the database, what they have, and what waiting runs lack. */
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface WorkersOptions extends GlobalOptions {
  /** Those that ended in the last seven days too. */
  readonly all?: boolean;
}

export async function workers(options: WorkersOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const answer = await client.call("workers.list", { query: options.all === true ? { all: "true" } : {} });
  terminal.result(answer, (paint) => {
    const revisions = new Set(answer.data.map(({ policyRevision }) => policyRevision));
    const rows = answer.data.map((each) => [
      each.role,
      each.state,
      `${oneLine(each.host)}:${each.pid}`,
      each.version,
      each.concurrency === 0 ? "" : `${each.active}/${each.concurrency}`,
      each.policyRevision.slice(0, 8),
      each.languages.join(" "),
      oneLine(each.roots.join(" ")),
      each.url,
    ]);
    const heads = ["ROLE", "STATE", "PROCESS", "VERSION", "RUNS", "POLICY", "LANGUAGES", "ROOTS", "URL"];
    return [
      formatTable(heads, rows),
      ...(revisions.size > 1 ? [paint("yellow", "They do not all have the same policy.yaml.")] : []),
      ...answer.unmet.map(({ need, runs }) =>
        paint("yellow", `${runs} due runs need ${oneLine(need)}, which no running process has.`),
      ),
    ].join("\n");
  });
  return exitCodes.done;
}
