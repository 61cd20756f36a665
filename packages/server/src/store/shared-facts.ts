/** Facts that all processes of one database must agree on, such as the digest of a key: the first one's word counts. */
import type { HomeostatError } from "../base/error.ts";
import type { Migration, Store } from "./store.ts";

export const sharedFactsMigration: Migration = {
  id: "0330-shared-facts",
  statements: () => ["CREATE TABLE shared_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)"],
};

/** The value under this name; `value` becomes it when there is none. Throws STORE_UNAVAILABLE. */
export async function openSharedFact(
  store: Pick<Store, "read" | "write">,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<string> {
  const find = async (): Promise<string | undefined> =>
    (await store.read("SELECT value FROM shared_facts WHERE name = ?", [name]))[0]?.["value"] as
      string | undefined;
  const known = await find();
  if (known !== undefined) return known;
  const sql = "INSERT INTO shared_facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
  await store.write([{ sql, params: [name, value] }]);
  // Another process may have been first; nobody deletes facts.
  return (await find()) as string;
}

/** Throws what `mismatch` makes when another value stands there already, and STORE_UNAVAILABLE. */
export async function requireSameFact(
  store: Pick<Store, "read" | "write">,
  fact: { readonly name: string; readonly value: string },
  mismatch: () => HomeostatError,
): Promise<void> {
  if ((await openSharedFact(store, fact)) !== fact.value) throw mismatch();
}
