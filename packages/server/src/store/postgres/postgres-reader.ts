/** Reading a PostgreSQL database: a pool for point reads, and a store that only reads, beside or without a server. */
import { DatabaseError, Pool } from "pg";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import type { Logger } from "../../base/log.ts";
import { createPostgresStatements, queryConfig } from "./postgres-connection.ts";
import { isStalePlan, openingFailure, postgresFailureText, readingError } from "./postgres-failure.ts";
import { committedPlace } from "./postgres-place.ts";
import { createPostgresScanner } from "./postgres-scan.ts";
import { placeOf } from "./postgres-url.ts";
import { checkedValue } from "../sql-value.ts";
import type { Row, SqlValue, StoreReader } from "../store.ts";

/** Point reads of one process at once; more wait in line. The scans and the thread have connections of their own. */
const readConnections = 4;

export interface PostgresReads {
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** The place in the write-ahead log that a replica must have reached to show every commit acknowledged so far. */
  committedUpTo(): Promise<string>;
  close(): Promise<void>;
}

/** Connects with the first read. */
export function createPostgresReads(url: string, logger: Logger): PostgresReads {
  const pool = new Pool({
    connectionString: url,
    max: readConnections,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: "homeostat reader",
    // As on SQLite, where the reading connection cannot write either.
    onConnect: async (client) => {
      await client.query("SET default_transaction_read_only = on");
    },
  });
  // An idle connection that the server ended; the next read makes another.
  pool.on("error", (error) =>
    logger.debug({ error: postgresFailureText(error) }, "a connection to the database ended"),
  );
  const statements = createPostgresStatements();
  let closing: Promise<void> | undefined;
  return {
    read,
    committedUpTo: () => committedPlace({ read }),
    close: () => (closing ??= pool.end()),
  };

  async function read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    const values = params.map(checkedValue);
    const ask = async (): Promise<readonly Row[]> => {
      const { query } = statements.toQuery(sql, values);
      return (await pool.query<Row>(queryConfig(query))).rows;
    };
    try {
      return await ask().catch((error: unknown) => {
        if (!isStalePlan(error)) throw error;
        statements.renew();
        return ask();
      });
    } catch (error) {
      throw readingError(error, closing !== undefined);
    }
  }
}

/**
 * What `verify` and `doctor` look through. Changes nothing, makes no tables. Throws STORE_UNAVAILABLE when the server cannot be
 * reached or the schema holds no tables of ours.
 */
export async function openPostgresReader(options: {
  readonly url: string;
  readonly readUrl?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<StoreReader> {
  const { url, readUrl, clock, logger } = options;
  const reads = createPostgresReads(url, logger);
  const { committedUpTo } = reads;
  const scanner = createPostgresScanner({ url, readUrl, clock, committedUpTo, mayAskReplica: () => true });
  const close = async (): Promise<void> => {
    scanner.close();
    await reads.close();
  };
  try {
    await reads.read("SELECT id FROM schema_migrations LIMIT 1");
  } catch (error) {
    await close();
    throw unreadable(error, placeOf(url));
  }
  return { read: reads.read, scan: (sql, params = []) => scanner.scan(sql, params), close };
}

function unreadable(error: unknown, database: string): HomeostatError {
  // `read` tells every failure as an error of ours, with its cause.
  const { cause } = error as HomeostatError;
  const hasNoTables = cause instanceof DatabaseError && cause.code === "42P01";
  const { message, hint } = hasNoTables
    ? {
        message: `The database ${database} holds no tables of Homeostat`,
        hint: "Correct databaseUrl (its search_path too), or start a server on it once: that makes the tables.",
      }
    : openingFailure(cause, database);
  return new HomeostatError("STORE_UNAVAILABLE", message, { database }, { cause: error, hint });
}
