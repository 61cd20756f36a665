/** Group commit: many batches in one transaction, so that one disk sync serves them all. */
import { failureKind, failureText, primaryCode, readRows, runStatement } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { isFailure } from "../wire.ts";
import type { CommitReport, WireBatch, WireFailure, WireOutcome, WireResult } from "../wire.ts";

/** As `commitBatches`; undefined, with nothing done, when another connection holds the lock that writing takes. */
export function tryCommitBatches(
  connection: Connection,
  batches: readonly WireBatch[],
): CommitReport | undefined {
  return commitGroup(connection, batches, () => undefined);
}

/**
 * A batch that fails leaves no trace and harms no other. When the database itself fails (disk full, locked for long,
 * damaged), every batch of the commit is `unavailable` and nothing of any is kept. Never throws.
 */
export function commitBatches(connection: Connection, batches: readonly WireBatch[]): CommitReport {
  return commitGroup(connection, batches, (error) => failed(connection, batches, error));
}

/** https://sqlite.org/rescode.html#busy */
const busy = 5;

/** Failures among many are few: a group runs without savepoints, which cost as much as a small batch, and once more with them if one fails. */
function commitGroup<Busy>(
  connection: Connection,
  batches: readonly WireBatch[],
  whenBusy: (error: unknown) => Busy,
  run = runTogether,
): CommitReport | Busy {
  const { database } = connection;
  const tables = new Set<string>();
  try {
    // IMMEDIATE takes the write lock now: a later upgrade could fail with SQLITE_BUSY in the middle of a batch.
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    return primaryCode(error) === busy ? whenBusy(error) : failed(connection, batches, error);
  }
  try {
    const outcomes = run(connection, batches, tables);
    if (outcomes === undefined) return commitGroup(connection, batches, whenBusy, runApart);
    if (database.isTransaction) database.exec("COMMIT");
    return { outcomes, tables: [...tables] };
  } catch (error) {
    return failed(connection, batches, error);
  }
}

function failed(connection: Connection, batches: readonly WireBatch[], error: unknown): CommitReport {
  const { database } = connection;
  // SQLite has already undone the transaction after some failures (disk full), not after others.
  if (database.isTransaction) database.exec("ROLLBACK");
  const failure: WireFailure = { kind: "unavailable", message: failureText(error) };
  return { outcomes: batches.map(() => failure), tables: [] };
}

/** Undefined, with nothing done, when one fails among others. Throws when the whole transaction is lost. */
function runTogether(
  connection: Connection,
  batches: readonly WireBatch[],
  tables: Set<string>,
): readonly WireOutcome[] | undefined {
  const outcomes: WireOutcome[] = [];
  for (const batch of batches) {
    const outcome = runStatements(connection, batch, tables);
    outcomes.push(outcome);
    if (!isFailure(outcome)) continue;
    connection.database.exec("ROLLBACK");
    return batches.length === 1 ? outcomes : undefined;
  }
  return outcomes;
}

/** Each with a savepoint of its own. Throws as `runTogether`. */
function runApart(
  connection: Connection,
  batches: readonly WireBatch[],
  tables: Set<string>,
): readonly WireOutcome[] {
  const { database } = connection;
  return batches.map((batch) => {
    database.exec("SAVEPOINT batch");
    const outcome = runStatements(connection, batch, tables);
    if (isFailure(outcome)) database.exec("ROLLBACK TO batch");
    database.exec("RELEASE batch");
    return outcome;
  });
}

/** Ends at the first statement that fails; what those before it did stands until it is rolled back. */
function runStatements(
  { database, prepare }: Connection,
  batch: WireBatch,
  tables: Set<string>,
): WireOutcome {
  const results: WireResult[] = [];
  const filled: string[] = [];
  let failure: WireFailure | undefined;
  for (const [sql, params, expectedRows] of batch) {
    const statement = results.length;
    try {
      const prepared = prepare(sql);
      const result = prepared.returnsRows ? readRows(prepared, params) : runStatement(prepared, params);
      const rows = typeof result === "number" ? result : result.length;
      if (expectedRows !== null && rows !== expectedRows) failure = { kind: "guard", statement, rows };
      results.push(result);
      if (rows > 0) filled.push(...prepared.tables);
    } catch (error) {
      const kind = failureKind(error);
      if (kind === "unavailable" || !database.isTransaction) throw error;
      failure = { kind, statement, message: failureText(error) };
    }
    if (failure !== undefined) return failure;
  }
  for (const table of filled) tables.add(table);
  return results;
}
