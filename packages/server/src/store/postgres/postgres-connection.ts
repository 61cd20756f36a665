/** One connection to PostgreSQL: how it is made from the URL, and how statements are sent over it. */
import { createHash } from "node:crypto";
import { Socket } from "node:net";
import { Client } from "pg";
import type { QueryConfig, QueryResult } from "pg";
import { StatementMistake } from "../sql-text.ts";
import { postgresValues } from "./postgres-values.ts";
import { controlsTransaction, filledTables, numberParameters } from "../sql-text.ts";
import type { Row, SqlValue } from "../store.ts";

export interface PostgresConnection {
  /** Never rejects, so that many can be under way at once; answers come in the order of sending. */
  send(query: PostgresQuery): Promise<PostgresAnswer>;
  /** As `send`, but rejects with the error. */
  ask(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  readonly client: Client;
  /** Ends it in good order. */
  end(): Promise<void>;
  /** Ends it at once; what is under way fails. */
  destroy(): void;
}

export interface PostgresQuery {
  /** With `$1`. One statement. */
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** Parsed once per connection under this name. */
  readonly name?: string | undefined;
}

export type PostgresAnswer =
  | {
      readonly kind: "done";
      readonly command: string;
      readonly rows: readonly Row[];
      readonly changes: number;
      /** A SELECT, or has RETURNING. */
      readonly returnsRows: boolean;
    }
  | { readonly kind: "failed"; readonly error: unknown };

const connectTimeoutMs = 10_000;

/** Throws the driver's errors. */
export async function connectPostgres(url: string): Promise<PostgresConnection> {
  const socket = new Socket();
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    // A server that vanished without a word is noticed by the system's keep-alive instead of never.
    keepAlive: true,
    application_name: "homeostat",
    // Statements of a group are sent without waiting for each other's answers: one round trip instead of hundreds.
    pipeline: true,
    stream: () => socket,
  });
  // Without a listener a lost connection would end the process; whoever needs to know listens too.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const send = (query: PostgresQuery): Promise<PostgresAnswer> => sendQuery(client, query);
  return {
    client,
    send,
    async ask(text, values = []) {
      const answer = await send({ text, values });
      if (answer.kind === "failed") throw answer.error;
      return answer.rows;
    },
    end: () => client.end(),
    destroy: () => void socket.destroy(),
  };
}

export function queryConfig({ text, values, name }: PostgresQuery): QueryConfig {
  // "extended" even without parameters: the simple protocol would run several statements of one text.
  const config: QueryConfig & { readonly queryMode: "extended" } = {
    text,
    values: [...values],
    types: postgresValues,
    queryMode: "extended",
  };
  return name === undefined ? config : { ...config, name };
}

async function sendQuery(client: Client, query: PostgresQuery): Promise<PostgresAnswer> {
  try {
    const result: QueryResult<Row> = await client.query<Row>(queryConfig(query));
    const returnsRows = result.fields.length > 0;
    const changes = returnsRows ? result.rows.length : (result.rowCount ?? 0);
    return { kind: "done", command: result.command, rows: result.rows, changes, returnsRows };
  } catch (error) {
    return { kind: "failed", error };
  }
}

/** A statement of the store as PostgreSQL takes it. */
export interface PostgresStatement {
  readonly text: string;
  readonly name: string;
  readonly parameters: number;
  readonly tables: readonly string[];
}

// The server has a few hundred texts; more means that somebody builds text from values, which must not grow the memory.
const maxCachedStatements = 1000;

export interface PostgresStatements {
  /** Throws StatementMistake for text that no batch may hold and for a wrong number of parameters. */
  toQuery(
    sql: string,
    params: readonly SqlValue[],
  ): { readonly query: PostgresQuery; readonly tables: readonly string[] };
  /** After a stale plan (`isStalePlan`): from now on every statement is prepared anew, under another name. */
  renew(): void;
}

/** One for each connection or pool: texts beyond the cache are sent without a name, so that the server forgets them. */
export function createPostgresStatements(): PostgresStatements {
  const cache = new Map<string, PostgresStatement>();
  let generation = 0;
  return {
    renew() {
      generation += 1;
      cache.clear();
    },
    toQuery(sql, params) {
      const cached = cache.get(sql);
      const statement = cached ?? translate(sql, generation);
      const isNamed = cached !== undefined || cache.size < maxCachedStatements;
      if (cached === undefined && isNamed) cache.set(sql, statement);
      const { text, parameters, tables, name } = statement;
      if (params.length !== parameters) {
        throw new StatementMistake(`the statement takes ${parameters} parameters, got ${params.length}`);
      }
      return { query: { text, values: params, name: isNamed ? name : undefined }, tables };
    },
  };
}

function translate(sql: string, generation: number): PostgresStatement {
  if (controlsTransaction(sql) || changesSession.test(sql)) {
    throw new StatementMistake("transactions and settings belong to the store");
  }
  const { text, count } = numberParameters(sql);
  return { text, name: statementName(`${generation} ${text}`), parameters: count, tables: filledTables(sql) };
}

/** Names are at most 63 bytes; 128 bits of digest cannot collide by chance. */
function statementName(text: string): string {
  return `h${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

const changesSession =
  /^\s*(?:START|ABORT|PREPARE|EXECUTE|DEALLOCATE|DECLARE|FETCH|CLOSE|MOVE|SET|RESET|DISCARD|LISTEN|UNLISTEN|NOTIFY|LOCK|COPY|DO|CALL)\b/i;
