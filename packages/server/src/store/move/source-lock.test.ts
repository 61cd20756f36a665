/** What a server that starts does about a database that a mover has closed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { createSilentLogger } from "../../base/log.ts";
import { acquireLease, fence, freeLease, leaseMigration } from "../lease.ts";
import type { LeaseStore } from "../lease.ts";
import { clearMark, marksMigration, moveLeaseName, setMark } from "../marks.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import { insertThing, thingMigration } from "../test-things.ts";
import { closeForWriters, openAbandoned, openForWriters } from "./source-lock.ts";

async function openSource(): Promise<LeaseStore> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-source-lock-"));
  const migrations = [thingMigration, leaseMigration, marksMigration];
  const path = join(folder, "a.db");
  const store = await openSqliteStore({ path, migrations, clock, logger: createSilentLogger() });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

test("a database stays closed when its mover finishes while a server that starts looks whether it is gone", async () => {
  for (const end of ["moved", "taken back"] as const) {
    const source = await openSource();
    const request = { ttlMs: 30_000, now: clock.now(), isOwnerDead: () => false };
    const lease = (await acquireLease(source, { ...request, name: moveLeaseName, owner: "mover" }))!;
    const leaving = setMark("leaving", { to: "the target" });
    await source.write([fence(lease), ...(await closeForWriters(source, "the target")), leaving]);
    const last = {
      moved: async () => [setMark("moved", { id: "a", to: "the target", atMs: clock.now() })],
      "taken back": () => openForWriters(source),
    };
    // Between the look at the marks, which is the first, and the one at the lease.
    let reads = 0;
    const read: LeaseStore["read"] = async (sql, params) => {
      const rows = await source.read(sql, params);
      if ((reads += 1) === 1)
        await source.write([fence(lease), ...(await last[end]()), clearMark("leaving"), freeLease(lease)]);
      return rows;
    };
    const opening = openAbandoned({ ...source, read }, { ...request, owner: "server" });
    if (end === "moved") await expect(opening).rejects.toMatchObject({ code: "STORE_MOVED" });
    else await opening;
    const write = source.write([insertThing("late")]);
    if (end === "moved") await expect(write).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    else await write;
    const [held] = await source.read("SELECT owner FROM leases WHERE name = ?", [moveLeaseName]);
    expect(held?.["owner"]).toBe("");
  }
});

test("a failure of the store while an opening is under way is told as it is", async () => {
  const source = await openSource();
  const request = { owner: "server", ttlMs: 30_000, now: clock.now(), isOwnerDead: () => false };
  await source.write([...(await closeForWriters(source, "b")), setMark("leaving", { to: "b" })]);
  const away = new HomeostatError("STORE_UNAVAILABLE", "it is away");
  const write: LeaseStore["write"] = (batch) =>
    batch.length === 1 ? source.write(batch) : Promise.reject(away);
  await expect(openAbandoned({ ...source, write }, request)).rejects.toBe(away);
});
