/** Copies one table's rows from any store to any other, in bounded memory, and takes a digest of what it read. */
import { createRowDigest } from "./row-digest.ts";
import type { Row, SqlValue, Statement, Store } from "../store.ts";
import { quoted } from "../sql-text.ts";
import type { TableShape } from "./tables.ts";

export interface RowSet {
  readonly rows: number;
  /** 64 hex digits, whatever the order. */
  readonly digest: string;
}

/** Rows of one statement: with the widest table well below the 32,766 parameters of SQLite. */
const rowsPerStatement = 100;
/** Rows with long bodies go out earlier. */
const bytesPerStatement = 1024 * 1024;

/** Tables by name, and in them columns by name: the term of SQL that is read in the column's place, named like it. */
export type Arriving = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface CopyDeps {
  readonly arriving?: Arriving;
  readonly source: Pick<Store, "scan">;
  readonly target: Pick<Store, "write">;
  /** Told of each statement's rows. Must not throw. */
  readonly onRows: (rows: number) => void;
}

export async function copyTable(table: TableShape, deps: CopyDeps): Promise<RowSet> {
  const digest = createRowDigest(table.columns);
  let waiting: Row[] = [];
  let waitingBytes = 0;
  for await (const row of deps.source.scan(selectRows(table, deps.arriving))) {
    digest.add(row);
    waiting.push(row);
    waitingBytes += sizeOf(row);
    if (waiting.length >= rowsPerStatement || waitingBytes >= bytesPerStatement) await flush();
  }
  await flush();
  return { rows: digest.rows, digest: digest.hex() };

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    await deps.target.write([insertRows(table, waiting)]);
    deps.onRows(waiting.length);
    waiting = [];
    waitingBytes = 0;
  }
}

/** The same digest of rows that stand somewhere. */
export async function digestTable(
  table: TableShape,
  store: Pick<Store, "scan">,
  arriving?: Arriving,
): Promise<RowSet> {
  const digest = createRowDigest(table.columns);
  for await (const row of store.scan(selectRows(table, arriving))) digest.add(row);
  return { rows: digest.rows, digest: digest.hex() };
}

/**
 * Leases arrive free, since their holders work on the other database; their epochs continue, for they fence off everybody earlier.
 * Marks belong to the database they stand on.
 */
function selectRows({ name, columns }: TableShape, arriving: Arriving = {}): string {
  const changed = name === "leases" ? freeLease : arriving[name];
  const terms = columns.map((column) => changed?.[column] ?? quoted(column));
  return `SELECT ${terms.join(", ")} FROM ${quoted(name)}`;
}

const freeLease: Readonly<Record<string, string>> = { owner: "'' AS owner", until_ms: "0 AS until_ms" };

function insertRows({ name, columns }: TableShape, rows: readonly Row[]): Statement {
  const marks = `(${columns.map(() => "?").join(", ")})`;
  return {
    sql: `INSERT INTO ${quoted(name)} (${columns.map(quoted).join(", ")}) VALUES ${rows.map(() => marks).join(", ")}`,
    params: rows.flatMap((row) => columns.map((column): SqlValue => row[column] ?? null)),
    expect: { rows: rows.length, guard: "copied-rows" },
  };
}

function sizeOf(row: Row): number {
  let bytes = 0;
  for (const value of Object.values(row)) {
    bytes += typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
  }
  return bytes;
}
