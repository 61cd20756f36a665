/** `homeostat approvals`: everything that waits for a person, with the exact arguments. */
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { renderApproval } from "../runs/render-run.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface ApprovalsOptions extends GlobalOptions {
  readonly all?: boolean;
}

export async function approvals(options: ApprovalsOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const status = options.all === true ? "all" : "waiting";
  const page = await client.call("approvals.list", { query: { status, limit: 200 } });
  terminal.result(page, (paint) => {
    if (page.data.length === 0) return options.all === true ? "No approvals." : "Nothing waits for a person.";
    return page.data
      .map((approval) =>
        [
          ...renderApproval(approval, paint),
          `  run       ${approval.runId} ${approval.workflow} ${approval.step}`,
        ].join("\n"),
      )
      .join("\n\n");
  });
  return exitCodes.done;
}
