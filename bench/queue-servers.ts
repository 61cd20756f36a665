/** The servers that the compared queues need, started for the benchmark on a free port or socket, with their data in its folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { startTestPostgres } from "../packages/server/src/store/test-postgres.fixture.ts";

export interface Servers {
  readonly redisPort: number;
  /** Of a database that is synced on each commit. */
  readonly postgresUrl: string;
  /** A schema of its own on the same server. */
  schema(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Redis keeps an append-only file that is synced every second; PostgreSQL has fsync on. */
export async function startServers(folder: string): Promise<Servers> {
  const redis = await startRedis(folder);
  const postgres = await startTestPostgres();
  return {
    redisPort: redis.port,
    // Each of them makes a schema of its own and names it; a search path in the URL would get in its way.
    postgresUrl: withoutOptions(await postgres.schema("bench")),
    schema: (name) => postgres.schema(name),
    async stop() {
      await redis.stop();
      await postgres.stop();
    },
  };
}

function withoutOptions(url: string): string {
  return url.replace(/&options=[^&]*/, "");
}

async function startRedis(folder: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const settings = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--dir", folder];
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", ...settings], {
    stdio: "ignore",
  });
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 400 || server.exitCode !== null) throw new Error("redis-server does not start");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    port,
    async stop() {
      const exited = once(server, "exit");
      server.kill("SIGTERM");
      await exited;
    },
  };
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
