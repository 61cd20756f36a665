import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../base/clock.ts";
import type { ManualClock } from "../../base/clock.ts";
import { openConnection } from "./connection.ts";
import { createLeaseSlot, remainingInSlot } from "../lease-slot.ts";
import { leaseMigration } from "../lease.ts";
import { sqliteDialect } from "./migrate-sqlite.ts";
import { renderMigrations } from "../migrate.ts";
import { serveWriter } from "./serve-writer.ts";
import { until } from "../test-things.ts";
import type { FromWriter, ToWriter, WireBatch, WriterOptions } from "../wire.ts";

let folder: string;
let path: string;
let clock: ManualClock;
let sent: FromWriter[];
let inbox: ToWriter[];
let isClosed: boolean;
let deliver: (message: ToWriter) => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-writer-"));
  path = join(folder, "state.db");
  clock = createManualClock();
  sent = [];
  inbox = [];
  isClosed = false;
  deliver = () => {
    throw new Error("the writer does not listen");
  };
});
afterEach(() => {
  if (!isClosed) deliver({ kind: "close" });
  rmSync(folder, { recursive: true });
});

/** The writer on this thread: messages in `inbox` have arrived while it was at work. */
function serve(options: Partial<WriterOptions> = {}): void {
  const migrations = renderMigrations([leaseMigration], sqliteDialect);
  serveWriter(
    { path, migrations, synchronous: "full", foreignCommitPollMs: 1, ...options },
    {
      clock,
      send: (message) => sent.push(message),
      receive: () => inbox.shift(),
      listen: (onMessage) => (deliver = onMessage),
      close: () => (isClosed = true),
    },
  );
}

const insert = (name: string): WireBatch => [["INSERT INTO leases VALUES (?, 'me', 1, 0)", [name], null]];
const batches = (prefix: string, count: number): WireBatch[] =>
  Array.from({ length: count }, (_, index) => insert(`${prefix} ${index}`));
const commitSizes = (): number[] =>
  sent.flatMap((message) => (message.kind === "committed" ? [message.outcomes.length] : []));

describe("the writer", () => {
  test("commits as one group what has arrived, whatever it is told of leases and listeners in between, before it ends", () => {
    serve();
    expect(sent).toEqual([{ kind: "opened" }]);
    inbox.push({ kind: "write", batches: batches("b", 2) }, { kind: "watch", on: false });
    inbox.push({ kind: "drop", name: "x", epoch: 1 });
    inbox.push({ kind: "write", batches: batches("c", 4) }, { kind: "close" });
    deliver({ kind: "write", batches: batches("a", 1) });
    expect(commitSizes()).toEqual([7]);
    expect(isClosed).toBe(true);
  });

  test("brings the log into the file when it is told to", () => {
    serve({ synchronous: "normal" });
    deliver({ kind: "write", batches: batches("a", 100) });
    const before = statSync(path).size;
    deliver({ kind: "checkpoint" });
    expect(statSync(path).size).toBeGreaterThan(before);
  });

  test("bounds a commit, so that nobody waits long", () => {
    serve();
    inbox.push({ kind: "write", batches: batches("b", 700) }, { kind: "write", batches: batches("c", 1) });
    deliver({ kind: "write", batches: batches("a", 700) });
    expect(commitSizes()).toEqual([1000, 400, 1]);
  });

  test("renews leases by its timer and between the commits of a long backlog", async () => {
    serve();
    deliver({ kind: "write", batches: [insert("a")] });
    const slot = createLeaseSlot();
    deliver({ kind: "hold", lease: { name: "a", owner: "me", epoch: 1, ttlMs: 30, slot } });
    clock.advance(10);
    await until(() => remainingInSlot(slot, clock) === 30);
    clock.advance(10);
    deliver({ kind: "write", batches: [insert("b")] });
    expect(remainingInSlot(slot, clock)).toBe(30);
    deliver({ kind: "drop", name: "a", epoch: 1 });
    clock.advance(10);
    deliver({ kind: "write", batches: [insert("c")] });
    expect(remainingInSlot(slot, clock)).toBe(20);
  });

  test("tells of a lease that another took", () => {
    serve();
    const lease = { name: "a", owner: "me", epoch: 1, ttlMs: 30, slot: createLeaseSlot() };
    deliver({ kind: "hold", lease });
    clock.advance(10);
    deliver({ kind: "write", batches: [insert("b")] });
    expect(sent).toContainEqual({ kind: "lease-lost", name: "a", epoch: 1 });
  });

  test("tells of other processes' commits only while asked to, and never of its own", async () => {
    serve();
    const wakes = (): number => sent.filter((message) => message.kind === "foreign-commit").length;
    deliver({ kind: "watch", on: true });
    deliver({ kind: "write", batches: [insert("a")] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(wakes()).toBe(0);
    const other = openConnection({ path, readOnly: false });
    other.database.exec("INSERT INTO leases VALUES ('b', 'me', 1, 0)");
    await until(() => wakes() === 1);
    deliver({ kind: "watch", on: false });
    other.database.exec("INSERT INTO leases VALUES ('c', 'me', 1, 0)");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(wakes()).toBe(1);
    other.close();
  });

  test("does not look for other processes when the interval is 0", () => {
    serve({ foreignCommitPollMs: 0 });
    deliver({ kind: "watch", on: true });
  });
});

describe("a database that cannot be opened is refused with a reason and a remedy", () => {
  const refusal = (): FromWriter | undefined => sent[0];

  test("when a newer version made it", () => {
    serve();
    deliver({ kind: "close" });
    sent = [];
    isClosed = false;
    serve({ migrations: [] });
    expect(refusal()).toMatchObject({ kind: "refused", code: "DATA_FOLDER_UNUSABLE" });
    expect(JSON.stringify(refusal())).toContain(path);
    expect(isClosed).toBe(true);
  });

  test("when the file is damaged or no database", () => {
    writeFileSync(path, "this is a text and no database. ".repeat(100));
    serve();
    expect(refusal()).toMatchObject({
      code: "STORE_UNAVAILABLE",
      hint: expect.stringContaining("backup") as string,
    });
  });

  test("when its folder is missing", () => {
    path = join(folder, "missing", "state.db");
    serve();
    expect(refusal()).toMatchObject({ code: "DATA_FOLDER_UNUSABLE" });
  });

  test("when a migration is wrong, which is our own fault", () => {
    serve({ migrations: [{ id: "0001", statements: ["CREATE TABL x"] }] });
    expect(refusal()).toMatchObject({
      code: "STORE_UNAVAILABLE",
      hint: expect.stringContaining("fault") as string,
    });
    serve({ migrations: [{ id: "0001", statements: [undefined as unknown as string] }] });
    expect(sent[1]).toMatchObject({ hint: expect.stringContaining("fault") as string });
  });
});
