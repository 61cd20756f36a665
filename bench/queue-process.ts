/**
 * Another process of the queue benchmark, forked with its orders as arguments. `pick-up`: claims runs as they come and tells its
 * parent at which time (milliseconds since 1970) each was in its hands. `write`: commits as fast as it can, and tells how late its event
 * loop was.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock as clock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { insertRun } from "../packages/server/src/queue/run-row.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import { openHands, takeAsTheyCome } from "./queue-latency.ts";
import type { Place } from "./queue-latency.ts";
import { dueRun, ownMigrations } from "./queue-own.ts";

const [task, place = "", milliseconds = "0"] = process.argv.slice(2);

if (task === "pick-up") {
  const hands = await openHands(JSON.parse(place) as Place);
  const stop = takeAsTheyCome(hands, (id) =>
    process.send?.({ id, atMs: performance.timeOrigin + performance.now() }),
  );
  process.once("message", () => {
    void stop()
      .then(hands.close)
      .then(() => process.disconnect());
  });
  process.send?.("ready");
} else {
  const store = await openSqliteStore({
    path: place,
    migrations: ownMigrations,
    clock,
    logger: createSilentLogger(),
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  // The first commits compile and load what the others use.
  await store.write([insertRun(dueRun(), null)]);
  delay.enable();
  const endMs = clock.now() + Number(milliseconds);
  let commits = 0;
  const write = async (): Promise<void> => {
    while (clock.now() < endMs) {
      await store.write([insertRun(dueRun(), null)]);
      commits += 1;
      // Reads happen on the main thread, and must not wait for anybody's commit either.
      await store.read("SELECT COUNT(*) AS n FROM runs WHERE state = 'RUNNING'");
    }
  };
  await Promise.all([write(), write(), write(), write()]);
  delay.disable();
  process.send?.({ p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6, commits });
  await store.close();
  process.disconnect();
}
