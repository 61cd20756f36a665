import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { prepareHome } from "../home/home.ts";
import type { Home } from "../home/home.ts";
import { createKeys, keyPaths } from "../ledger/keys.ts";
import type { WorkerRow } from "../queue/worker-registry.ts";
import { outboxMigration } from "../store/outbox.ts";
import { sharedFactsMigration } from "../store/shared-facts.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { neighbourPorts, offersOf, requireSharedKeys } from "./cluster.ts";

const gateway = { serves: true };
const worker = { serves: false };

async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-shared-"));
  const migrations = [outboxMigration, sharedFactsMigration];
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations,
    clock,
    logger: createSilentLogger(),
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

/** The data folder of one machine. */
async function machine(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-machine-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return await prepareHome(folder);
}

test("a gateway without the ledger of the database, or with another one, is refused; a worker needs none", async () => {
  const store = await openStore();
  const first = await machine();
  createKeys(keyPaths(first.ledger, first.keys));
  await requireSharedKeys(store, first, gateway);
  await store.write([{ sql: "INSERT INTO ledger_position (only_row, size, root) VALUES (1, 7, 'r')" }]);
  const empty = await machine();
  await expect(requireSharedKeys(store, empty, gateway)).rejects.toMatchObject({
    code: "LEDGER_KEYS_UNUSABLE",
  });
  await requireSharedKeys(store, empty, worker);
  createKeys(keyPaths(empty.ledger, empty.keys));
  await expect(requireSharedKeys(store, empty, gateway)).rejects.toMatchObject({
    code: "LEDGER_KEYS_UNUSABLE",
    message: expect.stringContaining("is not the one of this database"),
  });
});

test("a gateway offers nothing, a worker its languages and roots", () => {
  const languages = (["python", "go"] as const).map((id) => ({ id, available: id === "python", tiers: [] }));
  const report = { languages } as unknown as Parameters<typeof offersOf>[1];
  expect(offersOf("gateway", report, [{ name: "shelf" }])).toEqual([]);
  expect(offersOf("worker", report, [{ name: "shelf" }])).toEqual(["language:python", "root:shelf"]);
});

test("ports of other machines are not ours to forbid", () => {
  const facts = { url: "http://127.0.0.1:7717", host: "elsewhere.invalid" } as WorkerRow;
  expect(neighbourPorts({ known: () => [facts] })).toEqual([]);
});
