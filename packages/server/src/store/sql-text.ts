/** What can be told from a statement's text alone: how many parameters it takes and which tables it fills. Pure. */

/** Counts `?` outside of strings, quoted names and comments. Linear in the text. */
export function countParameters(sql: string): number {
  let count = 0;
  for (const [token] of sql.matchAll(tokens)) if (token === "?") count += 1;
  return count;
}

/** The text with `$1`, `$2` in place of each `?` that is a parameter, as PostgreSQL wants them, and how many there are. */
export function numberParameters(sql: string): { readonly text: string; readonly count: number } {
  let count = 0;
  const text = sql.replace(tokens, (token) => (token === "?" ? `$${(count += 1)}` : token));
  return { text, count };
}

/** Tables that the statement inserts into or updates: those whose listeners a commit wakes. Deletions wake nobody. */
export function filledTables(sql: string): readonly string[] {
  const code = sql.replace(tokens, (token) => (token.startsWith('"') || token === "?" ? token : " "));
  const tables = new Set<string>();
  for (const match of code.matchAll(filling)) tables.add(match[1]!.toLowerCase());
  // `ON CONFLICT DO UPDATE SET` names no table.
  tables.delete("set");
  return [...tables];
}

/** True for statements that would break the transaction around a batch, or that change the connection. */
export function controlsTransaction(sql: string): boolean {
  return /^\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|DETACH|VACUUM)\b/i.test(sql);
}

// Literals, quoted names and comments whole, so that a `?` inside of them is not taken for a parameter.
const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\?/g;
const filling = /\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?)\s+"?(\w+)"?/gi;

/** The statement itself is wrong: a fault of the program, never of the data or the disk. */
export class StatementMistake extends Error {}

/** A name of our own migrations, for the text of a statement. */
export function quoted(name: string): string {
  return `"${name}"`;
}
