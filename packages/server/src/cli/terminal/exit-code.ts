/** The exit codes of every command, as docs/cli.md lists them. */
import { isApiError } from "@homeostat/client/api-error";
import { isHomeostatError } from "../../base/error.ts";

export const exitCodes = {
  done: 0,
  /** Failed, or not intact. */
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  waiting: 5,
  timeout: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** By the error's code alone, whether it was thrown here or answered by a server. */
export function exitCodeOf(error: unknown): ExitCode {
  const code = isHomeostatError(error) || isApiError(error) ? error.code : "INTERNAL";
  // What a command asks for comes from its arguments, so a request the server calls invalid is wrong usage too.
  if (["USAGE", "INPUTS_INVALID", "REQUEST_INVALID"].includes(code) || isWrongFlag(error))
    return exitCodes.usage;
  if (code === "ACTION_DENIED") return exitCodes.denied;
  if (code === "TIMEOUT") return exitCodes.timeout;
  return code.endsWith("NOT_FOUND") ? exitCodes.notFound : exitCodes.failed;
}

/** How a run's end is told by a command that waited for it. */
export function exitCodeOfRun(run: {
  readonly state: string;
  readonly error: { readonly code: string } | null;
}): ExitCode {
  if (run.state === "COMPLETED") return exitCodes.done;
  return run.error?.code === "ACTION_DENIED" ? exitCodes.denied : exitCodes.failed;
}

/** A value that was wrong on the command line is wrong usage; one in a file or variable is a wrong configuration. */
function isWrongFlag(error: unknown): boolean {
  if (!isHomeostatError(error, "CONFIG_INVALID") || error.details.length === 0) return false;
  return error.details.every(({ path }) => path?.startsWith("--") === true);
}
