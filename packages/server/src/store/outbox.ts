/** The ledger's outbox: a row inserted in the same batch as the change it proves; one publisher moves it into the ledger. */
import type { LedgerEntry } from "../base/ledger-entry.ts";
import type { Migration, Statement } from "./store.ts";

export const outboxMigration: Migration = {
  id: "0001-ledger-outbox",
  statements: ({ identity }) => [
    `CREATE TABLE ledger_outbox (
      id ${identity},
      key TEXT NOT NULL UNIQUE,
      entry TEXT NOT NULL
    )`,
    // What the database believes is published; the ledger's own checkpoint is the proof. One row.
    `CREATE TABLE ledger_position (
      only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
      size INTEGER NOT NULL,
      root TEXT NOT NULL
    )`,
  ],
};

/** `key` deduplicates: `run/<run id>/<seq>` for journal events, the entry's own id for everything else. */
export function outboxInsert(key: string, entry: LedgerEntry): Statement {
  return {
    sql: "INSERT INTO ledger_outbox (key, entry) VALUES (?, ?)",
    params: [key, JSON.stringify(entry)],
  };
}
