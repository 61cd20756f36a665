/** Numbers that a database gives to rows: where they stand, and how another database goes on from there. */
import { quoted } from "../sql-text.ts";
import type { Statement, Store } from "../store.ts";
import type { NumberedTable } from "./tables.ts";

/** The highest number ever given; those of deleted rows count, because readers remember how far they have come. */
export async function lastNumber(
  store: Pick<Store, "read" | "dialect">,
  { name, identity }: NumberedTable,
): Promise<number> {
  if (store.dialect === "sqlite") {
    const [row] = await store.read("SELECT seq FROM sqlite_sequence WHERE name = ?", [name]);
    return Number(row?.["seq"] ?? 0);
  }
  const [sequence] = await store.read("SELECT pg_get_serial_sequence(?, ?) AS sequence", [
    quoted(name),
    identity,
  ]);
  const [row] = await store.read(`SELECT last_value, is_called FROM ${String(sequence?.["sequence"])}`);
  return row?.["is_called"] === 1 ? Number(row["last_value"]) : 0;
}

/** Makes the next number `last + 1`. */
export function continueAfter(
  dialect: Store["dialect"],
  { name, identity }: NumberedTable,
  last: number,
): readonly Statement[] {
  if (dialect === "sqlite") {
    return [
      { sql: "DELETE FROM sqlite_sequence WHERE name = ?", params: [name] },
      { sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", params: [name, last] },
    ];
  }
  // is_called false: a sequence that never gave a number begins with 1.
  return [
    {
      sql: "SELECT setval(pg_get_serial_sequence(?, ?)::regclass, ?, ?::boolean)",
      params: [quoted(name), identity, Math.max(1, last), last > 0 ? 1 : 0],
    },
  ];
}
