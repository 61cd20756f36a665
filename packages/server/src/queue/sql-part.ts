/** Pieces of SQL with their parameters, so that a long statement is put together once and without counting question marks. Pure. */
import type { SqlValue, Statement } from "../store/store.ts";

/** What is known only when the statement is sent. */
export interface Sending {
  readonly nowMs: number;
  /** Names the claim among those of its owner. */
  readonly claim: number;
}

/** A value, or what gives it when the statement is sent. */
export type Param = SqlValue | ((sending: Sending) => SqlValue);

/** `SqlPart<SqlValue>` can be sent as it is. */
export interface SqlPart<P extends Param = Param> {
  readonly sql: string;
  readonly params: readonly P[];
}

/** A value becomes a parameter, a part is put in as it is: sql`SELECT * FROM runs WHERE id = ${id} AND ${condition}`. */
export function sql<V extends readonly (SqlPart | Param)[]>(
  strings: TemplateStringsArray,
  ...values: V
): SqlPart<ParamOf<V[number]>> {
  let text = strings[0] ?? "";
  const params: Param[] = [];
  for (const [index, value] of values.entries()) {
    const isPart = typeof value === "object" && value !== null && "sql" in value;
    text += (isPart ? value.sql : "?") + (strings[index + 1] ?? "");
    if (isPart) params.push(...value.params);
    else params.push(value);
  }
  return { sql: text, params: params as ParamOf<V[number]>[] };
}

type ParamOf<V> = V extends SqlPart<infer P> ? P : V extends Param ? V : never;

/** Text that is the same for every value, such as names of columns and whole numbers of the configuration. */
export function plain(text: string | number): SqlPart<never> {
  return { sql: String(text), params: [] };
}

export const nothing: SqlPart<never> = plain("");

export function joined<P extends Param>(parts: readonly SqlPart<P>[], separator: string): SqlPart<P> {
  return { sql: parts.map((part) => part.sql).join(separator), params: parts.flatMap((part) => part.params) };
}

/** The time of sending, as a parameter. */
export function now({ nowMs }: Sending): number {
  return nowMs;
}

export function send({ sql: text, params }: SqlPart, sending: Sending): Statement {
  return {
    sql: text,
    params: params.map((param) => (typeof param === "function" ? param(sending) : param)),
  };
}
