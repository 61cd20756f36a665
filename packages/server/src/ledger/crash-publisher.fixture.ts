/** A process that inserts outbox rows until it is killed and writes the key of every published one to its standard output. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { outboxInsert, outboxMigration } from "../store/outbox.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "./publish.ts";

const home = process.argv[2] as string;
const logger = createSilentLogger();
const store = await openSqliteStore({
  path: join(home, "state.db"),
  migrations: [outboxMigration, leaseMigration],
  clock: systemClock,
  logger,
});
const publisher = createLedgerPublisher({
  store,
  clock: systemClock,
  logger,
  ledgerFolder: join(home, "ledger"),
  keysFolder: join(home, "keys"),
  owner: processIdentity(),
  isOwnerDead: isProcessDead,
  settings: { ...defaultPublisherSettings, segmentBytes: 50_000 },
});
let next = 0;

async function insertForEver(): Promise<never> {
  for (;;) {
    const key = `${process.pid}/${next++}`;
    const entry = {
      v: 1 as const,
      key,
      at: "2026-02-03T04:05:06.789Z",
      type: "test.happened",
      tenant: "default",
      actor: { kind: "system" as const, id: "test" },
      labels: [],
      salt: "0123456789abcdef0123456789abcdef",
      data: {},
    };
    await store.write([outboxInsert(key, entry)]);
    writeSync(1, `committed ${key}\n`);
    await publisher.published(key);
    // Synchronous, so that what was acknowledged has left the process before it can be killed.
    writeSync(1, `published ${key}\n`);
  }
}

await publisher.start();
writeSync(1, "ready\n");
await Promise.all([insertForEver(), insertForEver(), insertForEver()]);
