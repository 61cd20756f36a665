/** Facts that all processes of one database must agree on, such as the digest of a key: the first one's word counts. */
import type { HomeostatError } from "../base/error.ts";
import type { Migration, Store } from "./store.ts";

export const sharedFactsMigration: Migration = {
  id: "0330-shared-facts",
  statements: () => ["CREATE TABLE shared_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)"],
};

/** Throws what `mismatch` makes when another value stands there already, and STORE_UNAVAILABLE. */
export async function requireSameFact(
  store: Pick<Store, "read" | "write">,
  fact: { readonly name: string; readonly value: string },
  mismatch: () => HomeostatError,
): Promise<void> {
  const find = async (): Promise<unknown> =>
    (await store.read("SELECT value FROM shared_facts WHERE name = ?", [fact.name]))[0]?.["value"];
  let known = await find();
  if (known === undefined) {
    const sql = "INSERT INTO shared_facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
    await store.write([{ sql, params: [fact.name, fact.value] }]);
    known = await find();
  }
  if (known !== fact.value) throw mismatch();
}
