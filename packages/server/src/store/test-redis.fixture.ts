/** A real Redis server for one test file: a port and a folder of its own, nothing kept on disk, gone afterwards. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestRedis {
  readonly url: string;
  /** One command without arguments that need quoting, such as `FLUSHALL`; the raw answer. */
  run(command: string): Promise<string>;
  /** Without a goodbye to anybody; everything in it is lost. */
  crash(): Promise<void>;
  /** Stands still (SIGSTOP): connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The reason why tests with Redis cannot run here. */
export function redisObstacle(): string | undefined {
  if ((process.env["HOMEOSTAT_TEST_SKIP"] ?? "").split(",").includes("redis")) return "HOMEOSTAT_TEST_SKIP";
  const isThere = spawnSync("redis-server", ["--version"]).status === 0;
  return isThere ? undefined : "Redis is not installed: apt-get install redis-server";
}

/** For `describe.skipIf`; says once in a line why. */
export function skipsRedis(): boolean {
  const obstacle = redisObstacle();
  if (obstacle !== undefined) console.log(`The tests with Redis are skipped: ${obstacle}`);
  return obstacle !== undefined;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-redis-"));
  const port = await freePort();
  let server = await startServer(port, folder);
  return {
    url: `redis://127.0.0.1:${port}`,
    run: (command) => ask(port, command),
    async crash() {
      await end(server);
    },
    freeze: () => void server.kill("SIGSTOP"),
    thaw: () => void server.kill("SIGCONT"),
    async restart() {
      server = await startServer(port, folder);
    },
    async stop() {
      await end(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(port: number, folder: string): Promise<ChildProcess> {
  const settings = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--save",
    "",
    "--appendonly",
    "no",
  ];
  const server = spawn("redis-server", settings, { stdio: "ignore" });
  for (let tries = 0; tries < 400; tries += 1) {
    if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
    const answer = await ask(port, "PING").catch(() => "");
    if (answer.startsWith("+PONG")) return server;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("redis-server does not answer");
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill("SIGKILL");
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}
