import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import type { LeaseStore } from "../lease.ts";
import { openSqliteStore } from "./sqlite.ts";
import { describeStore } from "../store-contract.ts";

for (const synchronous of ["full", "normal"] as const) {
  describeStore(`SQLite with ${synchronous} sync`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeostat-store-"));
    const opened: LeaseStore[] = [];
    return {
      async open(migrations) {
        const store = await openSqliteStore({
          path: join(folder, "state.db"),
          migrations,
          clock: systemClock,
          logger: createSilentLogger(),
          synchronous,
        });
        opened.push(store);
        return store;
      },
      async remove() {
        await Promise.all(opened.map((store) => store.close()));
        rmSync(folder, { recursive: true });
      },
    };
  });
}

test("a closed store is one file, so that nothing of it is played into a file put in its place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-store-"));
  const path = join(folder, "state.db");
  const migrations = [{ id: "1", statements: () => ["CREATE TABLE t (n INTEGER)"] }];
  const open = (): Promise<LeaseStore> =>
    openSqliteStore({ path, migrations, clock: systemClock, logger: createSilentLogger() });
  const [store, other] = [await open(), await open()];
  await store.write([{ sql: "INSERT INTO t VALUES (1)" }]);
  await store.close();
  await other.write([{ sql: "INSERT INTO t VALUES (2)" }]);
  await other.close();
  expect(readdirSync(folder)).toEqual(["state.db"]);
  const again = await open();
  expect(await again.read("SELECT n FROM t ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);
  await again.close();
  rmSync(folder, { recursive: true });
});

test("a file that was taken away before the end is not made again, and one listener's end leaves the other's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-store-"));
  const path = join(folder, "state.db");
  const migrations = [{ id: "1", statements: () => ["CREATE TABLE t (n INTEGER)"] }];
  const store = await openSqliteStore({ path, migrations, clock: systemClock, logger: createSilentLogger() });
  let heard = 0;
  const remove = store.onCommit("t", () => undefined);
  const removeOther = store.onCommit("t", () => (heard += 1));
  remove();
  await store.write([{ sql: "INSERT INTO t VALUES (1)" }]);
  expect(heard).toBe(1);
  removeOther();
  rmSync(folder, { recursive: true });
  await store.close();
  expect(existsSync(path)).toBe(false);
});
