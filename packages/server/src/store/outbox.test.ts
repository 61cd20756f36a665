import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { createSilentLogger } from "../base/log.ts";
import { outboxInsert, outboxMigration } from "./outbox.ts";
import { openSqliteReader } from "./sqlite/sqlite-reader.ts";
import { openSqliteStore } from "./sqlite/sqlite.ts";
import type { Store } from "./store.ts";

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-outbox-"));
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [outboxMigration],
    clock: systemClock,
    logger: createSilentLogger(),
  });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const entry: LedgerEntry = {
  v: 1,
  key: "k",
  at: "2026-01-01T00:00:00.000Z",
  type: "run.created",
  tenant: "default",
  actor: { kind: "system", id: "test" },
  labels: [],
  salt: "00".repeat(16),
  data: { text: "é" },
};

test("an entry waits under its key, once", async () => {
  await store.write([outboxInsert("k", entry)]);
  await expect(store.write([outboxInsert("k", entry)])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  const rows = await store.read("SELECT id, key, entry FROM ledger_outbox");
  expect(rows).toHaveLength(1);
  expect(JSON.parse(String(rows[0]?.["entry"]))).toEqual(entry);
});

test("numbers of rows rise and never come back, also after all are published", async () => {
  const id = async (): Promise<number> =>
    Number((await store.read("SELECT max(id) AS id FROM ledger_outbox"))[0]?.["id"]);
  await store.write([outboxInsert("a", entry), outboxInsert("b", entry)]);
  const before = await id();
  await store.write([{ sql: "DELETE FROM ledger_outbox" }]);
  await store.write([outboxInsert("c", entry)]);
  expect(await id()).toBe(before + 1);
});

test("a reader beside the server sees what is committed, cannot write, and says when there is nothing", async () => {
  const reader = await openSqliteReader(join(folder, "state.db"));
  await store.write([outboxInsert("k", entry)]);
  expect(await reader.read("SELECT key FROM ledger_outbox WHERE key = ?", ["k"])).toHaveLength(1);
  for await (const row of reader.scan("SELECT key FROM ledger_outbox")) expect(row["key"]).toBe("k");
  for await (const _row of reader.scan("SELECT key FROM ledger_outbox WHERE key = ?", [""]))
    expect.unreachable();
  expect(await reader.read("SELECT key FROM ledger_outbox")).toHaveLength(1);
  await expect(reader.read("DELETE FROM ledger_outbox")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await reader.close();
  await expect(reader.read("SELECT 1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(openSqliteReader(join(folder, "missing.db"))).rejects.toMatchObject({
    code: "DATA_FOLDER_UNUSABLE",
  });
});
