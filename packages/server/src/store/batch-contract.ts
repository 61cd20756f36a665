/** What every store must do with values and batches, as tests; part of the store's contract. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { insertThing, plain, thingNames } from "./test-things.ts";
import type { Statement, Store } from "./store.ts";

export function describeValues(current: () => Store): void {
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

export function describeBatches(current: () => Store): void {
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
