/** Two versions of the program on one database: the newer one has another kind of event, another step of the schema and a number of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { createApi, freePort, repository, startServer } from "../chaos/server-process.ts";
import type { Api, ServerProcess } from "../chaos/server-process.ts";
import { patched } from "./patched-server.ts";
import type { Patch } from "./patched-server.ts";
import { createHome, removeHome, token } from "./test-system.ts";

const newer: readonly Patch[] = [
  {
    file: "src/cli/server/install-place.ts",
    find: "    version,\n    dashboardFolder",
    replace: '    version: "99.1.0",\n    dashboardFolder',
  },
  {
    file: "src/home/migrations.ts",
    find: "export const migrations: readonly Migration[] = [",
    replace: `export const migrations: readonly Migration[] = [
  {
    id: "9990-greetings",
    statements: () => ["CREATE TABLE greetings (run_id TEXT PRIMARY KEY)", "ALTER TABLE runs ADD COLUMN greeting TEXT"],
  },`,
  },
  {
    file: "src/runs/journal/upcast.ts",
    find: '  "run.started": true,',
    replace: '  "run.started": true,\n  "run.greeted": true,',
  },
  {
    file: "src/runs/journal/fold.ts",
    find: '    case "run.paused":',
    replace: '    case "run.greeted": return state;\n    case "run.paused":',
  },
  {
    file: "src/runs/journal/legal-event.ts",
    find: '    case "run.steered":',
    replace: '    case "run.greeted":\n    case "run.steered":',
  },
  {
    file: "src/runs/worker/drive.ts",
    find: '[{ kind: "run.started", attempt: state.attempt + 1 }]',
    replace:
      '[{ kind: "run.started", attempt: state.attempt + 1 }, { kind: "run.greeted", by: "the newer version" }]',
  },
];

const asks = `version: 1
name: asks
steps:
  - { id: before, tool: wait.for, with: { seconds: 0 } }
  - { id: ask, approval: { message: Go on? } }
  - { id: after, tool: wait.for, with: { seconds: 0 } }
`;

let home: string;
let environment: Readonly<Record<string, string>>;
let asNewer: Readonly<Record<string, string>>;
const servers: ServerProcess[] = [];
let postgres: TestPostgres | undefined;
afterAll(() => postgres?.stop());

beforeEach(async () => {
  home = await createHome();
  environment = {};
  asNewer = await patched(home, "newer", newer);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
  await removeHome(home);
});

interface Member extends ServerProcess {
  readonly api: Api;
}

async function start(role: "gateway" | "worker", version: "older" | "newer"): Promise<Member> {
  const port = await freePort();
  const more = version === "newer" ? asNewer : {};
  const server = startServer({
    ...{ home, port, token },
    environment: { HOMEOSTAT_ROLE: role, HOMEOSTAT_LOG_LEVEL: "warn", ...environment, ...more },
  });
  servers.push(server);
  await server.ready;
  return { ...server, api: createApi({ port, token }) };
}

interface Run {
  readonly id: string;
  readonly state: string;
  readonly error: unknown;
  readonly attempts: number;
  readonly fault: { readonly code: string; readonly message: string } | null;
}

async function command(...words: readonly string[]): Promise<{ code: number; text: string }> {
  const own = { PATH: process.env["PATH"] ?? "", HOME: home, HOMEOSTAT_HOME: home, HOMEOSTAT_TOKEN: token };
  const file = join(repository, "packages/server/homeostat.js");
  const env = { ...own, ...environment, ...asNewer };
  return await promisify(execFile)(process.execPath, [file, ...words], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

const submit = async (api: Api): Promise<string> => (await api.post<Run>("/v1/tasks", { workflow: asks })).id;
const runOf = (api: Api, id: string): Promise<Run> => api.get<Run>(`/v1/runs/${id}`);

async function until(api: Api, id: string, state: string): Promise<void> {
  await expect.poll(async () => (await runOf(api, id)).state, { timeout: 30_000, interval: 100 }).toBe(state);
}

async function approve(api: Api, runId: string): Promise<void> {
  const { data } = await api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
  const { id } = data.find((each) => each.runId === runId)!;
  await api.post(`/v1/approvals/${id}/decision`, { answer: "approve" });
}

async function upgrade(): Promise<void> {
  const [oldGateway, oldWorker] = [await start("gateway", "older"), await start("worker", "older")];
  const ofOlder = await submit(oldGateway.api);
  await until(oldGateway.api, ofOlder, "WAITING");

  // Gateways first. The older worker goes on with the newer tables, also with what the newer gateway takes.
  const { api } = await start("gateway", "newer");
  await oldGateway.stop();
  expect(oldGateway.child.exitCode).toBe(0);
  const ofBoth = await submit(api);
  await until(api, ofBoth, "WAITING");
  await approve(api, ofBoth);
  await until(api, ofBoth, "COMPLETED");

  // A run that the newer worker has begun, and whose answer comes when only the older one is there.
  oldWorker.child.kill("SIGSTOP");
  const newWorker = await start("worker", "newer");
  const ofNewer = await submit(api);
  await until(api, ofNewer, "WAITING");
  oldWorker.child.kill("SIGCONT");
  expect((await command("doctor")).text).toMatch(
    /they do not all have the same version: .*99\.1\.0 \(.*worker \d+.*0\.1\.0 \(worker \d+/,
  );
  await newWorker.stop();
  await approve(api, ofNewer);
  await expect
    .poll(async () => (await runOf(api, ofNewer)).fault, { timeout: 30_000 })
    .toMatchObject({ code: "RUN_VERSION_UNKNOWN", message: expect.stringContaining("run.greeted") });
  expect((await command("doctor")).text).toContain("1 due runs need a newer version, which nobody has");
  // It leaves the one and goes on with the others.
  await approve(api, ofOlder);
  await until(api, ofOlder, "COMPLETED");
  expect(await runOf(api, ofNewer)).toMatchObject({ error: null, attempts: 1 });

  await start("worker", "newer");
  await until(api, ofNewer, "COMPLETED");
  expect(await runOf(api, ofNewer)).toMatchObject({ attempts: 1, fault: null });
  await oldWorker.stop();
  expect(oldWorker.child.exitCode).toBe(0);
  await expect(start("worker", "older")).rejects.toThrow("9990-greetings");
  await expect.poll(async () => (await api.get<{ pending: number }>("/v1/ledger")).pending).toBe(0);
  expect(await command("verify")).toMatchObject({ code: 0, text: expect.stringContaining("intact") });
}

describe("a rolling upgrade", () => {
  test(
    "on SQLite: the older worker leaves what it does not know to the newer one, and nothing fails",
    upgrade,
  );

  test.skipIf(skipsPostgres())("on PostgreSQL the same", async () => {
    postgres = await startTestPostgres();
    environment = { HOMEOSTAT_DATABASE_URL: await postgres.schema("upgrade") };
    await upgrade();
  });
});
