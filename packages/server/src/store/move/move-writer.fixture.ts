/** A process of another version: it looks for no marks and holds no lease, and writes to one database for as long as it lives. */
import { setImmediate } from "node:timers/promises";
import { systemClock as clock } from "../../base/clock.ts";
import { errorMessage } from "../../base/error.ts";
import { createSilentLogger } from "../../base/log.ts";
import { leaseMigration } from "../lease.ts";
import { marksMigration } from "../marks.ts";
import { openPostgresStore } from "../postgres/postgres.ts";
import { openSqliteStore } from "../sqlite/sqlite.ts";
import { insertThing, thingMigration } from "../test-things.ts";

const place = process.argv[2] as string;
const common = {
  migrations: [thingMigration, leaseMigration, marksMigration],
  clock,
  logger: createSilentLogger(),
};
const store = await (place.startsWith("postgres:")
  ? openPostgresStore({ ...common, url: place })
  : openSqliteStore({ ...common, path: place }));
for (let number = 0; ; number += 1) {
  const name = `written ${number}`;
  const answer = await store.write([insertThing(name)]).then(
    () => ({ written: name }),
    (error: unknown) => ({ refused: errorMessage(error) }),
  );
  process.send?.(answer);
  await setImmediate();
}
