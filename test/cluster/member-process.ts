/** One process of Homeostat that can be killed: started by the command line with a role, on a free port. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { compiledFolder } from "../../packages/server/src/store/test-things.ts";

export const repository: string = join(import.meta.dirname, "..", "..");

export type Role = "all" | "gateway" | "worker";

export interface Member {
  readonly role: Role;
  /** Of its listener: the API of a gateway, the probes of a worker. */
  readonly url: string;
  readonly child: ChildProcess;
  isAlive(): boolean;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end; the exit code, null after a kill. */
  stop(): Promise<number | null>;
  /** The end of what it printed. */
  said(): string;
}

export interface MemberOptions {
  readonly role: Role;
  /** All of it: nothing is inherited but PATH. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Resolves once it serves or drives. Rejects with what it said when it ended first. */
export async function startMember({ role, environment }: MemberOptions): Promise<Member> {
  const program = join(repository, "packages/server/homeostat.js");
  const child = spawn(process.execPath, [program, "up", "--json", "--role", role, "--port", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: compiledFolder, ...environment },
  });
  let errors = "";
  // Why it could not start is on standard output too, because of --json.
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-20_000)));
  const ended = once(child, "exit");
  const url = await firstResult(child, ended);
  if (url === undefined) throw new Error(`a ${role} ended while it started:\n${errors}`);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (isAlive()) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    role,
    url,
    child,
    isAlive,
    said: () => errors,
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
  };
}

/** The document that `up --json` prints when it is ready; undefined when the process ended without. */
async function firstResult(child: ChildProcess, ended: Promise<unknown>): Promise<string | undefined> {
  let text = "";
  const told = new Promise<string>((resolve) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      // The building of the dashboard may say a line before.
      const found = /\{[^]*"url": ?"([^"]+)"[^]*\}/.exec(text);
      if (found !== null) resolve(found[1]!);
    });
  });
  return await Promise.race([told, ended.then(() => undefined)]);
}
