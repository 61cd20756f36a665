/** A real PostgreSQL server for one test file: fsync on, a folder and a socket of its own, gone afterwards. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { until } from "./test-things.ts";

export interface TestPostgres {
  /** Path of the socket it listens on. */
  readonly socket: string;
  /** The URL of a schema that is made by this call. */
  schema(name: string): Promise<string>;
  /** The same schema for a user who must give the password, and who may do nothing yet. */
  asGuarded(url: string, password?: string): string;
  /** Runs one statement as the administrator. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Without a goodbye to anybody. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  /** A second server that follows this one; ends with it. One at most. */
  startReplica(): Promise<TestReplica>;
  stop(): Promise<void>;
}

export interface TestReplica {
  url(schema: string): string;
  /** Without a goodbye to anybody. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  /** Stands still with its connections open, and goes on. */
  freeze(): void;
  thaw(): void;
  /** Ends to be one: takes writes of its own. */
  promote(): Promise<void>;
}

const user = "homeostat";
/** May only log in, and that with the password. The other user needs none, which saves time. */
export const guardedUser = "guarded";
export const guardedPassword = "a pass/word?";

/** The reason why tests with PostgreSQL cannot run here. */
export function postgresObstacle(): string | undefined {
  if ((process.env["HOMEOSTAT_TEST_SKIP"] ?? "").split(",").includes("postgres"))
    return "HOMEOSTAT_TEST_SKIP";
  return binariesFolder() === undefined
    ? "PostgreSQL is not installed: apt-get install postgresql"
    : undefined;
}

/** For `describe.skipIf`; says once in a line why. */
export function skipsPostgres(): boolean {
  const obstacle = postgresObstacle();
  if (obstacle !== undefined) console.log(`The tests with PostgreSQL are skipped: ${obstacle}`);
  return obstacle !== undefined;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-pg-"));
  const account = serverAccount();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, "data");
  // Sorts letters before capitals, as no byte does: what relies on the order of bytes must say so itself.
  const language = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
  runProgram("initdb", ["-D", data, "-U", user, "-A", "trust", "--no-sync", ...language]);
  const access = [
    `local all ${guardedUser} scram-sha-256`,
    `local all all trust`,
    `local replication all trust`,
  ];
  writeFileSync(join(data, "pg_hba.conf"), access.join("\n"));
  const servers = [startServer(data, folder)];
  let replica: ChildProcess | undefined;
  const urlOf = (socketFolder: string, schema: string): string =>
    `postgres://${user}@/postgres?host=${encodeURIComponent(socketFolder)}` +
    `&options=${encodeURIComponent(`-c search_path=${schema}`)}`;
  const admin = (sql: string): Promise<readonly Record<string, unknown>[]> =>
    runSql(urlOf(folder, "public"), sql);
  await untilReady(urlOf(folder, "public"));
  await admin(`CREATE ROLE ${guardedUser} LOGIN PASSWORD '${guardedPassword}'`);
  return {
    socket: join(folder, ".s.PGSQL.5432"),
    async schema(name) {
      await admin(`CREATE SCHEMA ${name}`);
      return urlOf(folder, name);
    },
    asGuarded: (url, password = guardedPassword) =>
      url.replace(`${user}@`, `${guardedUser}:${encodeURIComponent(password)}@`),
    run: admin,
    async crash() {
      await stopServer(servers.shift()!, "SIGQUIT");
    },
    async restart() {
      servers.unshift(startServer(data, folder));
      await untilReady(urlOf(folder, "public"));
    },
    async startReplica() {
      const replicaFolder = join(folder, "replica");
      const source = [
        "-d",
        urlOf(folder, "public"),
        "-D",
        replicaFolder,
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "--no-sync",
      ];
      runProgram("pg_basebackup", source);
      const start = async (): Promise<void> => {
        replica = startServer(replicaFolder, replicaFolder);
        await untilReady(urlOf(replicaFolder, "public"));
      };
      await start();
      return {
        url: (schema) => urlOf(replicaFolder, schema),
        crash: () => stopServer(replica!, "SIGQUIT"),
        restart: start,
        freeze: () => signalAll(replica!, "SIGSTOP"),
        thaw: () => signalAll(replica!, "SIGCONT"),
        promote: async () => void (await runSql(urlOf(replicaFolder, "public"), "SELECT pg_promote()")),
      };
    },
    async stop() {
      if (replica !== undefined) await stopServer(replica, "SIGQUIT");
      for (const server of servers) await stopServer(server, "SIGQUIT");
      rmSync(folder, { recursive: true });
    },
  };
}

export async function runSql(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Debian keeps the servers' programs out of the PATH. */
function binariesFolder(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
}

/** PostgreSQL refuses to run as root. */
function serverAccount(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number =>
    Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function runProgram(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(join(binariesFolder()!, program), args, {
    ...serverAccount(),
    cwd: "/",
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}

function startServer(data: string, socketFolder: string): ChildProcess {
  const settings = [
    `unix_socket_directories=${socketFolder}`,
    "listen_addresses=",
    "shared_buffers=16MB",
    "fsync=on",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  return spawn(join(binariesFolder()!, "postgres"), args, { ...serverAccount(), cwd: "/", stdio: "ignore" });
}

/** SIGQUIT is an immediate shutdown: no goodbye to clients, recovery at the next start. */
async function stopServer(server: ChildProcess, signal: "SIGQUIT"): Promise<void> {
  if (server.exitCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

/** The server and the processes that serve its connections. */
function signalAll(server: ChildProcess, signal: "SIGSTOP" | "SIGCONT"): void {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  for (const pid of [server.pid!, ...children.trim().split(/\s+/).map(Number)]) process.kill(pid, signal);
}

async function untilReady(url: string): Promise<void> {
  let isReady = false;
  const look = async (): Promise<void> => {
    while (!isReady) {
      isReady = await runSql(url, "SELECT 1").then(
        () => true,
        () => false,
      );
      if (!isReady) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  void look();
  await until(() => isReady, 20_000);
}
