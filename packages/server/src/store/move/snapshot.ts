/** A database as of one moment, for reading alone, whatever is committed meanwhile: for backups and dry runs. */
import { access } from "node:fs/promises";
import { HomeostatError } from "../../base/error.ts";
import { bind, openConnection, reading, readRows } from "../sqlite/connection.ts";
import { connectPostgres, createPostgresStatements } from "../postgres/postgres-connection.ts";
import type { PostgresConnection } from "../postgres/postgres-connection.ts";
import { openingFailure, readingError } from "../postgres/postgres-failure.ts";
import { placeOf } from "../postgres/postgres-url.ts";
import { checkedValue } from "../sql-value.ts";
import type { Row, SqlValue, Store } from "../store.ts";

/** Applies no migration. All reads of one snapshot agree with each other. Close it soon: it keeps old rows alive. */
export type Snapshot = Pick<Store, "dialect" | "read" | "scan" | "close">;

/** Throws DATA_FOLDER_UNUSABLE when there is no such file, STORE_UNAVAILABLE when it is no database. */
export async function openSqliteSnapshot(path: string): Promise<Snapshot> {
  await access(path).catch((error: unknown) => {
    const hint = "Give the data folder with HOMEOSTAT_HOME; `homeostat up` makes a new one.";
    const options = { cause: error, hint };
    throw new HomeostatError("DATA_FOLDER_UNUSABLE", `There is no database at ${path}`, { path }, options);
  });
  const connection = reading(undefined, () => openConnection({ path, readOnly: true }));
  // The moment is that of the first read, which therefore comes at once.
  reading(connection, () => {
    connection.database.exec("BEGIN");
    connection.database.prepare("SELECT COUNT(*) FROM sqlite_schema").get();
  });
  return {
    dialect: "sqlite",
    async read(sql, params = []) {
      return reading(connection, () => readRows(connection.prepare(sql), params.map(checkedValue)));
    },
    async *scan(sql, params = []) {
      const values = params.map(checkedValue);
      const prepared = reading(connection, () => connection.prepare(sql));
      yield* prepared.statement.iterate(...bind(prepared, values)) as Iterable<Row>;
    },
    close() {
      connection.close();
      return Promise.resolve();
    },
  };
}

/** Throws STORE_UNAVAILABLE with a hint when the server cannot be reached or refuses. */
export async function openPostgresSnapshot(url: string): Promise<Snapshot> {
  const connection = await connectPostgres(url).catch((error: unknown) => {
    const { message, hint } = openingFailure(error, placeOf(url));
    throw new HomeostatError("STORE_UNAVAILABLE", message, {}, { cause: error, hint });
  });
  const statements = createPostgresStatements();
  let cursors = 0;
  let isClosed = false;
  await ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", []);
  await ask(connection, "SELECT 1", []);
  return {
    dialect: "postgres",
    read: async (sql, params = []) => await run(sql, params),
    async *scan(sql, params = []) {
      const cursor = `page_${(cursors += 1)}`;
      await run(sql, params, `DECLARE ${cursor} NO SCROLL CURSOR FOR `);
      try {
        for (;;) {
          const page = await ask(connection, `FETCH ${rowsPerPage} FROM ${cursor}`, []);
          yield* page;
          if (page.length < rowsPerPage) return;
        }
      } finally {
        await connection.send({ text: `CLOSE ${cursor}`, values: [] });
      }
    },
    async close() {
      isClosed = true;
      await connection.end();
    },
  };

  async function run(sql: string, params: readonly SqlValue[], before = ""): Promise<readonly Row[]> {
    try {
      const { query } = statements.toQuery(sql, params.map(checkedValue));
      return await connection.ask(before + query.text, query.values);
    } catch (error) {
      throw readingError(error, isClosed);
    }
  }
}

const rowsPerPage = 500;

async function ask(
  connection: PostgresConnection,
  text: string,
  values: readonly SqlValue[],
): Promise<readonly Row[]> {
  try {
    return await connection.ask(text, values);
  } catch (error) {
    throw readingError(error, false);
  }
}
