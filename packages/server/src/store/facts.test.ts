/** Facts for the ledger, and facts that all processes of a database share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { commit } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { factInsert } from "./fact.ts";
import type { LeaseStore } from "./lease.ts";
import { outboxMigration } from "./outbox.ts";
import { openSharedFact, requireSameFact, sharedFactsMigration } from "./shared-facts.ts";
import { openSqliteStore } from "./sqlite/sqlite.ts";

async function open(): Promise<LeaseStore> {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-facts-"));
  const migrations = [outboxMigration, sharedFactsMigration];
  const path = join(folder, "state.db");
  const store = await openSqliteStore({ path, migrations, clock, logger: createSilentLogger() });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return store;
}

test("what somebody wrote about a fact goes into the ledger as a salted commitment alone", async () => {
  const store = await open();
  const fact = {
    type: "secret.rotated",
    tenant: "red",
    actor: { kind: "user", id: "ann" },
    atMs: 5,
  } as const;
  await store.write([factInsert({ ...fact, data: { name: "token" }, reason: "it was in a mail" })]);
  await store.write([factInsert({ ...fact, data: { name: "other" } })]);
  const rows = await store.read("SELECT entry FROM ledger_outbox ORDER BY id");
  const [written, silent] = rows.map(
    (row) => JSON.parse(String(row["entry"])) as { salt: string; data: { reason?: string } },
  );
  expect(written!.data).toEqual({ name: "token", reason: commit(written!.salt, "it was in a mail") });
  expect(silent!.data).toEqual({ name: "other" });
});

test("the first word on a shared fact counts, also among several at once", async () => {
  const store = await open();
  const name = "digest of a key";
  const words = await Promise.all(["a", "b", "c"].map((value) => openSharedFact(store, { name, value })));
  expect(new Set(words).size).toBe(1);
  expect(await openSharedFact(store, { name, value: "d" })).toBe(words[0]);
  const mismatch = (): HomeostatError => new HomeostatError("STORE_UNAVAILABLE", "another key");
  await requireSameFact(store, { name, value: words[0]! }, mismatch);
  await expect(requireSameFact(store, { name, value: "d" }, mismatch)).rejects.toThrow("another key");
});
