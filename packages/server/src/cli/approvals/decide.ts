/** `homeostat approve`, `reject` and `resolve`: answers to what waits for a person; the first answer counts. */
import type { JsonValue } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const answers = ["approve", "reject", "happened", "did-not-happen", "abandon"] as const;
export type AnswerWord = (typeof answers)[number];

export interface DecideOptions extends GlobalOptions {
  readonly reason?: string;
  /** JSON: arguments to use instead, for `approve`. */
  readonly edit?: string;
  /** Scope in which the same again is not asked, for `approve`. */
  readonly remember?: "run" | "workflow" | "tenant";
  /** How long it is remembered; a duration. */
  readonly for?: string;
  readonly match?: "exact" | "resource";
  /** JSON: what a lost action gave back, for `happened`. */
  readonly result?: string;
}

export async function decide(
  id: string,
  answer: AnswerWord,
  options: DecideOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const result = options.result === undefined ? undefined : parseJson("--result", options.result);
  const edit = options.edit === undefined ? undefined : parseArguments(options.edit);
  const remember = rememberOf(options);
  const { client } = await connect(options);
  const approval = await client.call("approvals.decide", {
    params: { id },
    body: { answer, reason: options.reason, result, edit, remember },
  });
  const more = approval.status === "waiting" ? ` (${approval.votes} of ${approval.quorum} agree)` : "";
  terminal.result(
    approval,
    (paint) =>
      `${paint(answer === "reject" || answer === "abandon" ? "red" : "green", approval.status)}${more}  ${id}  ${approval.summary}\n` +
      `  run ${approval.runId}: homeostat logs -f ${approval.runId}`,
  );
  return exitCodes.done;
}

function rememberOf(options: DecideOptions) {
  const { remember: scope, for: time, match = "exact" } = options;
  if (scope === undefined) {
    if (time === undefined && options.match === undefined) return undefined;
    throw new HomeostatError(
      "USAGE",
      "--for and --match say how --remember remembers; --remember is missing",
    );
  }
  if (time === undefined)
    throw new HomeostatError("USAGE", "--remember needs --for, how long, for example --for 8h");
  return { scope, match, for: time };
}

function parseArguments(text: string): { [name: string]: JsonValue } {
  const value = parseJson("--edit", text);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as { [name: string]: JsonValue };
  throw new HomeostatError("USAGE", "--edit is no JSON object of arguments");
}

function parseJson(option: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new HomeostatError("USAGE", `${option} is not JSON: ${text.slice(0, 80)}`, {}, { cause: error });
  }
}
