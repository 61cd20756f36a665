/** What every store must do, as tests: each implementation runs them against itself. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeLeases } from "./lease-contract.ts";
import type { LeaseStore } from "./lease.ts";
import { leaseMigration } from "./lease.ts";
import type { Migration, Row, Statement, Store } from "./store.ts";

/** One database made for one test. */
export interface DatabaseUnderTest {
  /** A store on it; called again, another one on the same database, as a second process would open. */
  open(migrations: readonly Migration[]): Promise<LeaseStore>;
  /** Closes all stores and removes the database. */
  remove(): Promise<void>;
}

const thingMigration: Migration = {
  id: "0001-thing",
  statements: ({ bytes, identity }) => [
    `CREATE TABLE thing (name TEXT PRIMARY KEY, amount BIGINT NOT NULL, ratio DOUBLE PRECISION, body ${bytes})`,
    `CREATE TABLE event (id ${identity}, name TEXT NOT NULL)`,
  ],
};
const migrations = [thingMigration, leaseMigration];

export function describeStore(name: string, create: () => Promise<DatabaseUnderTest>): void {
  describe(`${name} as a store`, () => {
    let database: DatabaseUnderTest;
    let store: LeaseStore;
    beforeEach(async () => {
      database = await create();
      store = await database.open(migrations);
    });
    afterEach(() => database.remove());
    const again = (): Promise<LeaseStore> => database.open(migrations);

    describeValues(() => store);
    describeBatches(() => store);
    describeScan(() => store);
    describeListeners(() => store, again);
    describeLifetime(() => store, again);
    describeLeases(() => store, again);
  });
}

function insertThing(name: string, amount = 1): Statement {
  return { sql: "INSERT INTO thing (name, amount) VALUES (?, ?)", params: [name, amount] };
}

async function thingNames(store: Store): Promise<readonly unknown[]> {
  return (await store.read("SELECT name FROM thing ORDER BY name")).map((row) => row["name"]);
}

function plain(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row }));
}

function describeValues(current: () => Store): void {
  describe("values", () => {
    test("come back as they were written", async () => {
      const body = Buffer.from([0, 1, 254, 255]).subarray(1, 3);
      await current().write([
        { sql: "INSERT INTO thing VALUES (?, ?, ?, ?)", params: ["é😀", 2 ** 53 - 1, 0.1, body] },
        { sql: "INSERT INTO thing VALUES (?, ?, ?, ?)", params: ["", -(2 ** 53) + 1, null, null] },
      ]);
      const rows = plain(await current().read("SELECT * FROM thing ORDER BY amount"));
      expect(rows).toEqual([
        { name: "", amount: -(2 ** 53) + 1, ratio: null, body: null },
        { name: "é😀", amount: 2 ** 53 - 1, ratio: 0.1, body: new Uint8Array([1, 254]) },
      ]);
    });

    test("whole numbers are divided as whole numbers", async () => {
      await current().write([insertThing("a", 7)]);
      const [row] = await current().read("SELECT amount / ? AS half FROM thing", [2]);
      expect(row?.["half"]).toBe(3);
    });

    test("are taken at the time of the call, whatever the caller does to them afterwards", async () => {
      const body = new Uint8Array([1, 2, 3]);
      const params = ["a", 1, null, body];
      const written = current().write([{ sql: "INSERT INTO thing VALUES (?, ?, ?, ?)", params }]);
      body.fill(9);
      params[0] = "b";
      await written;
      const [row] = await current().read("SELECT name, body FROM thing");
      expect({ ...row }).toEqual({ name: "a", body: new Uint8Array([1, 2, 3]) });
    });

    test.each([
      ["NaN", Number.NaN],
      ["infinity", Infinity],
      ["a number beyond 2^53", 2 ** 53],
      ["a boolean", true],
      ["undefined", undefined],
      ["a bigint", 1n],
      ["an object", {}],
    ])("%s is refused as a parameter", async (_what, value) => {
      // Cast, because the types refuse them already; callers with unchecked data do not have the types.
      const params = ["a", value as number];
      const sql = "INSERT INTO thing (name, amount) VALUES (?, ?)";
      await expect(current().write([{ sql, params }])).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(current().read("SELECT ?, ?", params)).rejects.toMatchObject({ code: "INTERNAL" });
      expect(await thingNames(current())).toEqual([]);
    });

    test("an integer that grew beyond 2^53 inside of the database is an error, not another number", async () => {
      await current().write([insertThing("a", 2 ** 53 - 1)]);
      await current().write([{ sql: "UPDATE thing SET amount = amount + 2" }]);
      await expect(current().read("SELECT amount FROM thing")).rejects.toMatchObject({ code: "INTERNAL" });
      const returning = current().write([{ sql: "UPDATE thing SET name = 'b' RETURNING amount" }]);
      await expect(returning).rejects.toMatchObject({ code: "INTERNAL" });
      expect(await thingNames(current())).toEqual(["a"]);
    });
  });
}

function describeBatches(current: () => Store): void {
  describe("a batch", () => {
    test("answers with the rows of RETURNING, else with the number of changes", async () => {
      const results = await current().write([
        insertThing("a", 1),
        insertThing("b", 2),
        { sql: "UPDATE thing SET amount = amount + ?", params: [10] },
        {
          sql: "UPDATE thing SET amount = 0 WHERE name = ? RETURNING name, amount",
          params: ["b"],
          expect: { rows: 1, guard: "b" },
        },
        { sql: "SELECT name FROM thing WHERE amount > ?", params: [10] },
      ]);
      expect(results.map((result) => [plain(result.rows), result.changes])).toEqual([
        [[], 1],
        [[], 1],
        [[], 2],
        [[{ name: "b", amount: 0 }], 1],
        [[{ name: "a" }], 1],
      ]);
      expect(await current().write([])).toEqual([]);
    });

    test("can be read as soon as it resolves", async () => {
      for (let index = 0; index < 50; index += 1) {
        await current().write([insertThing(`thing ${index}`)]);
        expect(await thingNames(current())).toHaveLength(index + 1);
      }
    });

    test("leaves no trace when an expectation fails, and says which", async () => {
      const failing = current().write([
        insertThing("a"),
        { sql: "UPDATE thing SET amount = 2 WHERE name = ?", params: ["x"], expect: { rows: 1, guard: "x" } },
        insertThing("b"),
      ]);
      await expect(failing).rejects.toMatchObject({
        code: "STORE_CONFLICT",
        data: { guard: "x", rows: 0, statement: 1 },
      });
      expect(await thingNames(current())).toEqual([]);
    });

    test("leaves no trace when a key is taken, and names the statement's own guard if it has one", async () => {
      await current().write([insertThing("a")]);
      const unnamed = current().write([insertThing("b"), insertThing("a")]);
      await expect(unnamed).rejects.toMatchObject({ code: "STORE_CONFLICT", data: { guard: "unique" } });
      const named = current().write([{ ...insertThing("a"), expect: { rows: 1, guard: "first answer" } }]);
      await expect(named).rejects.toMatchObject({ data: { guard: "first answer" } });
      expect(await thingNames(current())).toEqual(["a"]);
    });

    test.each([
      ["that does not parse", { sql: "INSRT INTO thing" }],
      ["on a table that does not exist", { sql: "DELETE FROM nowhere" }],
      ["that breaks a constraint", { sql: "INSERT INTO thing (name) VALUES (?)", params: ["a"] }],
      ["with too few parameters", { sql: "DELETE FROM thing WHERE name = ? OR name = ?", params: ["a"] }],
      ["with too many parameters", { sql: "DELETE FROM thing WHERE name = ?", params: ["a", "b"] }],
      ["that is two", { sql: "DELETE FROM thing; DELETE FROM event" }],
      ["that ends the transaction", { sql: "COMMIT" }],
    ])("with a statement %s fails alone", async (_what, statement: Statement) => {
      const before = current().write([insertThing("before")]);
      const failing = current().write([insertThing("within"), statement]);
      const after = current().write([insertThing("after")]);
      await expect(failing).rejects.toMatchObject({ code: "INTERNAL", data: { sql: statement.sql } });
      await Promise.all([before, after]);
      expect(await thingNames(current())).toEqual(["after", "before"]);
    });

    test("does not take a question mark in a text, a name or a comment for a parameter", async () => {
      await current().write([
        {
          sql: `INSERT INTO thing (name, amount) /* what? */
            VALUES ('why?' || ?, 1) -- who?`,
          params: ["!"],
        },
      ]);
      expect(await thingNames(current())).toEqual(["why?!"]);
    });

    test("of one caller runs after the caller's earlier ones", async () => {
      const count = 500;
      const writes = [current().write([insertThing("a", 0)])];
      for (let index = 0; index < count; index += 1) {
        writes.push(
          current().write([
            {
              sql: "UPDATE thing SET amount = ? WHERE amount = ?",
              params: [index + 1, index],
              expect: { rows: 1, guard: "order" },
            },
          ]),
        );
        if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(writes);
      const [row] = await current().read("SELECT amount FROM thing");
      expect(row?.["amount"]).toBe(count);
    });

    test("behaves as in a model that runs the batches one after the other", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 12 }), async (batches) => {
          await current().write([{ sql: "DELETE FROM thing" }]);
          const outcomes = await Promise.allSettled(
            batches.map((batch) => current().write(batch.map(toStatement))),
          );
          const model = new Map<string, number>();
          const wanted = batches.map((batch) => (applyToModel(model, batch) ? "fulfilled" : "rejected"));
          expect(outcomes.map((outcome) => outcome.status)).toEqual(wanted);
          const rows = await current().read("SELECT name, amount FROM thing");
          const found = new Map(rows.map((row) => [row["name"], row["amount"]]));
          expect(found).toEqual(model);
        }),
        { numRuns: 60 },
      );
    });
  });
}

type Step = readonly [kind: "insert" | "put" | "update" | "require" | "delete", name: string, amount: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("insert", "put", "update", "require", "delete"),
  fc.constantFrom("a", "b", "c"),
  fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
);

function toStatement([kind, name, amount]: Step): Statement {
  switch (kind) {
    case "insert":
      return insertThing(name, amount);
    case "put":
      return {
        sql: "INSERT INTO thing (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = excluded.amount",
        params: [name, amount],
      };
    case "update":
      return { sql: "UPDATE thing SET amount = ? WHERE name = ?", params: [amount, name] };
    case "require":
      return {
        sql: "UPDATE thing SET amount = ? WHERE name = ?",
        params: [amount, name],
        expect: { rows: 1, guard: "present" },
      };
    case "delete":
      return { sql: "DELETE FROM thing WHERE name = ?", params: [name] };
  }
}

/** False, and the model untouched, when the batch must fail. */
function applyToModel(model: Map<string, number>, batch: readonly Step[]): boolean {
  const copy = new Map(model);
  for (const [kind, name, amount] of batch) {
    if (kind === "insert" && copy.has(name)) return false;
    if (kind === "require" && !copy.has(name)) return false;
    if (kind === "delete") copy.delete(name);
    else if (kind !== "update" || copy.has(name)) copy.set(name, amount);
  }
  model.clear();
  for (const [name, amount] of copy) model.set(name, amount);
  return true;
}

function describeScan(current: () => Store): void {
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

function describeListeners(current: () => Store, again: () => Promise<Store>): void {
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

function describeLifetime(current: () => Store, again: () => Promise<Store>): void {
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

/** Polls, because listeners may be called late. */
export async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
