/** One SQLite connection with its prepared statements; says what each failure means. */
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, StatementSync } from "node:sqlite";
import { errorMessage, HomeostatError } from "../../base/error.ts";
import { controlsTransaction, countParameters, filledTables, StatementMistake } from "../sql-text.ts";
import type { Row, SqlValue } from "../store.ts";
import type { FailureKind } from "../wire.ts";

export interface PreparedStatement {
  readonly statement: StatementSync;
  /** A SELECT, or has RETURNING. */
  readonly returnsRows: boolean;
  readonly tables: readonly string[];
  readonly parameters: number;
}

export interface Connection {
  readonly database: DatabaseSync;
  /** Cached by text. Throws SQLite's error, or StatementMistake for text that no batch may hold. */
  prepare(sql: string): PreparedStatement;
  close(): void;
}

export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** `full` syncs every commit to disk; `normal` only checkpoints, so that a power cut may lose the last commits. */
  readonly synchronous?: "full" | "normal";
}

/** How long a commit waits for another process's. A commit takes about a millisecond, so only a hung process exceeds it. */
const busyTimeoutMs = 15_000;

// The server has a few hundred texts; more means that somebody builds text from values, which must not grow the memory.
const maxCachedStatements = 1000;

/** Throws SQLite's error. A writable connection creates the file and turns write-ahead logging on. */
export function openConnection({ path, readOnly, synchronous }: ConnectionOptions): Connection {
  const database = new DatabaseSync(path, {
    readOnly,
    timeout: busyTimeoutMs,
    enableForeignKeyConstraints: true,
  });
  try {
    if (!readOnly) {
      // Half of what SQLite takes by itself: a commit writes each page it touches whole, and ours touch many by a row. Of a new file only.
      database.exec("PRAGMA page_size = 2048");
      database.exec("PRAGMA journal_mode = WAL");
      database.exec(`PRAGMA synchronous = ${synchronous === "normal" ? "NORMAL" : "FULL"}`);
      // What is erased must not be found in freed pages. Inserts and deletes in turn are as fast with it (270,000 rows/s).
      database.exec("PRAGMA secure_delete = ON");
      // A log that one long reader let grow is cut back to this size at the next checkpoint.
      database.exec("PRAGMA journal_size_limit = 67108864");
    }
  } catch (error) {
    database.close();
    throw error;
  }
  const cache = new Map<string, PreparedStatement>();
  return {
    database,
    prepare(sql) {
      const cached = cache.get(sql);
      if (cached !== undefined) return cached;
      const prepared = prepare(database, sql);
      if (cache.size >= maxCachedStatements) cache.delete(cache.keys().next().value!);
      cache.set(sql, prepared);
      return prepared;
    },
    close() {
      cache.clear();
      if (database.isOpen) database.close();
    },
  };
}

/** The rows of a query or of RETURNING. Throws as `runStatement`. */
export function readRows(prepared: PreparedStatement, params: readonly SqlValue[]): readonly Row[] {
  return prepared.statement.all(...bind(prepared, params)) as unknown as readonly Row[];
}

/** The number of changed rows. Throws SQLite's error, StatementMistake, or ERR_OUT_OF_RANGE for integers beyond 2^53. */
export function runStatement(prepared: PreparedStatement, params: readonly SqlValue[]): number {
  return Number(prepared.statement.run(...bind(prepared, params)).changes);
}

/**
 * node:sqlite binds every number as REAL, which would make `7 / 2` 3.5 and text columns hold "1.0"; a BigInt is bound as
 * an integer. Throws StatementMistake for a wrong number of parameters, which node:sqlite would silently bind as NULL.
 */
export function bind(prepared: PreparedStatement, params: readonly SqlValue[]): SQLInputValue[] {
  if (params.length !== prepared.parameters) {
    throw new StatementMistake(`the statement takes ${prepared.parameters} parameters, got ${params.length}`);
  }
  return params.map((value) =>
    typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value,
  );
}

/** Runs a read. Throws STORE_UNAVAILABLE when the database failed or is closed, INTERNAL when the statement is wrong. */
export function reading<T>(connection: Connection | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const isClosed = connection?.database.isOpen === false;
    const code = isClosed || failureKind(error) === "unavailable" ? "STORE_UNAVAILABLE" : "INTERNAL";
    const why = isClosed ? "it is closed" : failureText(error);
    throw new HomeostatError(code, `The database cannot be read: ${why}`, {}, { cause: error });
  }
}

export function failureKind(error: unknown): FailureKind {
  const code = resultCode(error);
  if (code === undefined) return "mistake";
  if (uniqueCodes.has(code)) return "unique";
  // Our only triggers are those that close a database to writers (source-lock.ts).
  if (code === constraintTrigger) return "unavailable";
  return unavailableCodes.has(code & 0xff) ? "unavailable" : "mistake";
}

/** The primary result code of SQLite's error, undefined for anything else thrown. */
export function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** SQLite's text, with what the bare result code does not say. */
export function failureText(error: unknown): string {
  const code = resultCode(error);
  return code === undefined ? errorMessage(error) : `${errorMessage(error)} (SQLite code ${code})`;
}

function prepare(database: DatabaseSync, sql: string): PreparedStatement {
  if (controlsTransaction(sql)) throw new StatementMistake("transactions and settings belong to the store");
  const statement = database.prepare(sql);
  // SQLite compiles the first statement and ignores the rest of the text without a word.
  if (sql.slice(statement.sourceSQL.length).trim() !== "") {
    throw new StatementMistake("one text holds one statement");
  }
  return {
    statement,
    returnsRows: statement.columns().length > 0,
    tables: filledTables(sql),
    parameters: countParameters(sql),
  };
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode;
}

const constraintTrigger = 1811;
// https://sqlite.org/rescode.html: CONSTRAINT_PRIMARYKEY, CONSTRAINT_UNIQUE, CONSTRAINT_ROWID.
const uniqueCodes: ReadonlySet<number> = new Set([1555, 2067, 2579]);
// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB: the database, not the statement.
const unavailableCodes: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26]);
