import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { LeaseStore } from "./lease.ts";
import { openSqliteStore } from "./sqlite.ts";
import { describeStore } from "./store-contract.ts";

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
