/** What every store must do with scans, listeners and its own end, as tests; part of the store's contract. */
import { beforeEach, describe, expect, test } from "vitest";
import { insertThing, thingNames, until } from "./test-things.ts";
import type { Row, Statement, Store } from "./store.ts";

export function describeScan(current: () => Store): void {
  describe("a scan", () => {
    const count = 1000;
    beforeEach(async () => {
      const statements = Array.from({ length: count }, (_, index) => insertThing(`thing ${index}`, index));
      await current().write(statements);
    });

    test("gives every row, in order, with parameters", async () => {
      const amounts: unknown[] = [];
      const sql = "SELECT amount FROM thing WHERE amount >= ? ORDER BY amount";
      for await (const row of current().scan(sql, [10])) amounts.push(row["amount"]);
      expect(amounts).toEqual(Array.from({ length: count - 10 }, (_, index) => index + 10));
    });

    test("lets the event loop turn, and shows the rows as of its start while others write and read", async () => {
      let turns = 0;
      const timer = setInterval(() => (turns += 1), 0);
      let seen = 0;
      for await (const row of current().scan("SELECT name FROM thing ORDER BY amount")) {
        expect(row["name"]).toBe(`thing ${seen}`);
        seen += 1;
        if (seen % 250 !== 0) continue;
        await current().write([insertThing(`late ${seen}`, count + seen)]);
        const rows = await current().read("SELECT amount FROM thing WHERE name = ?", [`late ${seen}`]);
        expect(rows).toHaveLength(1);
      }
      clearInterval(timer);
      expect(seen).toBe(count);
      expect(turns).toBeGreaterThan(0);
    });

    test("can be left early, and many run at once", async () => {
      const firstOf = async (from: number): Promise<unknown> => {
        for await (const row of current().scan("SELECT amount FROM thing WHERE amount >= ?", [from])) {
          return row["amount"];
        }
        return undefined;
      };
      const found = await Promise.all([0, 100, 200, 300, 999, 5000].map(firstOf));
      expect(found).toEqual([0, 100, 200, 300, 999, undefined]);
      await current().write([{ sql: "DELETE FROM thing" }]);
      expect(await firstOf(0)).toBeUndefined();
    });

    test("with a wrong statement or value fails when it is begun", async () => {
      const begin = (sql: string, params: readonly number[]): Promise<unknown> =>
        current().scan(sql, params)[Symbol.asyncIterator]().next();
      await expect(begin("SELECT nowhere FROM thing", [])).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(begin("SELECT ? FROM thing", [])).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(begin("SELECT ?", [Number.NaN])).rejects.toMatchObject({ code: "INTERNAL" });
    });
  });
}

export function describeListeners(current: () => Store, again: () => Promise<Store>): void {
  describe("a commit listener", () => {
    const insertEvent: Statement = { sql: "INSERT INTO event (name) VALUES (?)", params: ["x"] };

    test("hears of commits to its table by the time the write resolves or soon after", async () => {
      let events = 0;
      current().onCommit("event", () => (events += 1));
      await current().write([insertThing("a")]);
      expect(events).toBe(0);
      await current().write([insertThing("b"), insertEvent]);
      await until(() => events > 0);
    });

    test("hears nothing of a batch that left no trace, and nothing more once removed", async () => {
      let events = 0;
      const remove = current().onCommit("event", () => (events += 1));
      const missing: Statement = { sql: "DELETE FROM thing", expect: { rows: 1, guard: "some" } };
      await expect(current().write([insertEvent, missing])).rejects.toThrow();
      remove();
      remove();
      await current().write([insertEvent]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(events).toBe(0);
    });

    test("that throws harms neither the writer nor the other listeners", async () => {
      let events = 0;
      current().onCommit("event", () => {
        throw new Error("a fault of the listener");
      });
      current().onCommit("event", () => (events += 1));
      await current().write([insertEvent]);
      await until(() => events > 0);
    });

    test("is woken by another process's commit, also by one made just before it listened", async () => {
      const other = await again();
      await other.write([insertEvent]);
      let wakes = 0;
      current().onCommit("event", () => (wakes += 1));
      await until(() => wakes > 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const before = wakes;
      const startMs = performance.now();
      await other.write([insertEvent]);
      await until(() => wakes > before);
      // The goal is 10 ms; the bound leaves room for a busy machine.
      expect(performance.now() - startMs).toBeLessThan(500);
      expect(await current().read("SELECT * FROM event")).toHaveLength(2);
    });
  });
}

export function describeLifetime(current: () => Store, again: () => Promise<Store>): void {
  describe("its lifetime", () => {
    test("close finishes what was written; another store finds it", async () => {
      const writes = Array.from({ length: 300 }, (_, index) =>
        current().write([insertThing(`thing ${index}`)]),
      );
      await current().close();
      await Promise.all(writes);
      expect(await thingNames(await again())).toHaveLength(300);
    });

    test("after close everything is refused as unavailable, and close may be called again", async () => {
      const running = current().scan("SELECT * FROM thing")[Symbol.asyncIterator]();
      await current().write(Array.from({ length: 500 }, (_, index) => insertThing(`thing ${index}`)));
      const halfway = current().scan("SELECT * FROM thing")[Symbol.asyncIterator]();
      await halfway.next();
      await current().close();
      await current().close();
      const unavailable = { code: "STORE_UNAVAILABLE" };
      await expect(current().write([insertThing("a")])).rejects.toMatchObject(unavailable);
      await expect(current().read("SELECT * FROM thing")).rejects.toMatchObject(unavailable);
      await expect(running.next()).rejects.toMatchObject(unavailable);
      await expect(readAll(halfway)).rejects.toMatchObject(unavailable);
      current().onCommit("thing", () => {})();
    });

    test("two stores on one database see each other's rows and neither loses a write", async () => {
      const other = await again();
      const stores = [current(), other];
      await Promise.all(
        stores.flatMap((store, which) =>
          Array.from({ length: 200 }, (_, index) => store.write([insertThing(`${which} ${index}`)])),
        ),
      );
      expect(await thingNames(current())).toHaveLength(400);
      expect(await thingNames(other)).toHaveLength(400);
    });
  });
}

async function readAll(rows: AsyncIterator<Row>): Promise<void> {
  while (!(await rows.next()).done);
}

/** A newer version adds a column while this one has the table open and its statements prepared. */
export function describeUpgrade(current: () => Store, openNewer: () => Promise<Store>): void {
  test("goes on when a newer version adds a column: reads, scans, and batches that give rows back", async () => {
    const all = { sql: "UPDATE thing SET amount = amount + 1 RETURNING *" };
    const readAll = (): Promise<readonly Row[]> => current().read("SELECT * FROM thing");
    const scanned = async (): Promise<number> => {
      let rows = 0;
      for await (const _row of current().scan("SELECT * FROM thing")) rows += 1;
      return rows;
    };
    // Twice each: some drivers prepare a statement when they see it again. All connections of a pool have theirs.
    for (let times = 0; times < 2; times += 1) {
      await Promise.all([insertThing(`${times}`), all].map((statement) => current().write([statement])));
      await Promise.all([readAll(), readAll(), readAll(), readAll(), scanned()]);
    }
    const newer = await openNewer();
    await newer.write([{ sql: "UPDATE thing SET colour = 'blue'" }]);
    const reads = await Promise.all([readAll(), readAll(), readAll(), readAll()]);
    for (const rows of reads) expect(rows.map(({ name }) => name).toSorted()).toEqual(["0", "1"]);
    const written = await Promise.all([
      current().write([insertThing("after"), all]),
      current().write([{ sql: "INSERT INTO event (name) VALUES ('beside')" }]),
    ]);
    expect(written[0][1]?.rows).toHaveLength(3);
    expect(await scanned()).toBe(3);
    expect(await current().read("SELECT name FROM event")).toEqual([
      expect.objectContaining({ name: "beside" }),
    ]);
  });
}
