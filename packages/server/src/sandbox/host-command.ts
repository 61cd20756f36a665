/** Runs a short trusted command of the host to its end, with a small environment and a time limit. */
import { spawn } from "node:child_process";

export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface HostAnswer {
  /** Null when the command could not be started or was ended by the time limit. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Never rejects: a missing program is an answer without exit code and with the reason in `stderr`. */
export type RunCommand = (command: HostCommand) => Promise<HostAnswer>;

/**
 * What every process of this folder is started with. Never more: bwrap is pid 1 of the sandbox, and its
 * /proc/1/environ shows the program what it was started with, `--clearenv` or not (measured with a planted secret).
 */
export const spawnEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};

export const runCommand: RunCommand = ({ command, args, timeoutMs, environment }) => {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...spawnEnvironment, ...environment },
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
    child.on("error", (error) => resolve({ exitCode: null, stdout: "", stderr: error.message }));
    child.on("close", (exitCode) => resolve({ exitCode, ...text }));
  });
};
