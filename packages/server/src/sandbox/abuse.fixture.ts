/** Runs all attempts to get out on the real sandbox; also a program of its own, so that it can run as another user. */
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, ListenOptions, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { abuseCases, mark } from "./abuse-cases.fixture.ts";
import type { AbuseCase } from "./abuse-cases.fixture.ts";
import { mergeLimits } from "./limits.ts";
import { createSandbox } from "./run-code.ts";
import type { Sandbox, SandboxOutcome, SandboxReport } from "./sandbox.ts";

export interface AbuseResult {
  readonly name: string;
  readonly outcome: SandboxOutcome;
  /** Wall milliseconds of the call, waiting for its turn included. */
  readonly tookMs: number;
  /** What came out on the host, relative. */
  readonly files: readonly string[];
}

export interface AbuseReport {
  readonly report: SandboxReport;
  readonly results: readonly AbuseResult[];
  /** Processes that still carry a mark of the programs 200 ms after the last result. */
  readonly leftAlive: readonly string[];
}

/** Runs every case on the real sandbox of this host, four at a time. */
export async function runAbuse(): Promise<AbuseReport> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-abuse-"));
  const abstract = `homeostat-abuse-${process.pid}`;
  const servers = [createServer(), createServer(), createServer()] as const;
  try {
    const path = join(folder, "socket");
    await listen(servers[0], { port: 0, host: "127.0.0.1" });
    await listen(servers[1], { path, writableAll: true, readableAll: true });
    await listen(servers[2], { path: `\0${abstract}` });
    const port = (servers[0].address() as AddressInfo).port; // it listens on a port
    const sandbox = await createSandbox({
      clock: systemClock,
      log: createSilentLogger(),
      mayInstall: true,
      maxRunning: 4,
      maxWaiting: 1000,
    });
    if (sandbox.report().level === "none") return { report: sandbox.report(), results: [], leftAlive: [] };
    const cases = abuseCases({ port, path, abstract, pid: process.pid });
    const results = await Promise.all(
      cases.map((each, index) => runCase(sandbox, each, join(folder, String(index)))),
    );
    await systemClock.sleep(200);
    return { report: sandbox.report(), results, leftAlive: await findMarked() };
  } finally {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCase(sandbox: Sandbox, abuse: AbuseCase, outputFolder: string): Promise<AbuseResult> {
  await mkdir(outputFolder);
  const startedAtMs = systemClock.monotonic();
  const outcome = await sandbox.run(
    {
      language: abuse.language,
      source: abuse.source,
      args: [],
      environment: {},
      outputFolder,
      limits: mergeLimits({ memoryBytes: 128 << 20 }, abuse.limits ?? {}),
      signal: new AbortController().signal,
    },
    "standard",
  );
  const tookMs = systemClock.monotonic() - startedAtMs;
  return { name: abuse.name, outcome, tookMs, files: await readdir(outputFolder, { recursive: true }) };
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(options, resolve);
  });
}

async function findMarked(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""); // gone meanwhile
    if (line.includes(mark)) found.push(`${pid} ${line.replaceAll("\0", " ")}`);
  }
  return found;
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(await runAbuse()));
