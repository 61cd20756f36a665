/** Homeostat as a process of its own that can be killed: starts it on a data folder and talks to its API. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compiledFolder } from "../../packages/server/src/store/test-things.ts";

export const repository: string = join(import.meta.dirname, "..", "..");

export interface ServerOptions {
  readonly home: string;
  readonly port: number;
  readonly token: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Resolves once it answers; rejects with its output when it ended first. */
  readonly ready: Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function startServer(options: ServerOptions): ServerProcess {
  const child = spawn(
    process.execPath,
    [join(repository, "packages/server/homeostat.js"), "up", "--port", String(options.port)],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: options.home,
        HOMEOSTAT_HOME: options.home,
        HOMEOSTAT_TOKEN: options.token,
        HOMEOSTAT_SANDBOX_INSTALL: "never",
        NODE_COMPILE_CACHE: compiledFolder,
        ...options.environment,
      },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = waitUntilReady(options.port, ended, () => output);
  // A kill before readiness is part of the game; whoever needs readiness awaits it.
  ready.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { child, ready, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

async function waitUntilReady(port: number, ended: Promise<void>, output: () => string): Promise<void> {
  let gone = false;
  void ended.then(() => (gone = true));
  for (let tries = 0; tries < 600; tries += 1) {
    if (gone) throw new Error(`the server ended while starting:\n${output()}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`the server did not become ready:\n${output()}`);
}

export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
}

/** Throws the status and body of every answer that is no success. */
export function createApi({ port, token }: Pick<ServerOptions, "port" | "token">): Api {
  const call = async <T>(path: string, init: RequestInit): Promise<T> => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(init.headers as Record<string, string> | undefined),
    };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
    const text = await answer.text();
    if (!answer.ok)
      throw new Error(`${init.method ?? "GET"} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body, headers = {}) =>
      call(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
  };
}
