/** A process that is killed while it moves a.db to b.db: it says when the copy has begun, and then waits for ever. */
import { join } from "node:path";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { leaseMigration } from "../lease.ts";
import { marksMigration } from "../marks.ts";
import { moveStore } from "./move.ts";
import { isProcessDead, processIdentity } from "../process-identity.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import type { Store } from "../store.ts";
import { thingMigration } from "../test-things.ts";

const folder = process.argv[2] as string;
const migrations = [thingMigration, leaseMigration, marksMigration];
const open = (name: string): ReturnType<typeof openSqliteStore> =>
  openSqliteStore({ path: join(folder, name), migrations, clock, logger: createSilentLogger() });
const [source, target] = [await open("a.db"), await open("b.db")];
let copied = 0;
const slow: Store = {
  ...target,
  async write(batch) {
    const results = await target.write(batch);
    if (batch[0]?.expect?.guard === "copied-rows") copied += 1;
    if (copied === 10) {
      process.send?.("copying");
      await new Promise(() => undefined);
    }
    return results;
  },
};
await moveStore({
  source,
  target: slow,
  from: "a",
  to: "b",
  clock,
  owner: processIdentity(),
  isOwnerDead: isProcessDead,
  alsoHold: [],
  findUser: () => Promise.resolve(undefined),
  arriving: {},
  prove: () => Promise.resolve(),
  record: () => [],
  onProgress: () => undefined,
});
