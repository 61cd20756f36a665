/** Which tables a store has and how they are built, asked of the database itself, so that a move forgets none. */
import type { Store } from "../store.ts";

export interface TableShape {
  readonly name: string;
  /** In alphabetical order, so that both databases list them alike. */
  readonly columns: readonly string[];
  /** The column whose numbers the database gives; they continue where they were. */
  readonly identity: string | undefined;
}

/** One whose rows the database numbers. */
export interface NumberedTable extends TableShape {
  readonly identity: string;
}

export function isNumbered(table: TableShape): table is NumberedTable {
  return table.identity !== undefined;
}

/** Every table of ours but the list of applied migrations, by name. Names are those of our own migrations. */
export async function listTables(
  store: Pick<Store, "read"> & { readonly dialect: Store["dialect"] },
): Promise<readonly TableShape[]> {
  const rows = await store.read(store.dialect === "sqlite" ? sqliteColumns : postgresColumns);
  const tables = new Map<string, { columns: string[]; identity: string | undefined }>();
  for (const row of rows) {
    const name = String(row["table_name"]);
    const table = tables.get(name) ?? { columns: [], identity: undefined };
    const column = String(row["column_name"]);
    table.columns.push(column);
    if (row["is_identity"] === 1) table.identity = column;
    tables.set(name, table);
  }
  return [...tables]
    .map(([name, { columns, identity }]) => ({ name, columns: columns.sort(), identity }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

// A view of pragma_table_info: `pk` is 1 for the first column of the key, and AUTOINCREMENT stands in the table's own text.
const sqliteColumns = `SELECT t.name AS table_name, c.name AS column_name,
    CASE WHEN c.pk = 1 AND t.sql LIKE '%AUTOINCREMENT%' THEN 1 ELSE 0 END AS is_identity
  FROM sqlite_schema t JOIN pragma_table_info(t.name) c
  WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'schema_migrations'`;

// Tables of extensions are nobody's, as when the schema is judged at opening. A rowid is what SQLite has without a column.
const postgresColumns = `SELECT c.relname AS table_name, a.attname AS column_name,
    CASE WHEN a.attidentity = '' THEN 0 ELSE 1 END AS is_identity
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'rowid'
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')`;
