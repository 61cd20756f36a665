/** A database opened for reading alone, beside or without a server: what `verify` and `doctor` look through. */
import { access } from "node:fs/promises";
import { HomeostatError } from "../../base/error.ts";
import { openConnection, reading, readRows } from "./connection.ts";
import { createScanner } from "./scan.ts";
import { checkedValue } from "../sql-value.ts";
import type { StoreReader } from "../store.ts";

/** Throws DATA_FOLDER_UNUSABLE when there is no such file, STORE_UNAVAILABLE when it is no database of ours. */
export async function openSqliteReader(path: string): Promise<StoreReader> {
  try {
    await access(path);
  } catch (error) {
    throw new HomeostatError(
      "DATA_FOLDER_UNUSABLE",
      `There is no database at ${path}`,
      { path },
      { cause: error, hint: "Give the data folder with HOMEOSTAT_HOME; `homeostat up` makes a new one." },
    );
  }
  const open = () => openConnection({ path, readOnly: true });
  const connection = reading(undefined, open);
  const scanner = createScanner(open);
  return {
    async read(sql, params = []) {
      return reading(connection, () => readRows(connection.prepare(sql), params.map(checkedValue)));
    },
    scan: (sql, params = []) => scanner.scan(sql, params),
    async close() {
      scanner.close();
      connection.close();
    },
  };
}
