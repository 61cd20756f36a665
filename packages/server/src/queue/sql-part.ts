/** Pieces of SQL with their parameters, so that a long statement is put together without counting question marks. Pure. */
import type { SqlValue } from "../store/store.ts";

export interface SqlPart {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** A value becomes a parameter, a part is put in as it is: sql`SELECT * FROM runs WHERE id = ${id} AND ${condition}`. */
export function sql(strings: TemplateStringsArray, ...values: readonly (SqlPart | SqlValue)[]): SqlPart {
  let text = strings[0] ?? "";
  const params: SqlValue[] = [];
  for (const [index, value] of values.entries()) {
    const isPart = typeof value === "object" && value !== null && "sql" in value;
    text += (isPart ? value.sql : "?") + (strings[index + 1] ?? "");
    if (isPart) params.push(...value.params);
    else params.push(value);
  }
  return { sql: text, params };
}

/** Text that is the same for every value, such as names of columns and whole numbers of the configuration. */
export function plain(text: string | number): SqlPart {
  return { sql: String(text), params: [] };
}

export const nothing: SqlPart = plain("");

export function joined(parts: readonly SqlPart[], separator: string): SqlPart {
  return { sql: parts.map((part) => part.sql).join(separator), params: parts.flatMap((part) => part.params) };
}
