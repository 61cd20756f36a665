/** Which failures of PostgreSQL mean what, and what whoever configured the database is told to do. */
import { DatabaseError } from "pg";
import { expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { StatementMistake } from "../sql-text.ts";
import {
  openingFailure,
  postgresFailureKind,
  postgresFailureText,
  readingError,
} from "./postgres-failure.ts";

function fromServer(code?: string, message = "it says why", routine?: string): DatabaseError {
  const error = new DatabaseError(message, message.length, "error");
  return Object.assign(error, { code, routine });
}

test.each([
  ["a second row of one key", fromServer("23505"), "unique"],
  ["a serialisation failure", fromServer("40001"), "retry"],
  ["a deadlock", fromServer("40P01"), "retry"],
  ["a plan of before a migration", fromServer("0A000", "x", "RevalidateCachedQuery"), "retry"],
  ["a feature that is not there", fromServer("0A000"), "mistake"],
  ["a wrong statement", fromServer("42601"), "mistake"],
  ["an error without a code", fromServer(), "mistake"],
  ["a full disk", fromServer("53100"), "unavailable"],
  ["a server that became a replica", fromServer("25006"), "unavailable"],
  ["a wrong value", new StatementMistake("no such type"), "mistake"],
  ["a fault of the driver's caller", new TypeError("x"), "mistake"],
  ["our own word that it is away", new HomeostatError("STORE_UNAVAILABLE", "away"), "unavailable"],
  ["another word of ours", new HomeostatError("INTERNAL", "x"), "mistake"],
  ["what comes from the socket", new Error("ECONNRESET"), "unavailable"],
])("%s is told apart", (_what, error, kind) => {
  expect(postgresFailureKind(error)).toBe(kind);
});

test("the text of a failure names the code, and each address of a host that has several", () => {
  expect(postgresFailureText(fromServer("53100"))).toBe("it says why (PostgreSQL code 53100)");
  expect(postgresFailureText(fromServer())).toBe("it says why (PostgreSQL code unknown)");
  const both = new AggregateError([new Error("refused at ::1"), new Error("refused at 127.0.0.1")]);
  expect(postgresFailureText(both)).toBe("refused at ::1; refused at 127.0.0.1");
});

test("a reading that failed is our fault only when the statement is wrong", () => {
  expect(readingError(fromServer("42601"), false)).toMatchObject({ code: "INTERNAL" });
  expect(readingError(fromServer("57P01"), false)).toMatchObject({ code: "STORE_UNAVAILABLE" });
  const closed = readingError(fromServer("42601"), true);
  expect(closed).toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: "The database cannot be read: it is closed",
  });
});

test.each([
  [fromServer("3D000"), /Create the database/],
  [fromServer("XX000"), /log of the PostgreSQL server/],
  [fromServer(), /log of the PostgreSQL server/],
  [new Error("SASL: client password must be a string"), /wants a password/],
  [new Error("self-signed certificate"), /Set sslmode/],
  [new Error("connect ECONNREFUSED"), /Start PostgreSQL/],
  [new HomeostatError("STORE_UNAVAILABLE", "away", {}, { hint: "look there" }), /^look there$/],
])("whoever cannot open the database is told what to do: %s", (error, hint) => {
  const told = openingFailure(error, "ada@host/db");
  expect(told.message).toMatch(/^Cannot use the database ada@host\/db: /);
  expect(told.hint).toMatch(hint);
});
