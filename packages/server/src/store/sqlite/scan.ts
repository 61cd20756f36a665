/** Long reads in pages: on connections of their own, so that their snapshot hides nothing from point reads. */
import { setImmediate } from "node:timers/promises";
import { HomeostatError } from "../../base/error.ts";
import { bind, reading } from "./connection.ts";
import type { Connection, PreparedStatement } from "./connection.ts";
import { checkedValue } from "../sql-value.ts";
import type { Row, SqlValue } from "../store.ts";

export interface Scanner {
  /**
   * Rows as of the first one, whatever is committed meanwhile. The event loop turns between pages. A scan that is left
   * standing keeps the write-ahead log from being cut, so consumers should be quick or stop.
   */
  scan(sql: string, params: readonly SqlValue[]): AsyncIterable<Row>;
  /** Running scans then end with STORE_UNAVAILABLE. */
  close(): void;
}

/** About half a millisecond of small rows. */
const rowsPerPage = 200;

/** Connections are kept for the next scan up to this many. */
const maxIdleConnections = 2;

export function createScanner(openReader: () => Connection): Scanner {
  const idle: Connection[] = [];
  const busy = new Set<Connection>();
  let closed = false;
  return {
    async *scan(sql, params) {
      const values = params.map(checkedValue);
      const connection = borrow();
      try {
        const prepared = reading(connection, () => connection.prepare(sql));
        const pages = reading(connection, () => startReading(connection, prepared, values));
        try {
          for (let page = pages.next(); page.length > 0; page = pages.next()) {
            yield* page;
            await setImmediate();
          }
        } finally {
          // Ends the read transaction when the consumer stopped early.
          if (connection.database.isOpen) pages.end();
        }
      } finally {
        giveBack(connection);
      }
    },
    close() {
      closed = true;
      for (const connection of [...idle, ...busy]) connection.close();
      idle.length = 0;
    },
  };

  function borrow(): Connection {
    if (closed) throw new HomeostatError("STORE_UNAVAILABLE", "The database cannot be read: it is closed");
    const connection = idle.pop() ?? reading(undefined, openReader);
    busy.add(connection);
    return connection;
  }

  function giveBack(connection: Connection): void {
    busy.delete(connection);
    if (!closed && idle.length < maxIdleConnections) idle.push(connection);
    else connection.close();
  }
}

interface Pages {
  /** Empty after the last. */
  next(): readonly Row[];
  end(): void;
}

/**
 * Rows come as arrays and become objects here: objects made by node:sqlite are slow to make and to read, and a long scan took
 * 215 ms of CPU for 100,000 rows of ten columns instead of 135.
 */
function startReading(
  connection: Connection,
  prepared: PreparedStatement,
  values: readonly SqlValue[],
): Pages {
  const { statement } = prepared;
  statement.setReturnArrays(true);
  const names = statement.columns().map(({ name }) => name);
  const rows = statement.iterate(...bind(prepared, values));
  return {
    next: () =>
      reading(connection, () => {
        const page: Row[] = [];
        while (page.length < rowsPerPage) {
          const next = rows.next();
          if (next.done === true) break;
          page.push(rowOf(names, next.value as unknown as readonly SqlValue[]));
        }
        return page;
      }),
    end: () => void rows.return?.(),
  };
}

function rowOf(names: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (let column = 0; column < names.length; column += 1) row[names[column]!] = values[column]!;
  return row;
}
