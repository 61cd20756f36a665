/** What an error of PostgreSQL or of the way to it means, in the store's words and without secrets. */
import { DatabaseError } from "pg";
import { errorMessage, HomeostatError, isHomeostatError } from "../../base/error.ts";
import type { FailureKind } from "../wire.ts";
import { StatementMistake } from "../sql-text.ts";

/** `retry`: nothing was kept, and the same again may succeed. */
export type PostgresFailureKind = FailureKind | "retry";

export function postgresFailureKind(error: unknown): PostgresFailureKind {
  if (error instanceof DatabaseError) {
    const code = error.code ?? "";
    if (code === "23505") return "unique";
    // Serialisation failure, deadlock: only beside other programs, because our own writers take turns.
    if (code === "40001" || code === "40P01" || isStalePlan(error)) return "retry";
    return unavailableClasses.has(code.slice(0, 2)) || unavailableCodes.has(code) ? "unavailable" : "mistake";
  }
  if (error instanceof StatementMistake || error instanceof TypeError) return "mistake";
  if (isHomeostatError(error)) return error.code === "STORE_UNAVAILABLE" ? "unavailable" : "mistake";
  // All else comes from the socket.
  return "unavailable";
}

/**
 * A newer version has added a column to a table that a prepared statement reads all columns of. The server says so once for each
 * connection and never again prepares that name ("cached plan must not change result type"); the routine's name is in no language.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof DatabaseError && error.code === "0A000" && error.routine === "RevalidateCachedQuery"
  );
}

export function postgresFailureText(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.message} (PostgreSQL code ${error.code ?? "unknown"})`;
  // A host with several addresses: the message is empty, each address has its own error.
  if (error instanceof AggregateError) return error.errors.map(errorMessage).join("; ");
  return errorMessage(error);
}

/** STORE_UNAVAILABLE, or INTERNAL when the statement is wrong. `closed`: the store's own end is the reason. */
export function readingError(error: unknown, closed: boolean): HomeostatError {
  const code = closed || postgresFailureKind(error) !== "mistake" ? "STORE_UNAVAILABLE" : "INTERNAL";
  const why = closed ? "it is closed" : postgresFailureText(error);
  return new HomeostatError(code, `The database cannot be read: ${why}`, {}, { cause: error });
}

/** Why a database cannot be opened and what to do, for whoever configured it. `place` is without password. */
export function openingFailure(
  error: unknown,
  place: string,
): { readonly message: string; readonly hint: string } {
  const why = postgresFailureText(error);
  const code = error instanceof DatabaseError ? (error.code ?? "") : "";
  const hint = isHomeostatError(error) ? error.hint : (openingHints[code] ?? otherHint(error, why));
  return { message: `Cannot use the database ${place}: ${why}`, hint };
}

function otherHint(error: unknown, why: string): string {
  if (/password must be a (?:non-empty )?string/i.test(why)) {
    return "The server wants a password; put it into the URL.";
  }
  if (/SSL|TLS|certificate/i.test(why)) {
    return "Set sslmode in the URL (verify-full, no-verify or disable) and sslrootcert to the authority's certificate.";
  }
  if (error instanceof DatabaseError) return "Look into the log of the PostgreSQL server.";
  return "Start PostgreSQL, or correct host and port in the URL; a firewall may be between.";
}

const openingHints: Readonly<Record<string, string>> = {
  "28P01": "Correct the user or the password in the URL.",
  "28000": "The server refuses this user from here; correct the URL, or pg_hba.conf on the server.",
  "3D000": "Create the database, or correct its name in the URL.",
  "3F000": "Create the schema that search_path names, or correct it.",
  "42501":
    "Make the user owner of the schema, or GRANT it USAGE and CREATE on the schema and all rights on its tables.",
  "53300": "The server has too many connections; raise max_connections or stop another program.",
  "57P03": "The server is starting or stopping; try again in a moment.",
};

// https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, authorisation, catalog and schema name,
// resources (disk full), operator's intervention (shutdown, terminated session), system error, damaged data.
const unavailableClasses: ReadonlySet<string> = new Set(["08", "28", "3D", "53", "57", "58", "XX"]);
// Read-only transaction (the server became a replica), idle transaction ended, lock not available in time, no permission.
const unavailableCodes: ReadonlySet<string> = new Set(["25006", "25P03", "55P03", "42501"]);
