/** What the ledger's routes answer, over the real server and a real ledger. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Route } from "../http/route.ts";
import { startTestServer } from "../http/test-server.ts";
import type { TestServer } from "../http/test-server.ts";
import { appendBlocks, testFolder } from "./log.fixture.ts";
import { ledgerRoutes } from "./ledger.routes.ts";
import { createLedgerReader } from "./reader.ts";
import type { VerifyReport } from "./verify-report.ts";

const report: VerifyReport = {
  ...{ verdict: "intact", text: "intact; never witnessed", size: 300, root: "00", pending: 0, erased: 0 },
  ...{ witnessedTo: null, checks: [], findings: [], durationMs: 1 },
};

let server: TestServer;
let routes: readonly Route[];
let verified: (string | null)[];
/** What verifications wait for; how many ended, and the most that were under way at once. */
let held: Promise<void>;
let done: number;
let under: number;

beforeEach(async () => {
  const folder = testFolder();
  appendBlocks(folder, [100, 200]);
  const reader = createLedgerReader(folder.ledgerFolder);
  verified = [];
  [held, done, under] = [Promise.resolve(), 0, 0];
  routes = ledgerRoutes({
    store: {
      read: async (_sql, params = []) => (params.join() === "run_own,red" ? [{ id: "run_own" }] : []),
    },
    publisher: () => ({ reader, state: () => Promise.reject(new Error("not asked for here")) }),
    verify: async (runId) => {
      verified.push(runId);
      under = Math.max(under, verified.length - done);
      await held;
      done += 1;
      return report;
    },
  });
  server = await startTestServer(routes);
});
afterEach(() => server[Symbol.asyncDispose]());

const page = z.object({
  data: z.array(z.object({ index: z.number(), entry: z.object({ key: z.string() }) })),
  nextCursor: z.string().nullable(),
});

async function entries(query: string): Promise<z.infer<typeof page>> {
  return page.parse(await (await server.call(`/v1/ledger/entries?${query}`)).json());
}

test("entries are read page by page until there are no more", async () => {
  const first = await entries("from=120&limit=100");
  expect(first.data.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, i) => 120 + i));
  const second = await entries(`limit=100&cursor=${first.nextCursor}`);
  expect(second.data.map(({ entry }) => entry.key)).toEqual(
    Array.from({ length: 80 }, (_, i) => `test/${220 + i}`),
  );
  expect(second.nextCursor).toBeNull();
  expect(await entries("from=300")).toEqual({ data: [], nextCursor: null });
});

test("a tile is given byte for byte; one that the tree has not, or that no path names, is not found", async () => {
  const whole = await server.call("/v1/ledger/tile/0/000");
  expect((await whole.arrayBuffer()).byteLength).toBe(256 * 32);
  expect((await (await server.call("/v1/ledger/tile/0/001.p/44")).arrayBuffer()).byteLength).toBe(44 * 32);
  for (const path of ["0/002", "0/7"]) {
    const answer = await server.call(`/v1/ledger/tile/${path}`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ code: "NOT_FOUND", detail: expect.stringContaining(`no tile ${path}`) }),
    ]);
  }
});

test("proofs are for the tree as it stands, unless an earlier size is named", async () => {
  const ask = async (path: string): Promise<unknown> =>
    await (await server.call(`/v1/ledger/proofs/${path}`)).json();
  expect(await ask("inclusion?index=7")).toMatchObject({ index: 7, size: 300 });
  expect(await ask("inclusion?index=7&size=8")).toMatchObject({ size: 8, hashes: { length: 3 } });
  expect(await ask("consistency?from=100")).toMatchObject({ from: 100, to: 300 });
  expect(await ask("consistency?from=100&to=200")).toMatchObject({ from: 100, to: 200 });
});

test("verification is asked for the whole ledger or for one run", async () => {
  const verify = (body: object): Promise<Response> =>
    server.call("/v1/ledger/verify", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  expect(await (await verify({})).json()).toEqual(report);
  expect((await verify({ run: "run_1" })).status).toBe(200);
  expect(verified).toEqual([null, "run_1"]);
});

test("whole verifications take turns, and of many at once the last are told to come back", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  const verify = (): Promise<Response> =>
    server.call("/v1/ledger/verify", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
  const refused: Response[] = [];
  const all = Array.from({ length: 9 }, async () => {
    const answer = await verify();
    if (answer.status === 503) refused.push(answer);
    return answer;
  });
  await expect.poll(() => refused.length).toBe(4);
  expect(refused[0]?.headers.get("retry-after")).toBe("60");
  resolve();
  const statuses = (await Promise.all(all)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 200, 503, 503, 503, 503]);
  expect(under).toBe(1);
  expect((await verify()).status).toBe(200);
});

test("another tenant sees no entry of others, and verifies its own runs alone", async () => {
  const principal = { id: "rob", role: "admin", tenant: "red" } as const;
  const signal = new AbortController().signal;
  const ask = async (operationId: string, more: object): Promise<unknown> => {
    const { handle } = routes.find((each) => each.operationId === operationId)!;
    const setHeader = (): void => undefined;
    return await (handle as (request: unknown) => unknown)({ principal, signal, setHeader, ...more });
  };
  const refused = { code: "AUTHORIZATION_DENIED" };
  expect(await ask("ledger.entries", { query: { from: 0, limit: 50 } })).toMatchObject({ data: [] });
  await expect(ask("ledger.tile", { params: { path: "entries/000" } })).rejects.toMatchObject(refused);
  await expect(ask("ledger.tile", { params: { path: "0/000" } })).resolves.toBeDefined();
  await expect(ask("ledger.verify", { body: {} })).rejects.toMatchObject(refused);
  await expect(ask("ledger.verify", { body: { run: "run_1" } })).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
  });
  expect(verified).toEqual([]);
  await ask("ledger.verify", { body: { run: "run_own" } });
  expect(verified).toEqual(["run_own"]);
});
