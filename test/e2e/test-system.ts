/** The whole system in this process on a temporary data folder, for tests that look inside it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openFolderBlobsReader } from "../../packages/server/src/blobs/folder.ts";
import { loadConfig } from "../../packages/server/src/config/config.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import type { VerifyReport } from "../../packages/server/src/ledger/verify-report.ts";
import { openSqliteReader } from "../../packages/server/src/store/sqlite/sqlite-reader.ts";
import { startSystem } from "../../packages/server/src/system/system.ts";
import { verifyHome } from "../../packages/server/src/home/verify-home.ts";
import { createApi } from "../chaos/server-process.ts";
import type { Api } from "../chaos/server-process.ts";

export interface TestSystem {
  readonly home: string;
  readonly url: string;
  readonly api: Api;
  stop(): Promise<void>;
}

export async function createHome(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "homeostat-e2e-"));
}

export async function removeHome(home: string): Promise<void> {
  await rm(home, { recursive: true, force: true });
}

export const token: string = `hst_${"t".repeat(43)}`;

export async function startTestSystem(
  home: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestSystem> {
  const system = await startSystem({
    loaded: loadConfig({ home, port: "0", token, "sandbox.install": "never" }, environment),
    version: "0.0.0-test",
    dashboardFolder: undefined,
    examplesFolder: join(import.meta.dirname, "../../examples"),
    announce: () => undefined,
  });
  const port = Number(new URL(system.url).port);
  return { home, url: system.url, api: createApi({ port, token }), stop: () => system.stop(5_000) };
}

interface RunShape {
  readonly id: string;
  readonly state: string;
  readonly error: unknown;
}

/** Submits, approves whatever is asked, and waits for the end. */
export async function runToEnd(system: TestSystem, task: object): Promise<RunShape> {
  const { id } = await system.api.post<RunShape>("/v1/tasks", task);
  for (let tries = 0; tries < 600; tries += 1) {
    const run = await system.api.get<RunShape>(`/v1/runs/${id}`);
    if (["COMPLETED", "FAILED", "CANCELLED", "DEAD"].includes(run.state)) return run;
    const { data } = await system.api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
    for (const approval of data.filter((each) => each.runId === id)) {
      await system.api.post(`/v1/approvals/${approval.id}/decision`, { answer: "approve" });
    }
    await sleep(50);
  }
  throw new Error(`run ${id} did not end`);
}

/** Waits until the outbox is empty. */
export async function untilPublished(system: TestSystem): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await system.api.get<{ pending: number }>("/v1/ledger")).pending === 0) return;
    await sleep(50);
  }
  throw new Error("the outbox does not empty");
}

/** As `homeostat verify` without a server. */
export async function verifyOffline(home: string, runId: string | null = null): Promise<VerifyReport> {
  const place = homeAt(home);
  const store = await openSqliteReader(place.stateDatabase);
  try {
    const blobs = await openFolderBlobsReader({ folder: place.blobs, keysFolder: place.keys, store });
    return await verifyHome({ home: place, store, blobs, runId });
  } finally {
    await store.close();
  }
}
