/** The bubblewrap tier: a request in one of the languages becomes a program in a sandbox of its own. */
import { HomeostatError } from "../base/error.ts";
import type { Language } from "./languages.ts";
import { runProgram } from "./program.ts";
import type { Program, ProgramDeps } from "./program.ts";
import type { SandboxOutcome, SandboxRequest } from "./sandbox.ts";

/** The kernel takes 128 KiB for one argument (MAX_ARG_STRLEN); all of them together stay below that here. */
const maxArgumentBytes = 100_000;

/** What every program finds; the language's and the request's own come over it. */
const baseEnvironment = {
  PATH: "/usr/bin:/bin",
  // Not /box: what programs keep for themselves in a home folder is not an output.
  HOME: "/tmp",
  TMPDIR: "/tmp",
  LANG: "C.UTF-8",
  TZ: "UTC",
} as const;

/** Where the request's stdin lies inside. */
const stdinFile = "/program/stdin";

/** Runs the request; see `runProgram` for what it rejects with. */
export async function runInBubblewrap(
  request: SandboxRequest,
  language: Language,
  deps: ProgramDeps,
): Promise<SandboxOutcome> {
  return runProgram(programOf(request, language), deps);
}

/** Throws SANDBOX_REQUEST_INVALID for variables and arguments that no process can be given. */
export function programOf(request: SandboxRequest, language: Language): Program {
  requireArguments(request);
  return {
    argv: [...language.run, ...request.args],
    environment: { ...baseEnvironment, ...language.environment, ...request.environment },
    files: [
      ...language.files,
      { path: language.sourceFile, content: request.source },
      ...(request.stdin === undefined ? [] : [{ path: stdinFile, content: request.stdin }]),
    ],
    mounts: language.mounts,
    reservedBytes: language.reservedBytes,
    limits: request.limits,
    stdinFile: request.stdin === undefined ? undefined : stdinFile,
    inputFolder: request.inputFolder,
    outputFolder: request.outputFolder,
    signal: request.signal,
  };
}

function requireArguments({ args, environment }: SandboxRequest): void {
  const variables = Object.entries(environment);
  const badName = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (badName !== undefined) throw invalid(`${JSON.stringify(badName[0])} is not a name for a variable`);
  const words = [...args, ...variables.flat()];
  if (words.some((word) => word.includes("\0")))
    throw invalid("An argument or variable holds a NUL character");
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (bytes > maxArgumentBytes)
    throw invalid(`Arguments and variables take ${bytes} bytes, more than ${maxArgumentBytes}`);
}

function invalid(message: string): HomeostatError {
  return new HomeostatError("SANDBOX_REQUEST_INVALID", message, {}, { hint: "Pass large values in a file." });
}
