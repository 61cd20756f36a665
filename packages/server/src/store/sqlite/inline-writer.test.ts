import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock, systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import { openConnection } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { openInlineWriter } from "./inline-writer.ts";
import type { InlineSettings } from "./inline-writer.ts";
import { sqliteDialect } from "./migrate-sqlite.ts";
import { renderMigrations } from "../migrate.ts";
import { insertThing, thingMigration, until } from "../test-things.ts";
import { startWriter } from "../writer.ts";
import type { Writer } from "../writer.ts";

let folder: string;
let path: string;
let writer: Omit<Writer, "isIdle">;
let reader: Connection;
const clock = createManualClock();
/** How each commit was made. */
let commits: ("here" | "thread")[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-inline-"));
  path = join(folder, "state.db");
  commits = [];
});
afterEach(async () => {
  await writer.close();
  reader.close();
  rmSync(folder, { recursive: true });
});

/** Of which every reading is a millisecond later than the one before, as if each commit took one. */
const ticking: Clock = { ...clock, monotonic: () => (ticks += 1) };
let ticks = 0;

async function open(settings: InlineSettings = {}, own: Clock = ticking): Promise<void> {
  const migrations = renderMigrations([thingMigration], sqliteDialect);
  const thread = await startWriter(
    { path, migrations, synchronous: "normal", foreignCommitPollMs: 0, maxPendingBatches: 100 },
    {
      onCommitted: () => commits.push("thread"),
      onForeignCommit: () => {},
      onLeaseLost: () => {},
      onDied: () => {},
    },
  );
  writer = openInlineWriter(thread, { path, clock: own, settings }, () => commits.push("here"));
  reader = openConnection({ path, readOnly: true });
}

const names = (): unknown[] =>
  reader.database
    .prepare("SELECT name FROM thing ORDER BY rowid")
    .all()
    .map(({ name }) => name);

describe("a writer that commits on this thread", () => {
  test("commits what is written in one turn as one group, and more than its bound on the thread", async () => {
    await open({ mostBatches: 3 });
    const group = ["a", "b", "c"].map((name) => writer.write([insertThing(name, 1)]));
    await Promise.all(group);
    expect(commits).toEqual(["here"]);
    await Promise.all(["d", "e", "f", "g", "h"].map((name) => writer.write([insertThing(name, 1)])));
    expect(commits).toEqual(["here", "here", "thread"]);
    expect(names()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"]);
  });

  test("leaves the waiting for another's lock to the thread, and keeps order and values meanwhile", async () => {
    await open();
    const other = openConnection({ path, readOnly: false });
    other.database.exec("BEGIN IMMEDIATE");
    const body = new Uint8Array([1]);
    const first = writer.write([{ sql: "INSERT INTO thing VALUES ('a', 1, NULL, ?)", params: [body] }]);
    body.fill(9);
    await new Promise((resolve) => setImmediate(resolve));
    const second = writer.write([insertThing("b", 1)]);
    const twice = writer.write([insertThing("a", 2)]);
    other.database.exec("COMMIT");
    other.close();
    await Promise.all([first, second]);
    await expect(twice).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(commits).not.toContain("here");
    expect(names()).toEqual(["a", "b"]);
    expect(reader.database.prepare("SELECT body FROM thing WHERE name = 'a'").get()?.["body"]).toEqual(
      new Uint8Array([1]),
    );
  });

  test("has the thread sync the log after so many writes, and begin it anew after so many syncs, so that it does not grow", async () => {
    await open({ mostUnsyncedMs: 50, syncsOfLog: 2 });
    const sizes: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      for (let each = 0; each < 101; each += 1) await writer.write([insertThing(`${round} ${each}`, 1)]);
      sizes.push(statSync(`${path}-wal`).size);
    }
    expect(commits.filter((where) => where === "thread")).toHaveLength(10);
    expect(Math.max(...sizes)).toBeLessThan(2 * sizes[0]!);
    expect(names()).toHaveLength(1010);
  });

  test("lets the event loop turn now and then, however long its caller only writes", async () => {
    await open({}, systemClock);
    let isOver = false;
    setTimeout(() => (isOver = true), 100);
    const startMs = systemClock.monotonic();
    // Each goes on in a microtask: without a turn of the loop it would never end.
    while (!isOver) await writer.write([insertThing(`thing ${commits.length}`, 1)]);
    expect(systemClock.monotonic() - startMs).toBeLessThan(5000);
    expect(commits).toContain("here");
  });

  test("after a sync that no write follows, the thread begins the log anew", async () => {
    await open({ mostUnsyncedMs: 2, syncsOfLog: 1000 });
    await writer.write([insertThing("a", 1)]);
    await writer.write([insertThing("b", 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    await writer.write([insertThing("c", 1)]);
    expect(commits).toEqual(["here", "here", "thread"]);
    for (const name of ["d", "e", "f"]) await writer.write([insertThing(name, 1)]);
    expect(commits.slice(3)).toEqual(["here", "here", "here"]);
  });

  test("has the thread sync the log soon after a single commit too", async () => {
    await open({ syncAfterMs: 1000 });
    await writer.write([insertThing("it is in the file", 1)]);
    const isInFile = (): boolean => readFileSync(path).includes("it is in the file");
    expect(isInFile()).toBe(false);
    clock.advance(1000);
    await until(isInFile);
    await writer.write([insertThing("b", 1)]);
    expect(commits).toEqual(["here", "thread"]);
  });
});
