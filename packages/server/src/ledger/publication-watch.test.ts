import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createManualClock, systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { outboxInsert, outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { until } from "../store/test-things.ts";
import { testEntry, testFolder } from "./log.fixture.ts";
import { createPublicationWatch } from "./publication-watch.ts";
import type { PublicationWatch } from "./publication-watch.ts";

let store: Store;
const watches: PublicationWatch[] = [];
beforeEach(async () => {
  const options = { migrations: [outboxMigration], clock: systemClock, logger: createSilentLogger() };
  store = await openSqliteStore({ path: join(testFolder().home, "state.db"), ...options });
});
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop(1_000)));
  await store.close();
});

async function startWatch(clock: Clock = systemClock, over: Partial<Store> = {}): Promise<PublicationWatch> {
  const watch = createPublicationWatch({ store: { ...store, ...over }, clock, logger: createSilentLogger() });
  watches.push(watch);
  await watch.start();
  return watch;
}

const insert = (key: string): Promise<unknown> => store.write([outboxInsert(key, testEntry(1))]);
/** As the publisher settles rows. */
const publish = (key: string): Promise<unknown> =>
  store.write([
    { sql: "DELETE FROM ledger_outbox WHERE key = ?", params: [key] },
    {
      sql: `INSERT INTO ledger_position (only_row, size, root) VALUES (1, 1, 'r')
        ON CONFLICT (only_row) DO UPDATE SET size = ledger_position.size + 1`,
    },
  ]);

test("who waits for a key is told when its row is gone, and a key without a row counts as published", async () => {
  const watch = await startWatch();
  await watch.published("never-there");
  await insert("one");
  await insert("two");
  const done: string[] = [];
  const waiting = ["one", "two"].map((key) => watch.published(key).then(() => done.push(key)));
  await publish("two");
  await until(() => done.length === 1);
  expect(done).toEqual(["two"]);
  await publish("one");
  await Promise.all(waiting);
  expect(watch.health()).toEqual({ kind: "ok", detail: "a gateway publishes" });
  // Nobody waits any more: a commit wakes nobody, and the next who waits is served all the same.
  await publish("none");
  await insert("three");
  const three = watch.published("three");
  await publish("three");
  await three;
});

test("while nobody publishes it says so, and when somebody does it is well again", async () => {
  const clock = createManualClock(0);
  const watch = await startWatch(clock);
  await insert("one");
  const waiting = watch.published("one");
  await until(() => {
    clock.advance(1_000);
    return watch.health().kind === "degraded";
  });
  expect(watch.health().detail).toMatch(/^no gateway has published for \d+ s/);
  await publish("one");
  await until(() => {
    clock.advance(1_000);
    return watch.health().kind === "ok";
  });
  await waiting;
});

test("a database that is away for a moment ends no waiting; being stopped does", async () => {
  let isAway = true;
  const read: Store["read"] = (sql, params) =>
    isAway ? Promise.reject(new Error("it is away")) : store.read(sql, params);
  const watch = await startWatch(systemClock, { read });
  await insert("one");
  await insert("two");
  const one = watch.published("one");
  await publish("one");
  isAway = false;
  await one;
  const two = watch.published("two");
  const told = expect(two).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  await watch.stop(1_000);
  await told;
  await expect(watch.published("two")).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
});
