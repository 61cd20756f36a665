/** `homeostat approve`, `reject` and `resolve`: answers to what waits for a person; the first answer counts. */
import type { JsonValue } from "@homeostat/client/api";
import { HomeostatError } from "../base/error.ts";
import { connect } from "./connect.ts";
import type { GlobalOptions } from "./connect.ts";
import { exitCodes } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

export const answers = ["approve", "reject", "happened", "did-not-happen", "abandon"] as const;
export type ApprovalAnswer = (typeof answers)[number];

export interface DecideOptions extends GlobalOptions {
  readonly reason?: string;
  /** JSON: what a lost action gave back, for `happened`. */
  readonly result?: string;
}

export async function decide(
  id: string,
  answer: ApprovalAnswer,
  options: DecideOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const result = options.result === undefined ? undefined : parseResult(options.result);
  const { client } = await connect(options);
  const approval = await client.call("approvals.decide", {
    params: { id },
    body: { answer, reason: options.reason, result },
  });
  terminal.result(
    approval,
    (paint) =>
      `${paint(answer === "reject" || answer === "abandon" ? "red" : "green", approval.status)}  ${id}  ${approval.summary}\n` +
      `  run ${approval.runId}: homeostat logs -f ${approval.runId}`,
  );
  return exitCodes.done;
}

function parseResult(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new HomeostatError("USAGE", `--result is not JSON: ${text.slice(0, 80)}`, {}, { cause: error });
  }
}
