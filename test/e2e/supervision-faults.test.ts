/** The real server under bugs of our own code: parts are made anew with pauses, the process ends in order when that does not help. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createApi, freePort, repository, startServer } from "../chaos/server-process.ts";
import type { Api, ServerProcess } from "../chaos/server-process.ts";
import { createBug } from "./patched-server.ts";
import type { Bug } from "./patched-server.ts";
import { createHome, removeHome, token, verifyOffline } from "./test-system.ts";

let home: string;
let bug: Bug;
let port: number;
let api: Api;
const servers: ServerProcess[] = [];

beforeEach(async () => {
  home = await createHome();
  bug = await createBug(home);
  port = await freePort();
  api = createApi({ port, token });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
  await removeHome(home);
});

async function start(): Promise<{ readonly server: ServerProcess; said(): string }> {
  const environment = { ...bug.environment, HOMEOSTAT_LOG_FILE: join(home, "log.jsonl") };
  const server = startServer({ home, port, token, environment });
  servers.push(server);
  let text = "";
  server.child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await server.ready;
  return { server, said: () => text };
}

interface Node {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly lastError: string | null;
  readonly children: readonly Node[];
}

/** By the names from below the root on. */
async function place(...names: readonly string[]): Promise<Node | undefined> {
  const { tree } = await api.get<{ tree: Node }>("/v1/status");
  let node: Node | undefined = tree;
  for (const name of names) node = node?.children.find((child) => child.name === name);
  return node;
}

/** The text a person sees; exit code 1 says that something has failed. */
async function command(...words: readonly string[]): Promise<string> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    HOMEOSTAT_HOME: home,
    HOMEOSTAT_TOKEN: token,
  };
  const file = join(repository, "packages/server/homeostat.js");
  const done = await promisify(execFile)(process.execPath, [file, ...words], { env: environment }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return done.stdout + done.stderr;
}

const stepOf = (seconds: number): string =>
  `version: 1\nname: w\nsteps: [{ id: a, tool: wait.for, with: { seconds: ${seconds} } }, { id: b, set: { x: 1 } }]\n`;

async function submit(seconds: number): Promise<string> {
  return (await api.post<{ id: string }>("/v1/tasks", { workflow: stepOf(seconds) })).id;
}

const stateOf = async (id: string): Promise<string> =>
  (await api.get<{ state: string }>(`/v1/runs/${id}`)).state;

test("the worker and parts of the upkeep are made anew under way, people see it, and no run is lost", async () => {
  await start();
  const runs = [await submit(3), await submit(3)];
  await expect.poll(() => stateOf(runs[0]!)).toBe("RUNNING");
  for (const [sql, ...names] of [
    ["FROM leases AS l JOIN runs", "worker"],
    ["FROM schedules WHERE paused", "upkeep", "schedules"],
    ["FROM policy_shadow", "upkeep", "policy shadow"],
    ["FROM breaker_resets", "upkeep", "limits"],
    ["FROM workers", "upkeep", "workers"],
    ["FROM ledger_outbox", "ledger"],
  ] as const) {
    await bug.breakReads(sql, "once");
    // Whatever is read only when something happens.
    if (names[0] === "ledger") runs.push(await submit(0));
    const broken = expect.poll(() => place(...names), { timeout: 20_000 });
    await broken.toMatchObject({ state: "running", restarts: 1, lastError: "x is undefined" });
    expect(bug.isThere()).toBe(false);
  }
  for (const id of runs) await expect.poll(() => stateOf(id), { timeout: 20_000 }).toBe("COMPLETED");
  expect(await command("parts")).toMatch(
    / {4}schedules {2}ok.*restarted 1 times; last error: x is undefined/,
  );
  expect(await command("doctor")).toMatch(
    /warning {2}parts +worker was made anew, 1 time restarted: x is undefined/,
  );
});

test("a worker that breaks for good is restarted with growing pauses, then the process ends with the reason; the next one finishes", async () => {
  const { server, said } = await start();
  const id = await submit(6);
  await expect.poll(() => stateOf(id)).toBe("RUNNING");
  const ended = new Promise<number | null>((resolve) => server.child.once("exit", resolve));
  await bug.breakReads("FROM leases AS l JOIN runs", "always");
  expect(await ended).toBe(1);
  expect(said()).toContain("homeostat/worker broke down too often: x is undefined");
  const log = (await readFile(join(home, "log.jsonl"), "utf8")).trim().split("\n");
  const lines = log.map((line) => JSON.parse(line) as { message: string; context: { path?: string } });
  // Those that could not even start are told with the restart that succeeded or with the end.
  expect(lines.filter(({ message }) => message === "part.escalated")).toMatchObject([
    { context: { path: "homeostat/worker" } },
  ]);
  expect(lines.filter(({ message }) => message === "a part broke down")).toHaveLength(6);
  await bug.mend();
  const { server: next } = await start();
  await expect.poll(() => stateOf(id), { timeout: 30_000 }).toBe("COMPLETED");
  const { data } = await api.get<{ data: { kind: string; step?: string }[] }>(`/v1/runs/${id}/events`);
  expect(data.filter(({ kind }) => kind === "action.completed")).toHaveLength(1);
  await next.stop();
  expect((await verifyOffline(home)).verdict).toBe("intact");
});
