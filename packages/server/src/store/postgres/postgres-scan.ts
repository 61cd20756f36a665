/** Long reads in pages: a cursor of the server, in a transaction and on a connection of its own. */
import { HomeostatError } from "../../base/error.ts";
import { createPostgresStatements } from "./postgres-connection.ts";
import type { Loan } from "./postgres-connections.ts";
import { readingError } from "./postgres-failure.ts";
import { createLender } from "./postgres-lender.ts";
import type { LenderDeps } from "./postgres-lender.ts";
import { checkedValue } from "../sql-value.ts";
import type { Row, SqlValue } from "../store.ts";

export interface PostgresScanner {
  /** Rows as of the first one, whatever is committed meanwhile. */
  scan(sql: string, params: readonly SqlValue[]): AsyncIterable<Row>;
  /** Running scans then end with STORE_UNAVAILABLE. */
  close(): void;
}

/** Several round trips' worth of rows, and a small message. */
const rowsPerPage = 500;

export function createPostgresScanner(deps: LenderDeps): PostgresScanner {
  const lender = createLender(deps);
  const statements = createPostgresStatements();
  let closed = false;
  return {
    async *scan(sql, params) {
      const values = params.map(checkedValue);
      const loan = await telling(async () => {
        const { text } = statements.toQuery(sql, values).query;
        return await begin(await lender.borrow(), text, values);
      });
      try {
        for (;;) {
          const page = await telling(() => loan.connection.ask(`FETCH ${rowsPerPage} FROM page`));
          yield* page;
          if (page.length < rowsPerPage) return;
        }
      } finally {
        // Also when the consumer stopped early: the cursor ends with its transaction.
        await end(loan);
      }
    },
    close() {
      closed = true;
      lender.close();
    },
  };

  async function telling<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (closed) throw new HomeostatError("STORE_UNAVAILABLE", "it is closed");
      return await work();
    } catch (error) {
      throw readingError(error, closed);
    }
  }
}

async function begin(loan: Loan, text: string, values: readonly SqlValue[]): Promise<Loan> {
  const { connection } = loan;
  const answers = await Promise.all([
    connection.send({ text: "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", values: [] }),
    connection.send({ text: `DECLARE page NO SCROLL CURSOR FOR ${text}`, values }),
  ]);
  const failed = answers.find((answer) => answer.kind === "failed");
  if (failed === undefined) return loan;
  await end(loan);
  throw failed.error;
}

async function end({ connection, giveBack }: Loan): Promise<void> {
  const ended = await connection.send({ text: "ROLLBACK", values: [] });
  giveBack(ended.kind === "done");
}
