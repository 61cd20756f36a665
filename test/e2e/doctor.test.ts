/** `homeostat doctor` against a server that is well and against set-ups that are broken in one way each. */
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { doctor } from "../../packages/server/src/cli/doctor/doctor.ts";
import type { Diagnosis } from "../../packages/server/src/cli/doctor/diagnosis.ts";
import type { Terminal } from "../../packages/server/src/cli/terminal/terminal.ts";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { skipsRedis, startTestRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import { createApi, freePort, startServer } from "../chaos/server-process.ts";
import type { ServerProcess } from "../chaos/server-process.ts";
import { createHome, removeHome, token } from "./test-system.ts";

/** A data folder in which a server has done something, and which its owner has left in order. */
let well: string;
let home: string;
const servers: ServerProcess[] = [];
const workflow = "version: 1\nname: w\nsteps: [{ id: a, tool: wait.for, with: { seconds: 0 } }]\n";

async function serve(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = await freePort();
  await writeFile(join(folder, "homeostat.yaml"), `port: ${port}\n`);
  const server = startServer({ home: folder, port, token, environment });
  servers.push(server);
  await server.ready;
  const api = createApi({ port, token });
  const { id } = await api.post<{ id: string }>("/v1/tasks", { workflow });
  const isDone = async (): Promise<boolean> =>
    (await api.get<{ state: string }>(`/v1/runs/${id}`)).state === "COMPLETED" &&
    (await api.get<{ pending: number }>("/v1/ledger")).pending === 0;
  while (!(await isDone())) await sleep(50);
  return server;
}

beforeAll(async () => {
  well = await createHome();
  const server = await serve(well);
  await server.stop();
});
afterAll(async () => {
  for (const server of servers.splice(0)) await server.kill();
  await removeHome(well);
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "homeostat-ill-"));
  await cp(well, home, { recursive: true, preserveTimestamps: true });
  await writeFile(join(home, "homeostat.yaml"), `port: ${await freePort()}\n`);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
  await rm(home, { recursive: true, force: true });
});

interface Found {
  readonly code: number;
  /** Those that are not ok, as they are read. */
  readonly ill: readonly Diagnosis[];
}

async function look(): Promise<Found> {
  let seen: { checks: readonly Diagnosis[] } | undefined;
  const terminal: Terminal = {
    json: true,
    result: (value) => void (seen = value as typeof seen),
    line: () => undefined,
    note: () => undefined,
    columns: undefined,
  };
  const code = await doctor({ home, token }, terminal);
  // Of the machine, not of the set-up.
  const own = new Set(["sandbox", "dashboard"]);
  return { code, ill: seen!.checks.filter(({ name, state }) => state !== "ok" && !own.has(name)) };
}

async function configure(line: string): Promise<void> {
  await writeFile(join(home, "homeostat.yaml"), `port: ${await freePort()}\n${line}\n`);
}

test("a data folder in order is well, with and without its server", async () => {
  expect(await look()).toEqual({ code: 0, ill: [] });
  await serve(home);
  expect(await look()).toEqual({ code: 0, ill: [] });
});

test.skipIf(skipsPostgres())(
  "a PostgreSQL server that is stopped is named, with its place and what to do",
  async () => {
    const postgres = await startTestPostgres();
    const url = await postgres.schema("doctor");
    await postgres.stop();
    await configure(`databaseUrl: "${url}"`);
    const { code, ill } = await look();
    expect(code).toBe(1);
    expect(ill).toEqual([
      {
        name: "database",
        state: "failed",
        detail: expect.stringMatching(/ENOENT|ECONNREFUSED/),
        hint: expect.stringContaining("Start PostgreSQL"),
      },
    ]);
  },
);

test.skipIf(skipsRedis())(
  "a Redis server that is stopped is a warning, for work goes on without it",
  async () => {
    const redis = await startTestRedis();
    await redis.stop();
    await configure(`redisUrl: ${redis.url}`);
    const { code, ill } = await look();
    expect(code).toBe(0);
    expect(ill).toMatchObject([
      { name: "redis", state: "warning", hint: "Start Redis, or correct redisUrl." },
    ]);
  },
);

test("a policy that no server could use is named by file, line and what is meant", async () => {
  await writeFile(
    join(home, "policy.yaml"),
    'version: 1\nrules:\n  - name: a\n    action: "*"\n    effect: alow\n',
  );
  const { code, ill } = await look();
  expect(code).toBe(1);
  expect(ill).toMatchObject([
    {
      name: "policy",
      state: "failed",
      detail: expect.stringMatching(/policy\.yaml:5:.*allow/s),
      hint: "homeostat policy check",
    },
  ]);
});

test("one byte of the ledger that was changed is found and called evidence", async () => {
  const files = await readdir(join(home, "ledger"), { recursive: true, withFileTypes: true });
  const segments = files.filter(
    (file) => file.isFile() && !/checkpoint|key\.pub|tile/.test(join(file.parentPath, file.name)),
  );
  const path = join(segments[0]!.parentPath, segments[0]!.name);
  const bytes = await readFile(path);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  await writeFile(path, bytes);
  const { code, ill } = await look();
  expect(code).toBe(1);
  expect(ill).toMatchObject([
    {
      name: "ledger",
      state: "failed",
      detail: expect.stringContaining(segments[0]!.name),
      hint: expect.stringContaining("evidence"),
    },
  ]);
});

test("leases of a server that was killed are named, and that a server takes them over", async () => {
  const server = await serve(home);
  await server.kill();
  const { code, ill } = await look();
  expect(code).toBe(0);
  expect(ill).toMatchObject([
    {
      name: "leases",
      state: "warning",
      detail: expect.stringContaining("ledger-publisher"),
      hint: expect.stringContaining("homeostat up"),
    },
  ]);
});

test("keys that others may read are named with the command that ends it", async () => {
  const path = join(home, "keys", "blob-master.key");
  await chmod(path, 0o644);
  const { code, ill } = await look();
  expect(code).toBe(1);
  expect(ill.find(({ name }) => name === "keys")).toMatchObject({
    state: "failed",
    detail: expect.stringContaining(`${path} (mode 644)`),
    hint: expect.stringContaining(`chmod go= ${path}`),
  });
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});
