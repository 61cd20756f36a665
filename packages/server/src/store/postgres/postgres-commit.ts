/**
 * Group commit on PostgreSQL: many batches in one transaction and few round trips.
 *
 * Why it is sound under READ COMMITTED with many processes: each group first takes one advisory lock of the schema and
 * holds it until its commit is visible, so groups of all processes run one after the other, as on SQLite, and every
 * statement (its snapshot is taken after the lock) sees all groups before it. Neither lost updates nor write skew can
 * happen between batches, and identity numbers become visible in ascending order, on which readers who remember how far
 * they have come rely. The renewal of leases is the one writer beside the lock: it changes one row by one conditional
 * UPDATE, which waits for the row's lock and then judges its condition on the newest version. The fence is an UPDATE
 * for the same reason: should anybody ever change a lease outside of the lock, the fence holds the row until the batch is
 * committed, or finds the new epoch and undoes the batch.
 */
import { isStalePlan, postgresFailureKind, postgresFailureText } from "./postgres-failure.ts";
import type { PostgresAnswer, PostgresConnection, PostgresStatements } from "./postgres-connection.ts";
import { isFailure } from "../wire.ts";
import type { CommitReport, WireBatch, WireFailure, WireOutcome, WireResult } from "../wire.ts";

export interface CommitTarget {
  readonly connection: PostgresConnection;
  readonly statements: PostgresStatements;
  /** Number of the advisory lock under which all writers of this schema take turns. */
  readonly lock: string;
  readonly channel: string;
  /** Sent with each notification, so that a store knows its own. */
  readonly instance: string;
}

export interface PostgresCommitReport extends CommitReport {
  /** True when the connection is of no more use, because it is not known what it is in the middle of. */
  readonly isLost: boolean;
}

/** Once for the first try, and again when another program's transaction was in the way or has changed a table. */
const maxTries = 4;

/** As `commitBatches` of SQLite: a batch that fails leaves no trace and harms no other. Never rejects. */
export async function commitToPostgres(
  target: CommitTarget,
  batches: readonly WireBatch[],
): Promise<PostgresCommitReport> {
  for (let tries = 1; ; tries += 1) {
    const state = { isCommitSent: false };
    try {
      const report =
        (await commitTogether(target, batches, state)) ?? (await commitOneByOne(target, batches, state));
      return { ...report, isLost: false };
    } catch (error) {
      const { kind: rolledBack } = await target.connection.send({ text: "ROLLBACK", values: [] });
      const isLost = rolledBack === "failed";
      if (isStalePlan(error)) target.statements.renew();
      if (!isLost && postgresFailureKind(error) === "retry" && tries < maxTries) continue;
      const unknown =
        isLost && state.isCommitSent ? "; it is not known whether the commit under way was made" : "";
      const failure: WireFailure = { kind: "unavailable", message: postgresFailureText(error) + unknown };
      return { outcomes: batches.map(() => failure), tables: [], isLost };
    }
  }
}

/**
 * All batches as one, in the hope that none fails, which costs two round trips. Undefined, with nothing kept, when one of
 * several failed: which of the others its changes have misled is not known.
 */
async function commitTogether(
  target: CommitTarget,
  batches: readonly WireBatch[],
  state: { isCommitSent: boolean },
): Promise<CommitReport | undefined> {
  const { connection } = target;
  const begun = begin(target);
  const running = Promise.all(batches.map((batch) => runBatch(target, batch)));
  // Handled below, or told by the failure of the beginning.
  running.catch(() => {});
  requireDone(await begun);
  const ran = await running;
  if (ran.some(({ outcome }) => isFailure(outcome))) {
    requireDone([await connection.send({ text: "ROLLBACK", values: [] })]);
    return batches.length === 1 ? { outcomes: [ran[0]!.outcome], tables: [] } : undefined;
  }
  const tables = [...new Set(ran.flatMap(({ filled }) => filled))];
  await finish(target, tables, state);
  return { outcomes: ran.map(({ outcome }) => outcome), tables };
}

/** Each batch as a savepoint, which its failure rolls back to. */
async function commitOneByOne(
  target: CommitTarget,
  batches: readonly WireBatch[],
  state: { isCommitSent: boolean },
): Promise<CommitReport> {
  const { connection } = target;
  const control = (text: string): Promise<PostgresAnswer> => connection.send({ text, values: [] });
  const controls = [...(await begin(target))];
  const outcomes: WireOutcome[] = [];
  const tables = new Set<string>();
  for (const batch of batches) {
    const saved = control("SAVEPOINT batch");
    const { outcome, filled } = await runBatch(target, batch);
    controls.push(await saved);
    requireDone(controls.splice(0));
    outcomes.push(outcome);
    if (isFailure(outcome)) controls.push(await control("ROLLBACK TO SAVEPOINT batch"));
    else for (const table of filled) tables.add(table);
    // Its answer arrives with the next batch's.
    void control("RELEASE SAVEPOINT batch");
  }
  requireDone(controls);
  await finish(target, [...tables], state);
  return { outcomes, tables: [...tables] };
}

function begin({ connection, lock }: CommitTarget): Promise<readonly PostgresAnswer[]> {
  return Promise.all([
    // In full, because the database's defaults may be others.
    connection.send({ text: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", values: [], name: "begin" }),
    connection.send({ text: "SELECT pg_advisory_xact_lock($1)", values: [lock], name: "lock" }),
  ]);
}

async function finish(
  { connection, channel, instance }: CommitTarget,
  tables: readonly string[],
  state: { isCommitSent: boolean },
): Promise<void> {
  const payload = `${instance} ${tables.join(",")}`;
  // PostgreSQL takes payloads below 8000 bytes; without names every listener is woken.
  const values = [channel, payload.length < 8000 ? payload : instance];
  const notified =
    tables.length === 0
      ? undefined
      : connection.send({ text: "SELECT pg_notify($1, $2)", values, name: "notify" });
  state.isCommitSent = true;
  const committed = await connection.send({ text: "COMMIT", values: [], name: "commit" });
  requireDone(notified === undefined ? [committed] : [await notified, committed]);
  // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK and without an error.
  if (committed.kind === "done" && committed.command !== "COMMIT") {
    throw new Error(`the commit was answered with ${committed.command}`);
  }
}

interface RanBatch {
  readonly outcome: WireOutcome;
  /** Tables that it filled. */
  readonly filled: readonly string[];
}

/** Sends all statements at once. Those after a failed one leave no trace either way. Rejects when the transaction is lost. */
async function runBatch({ connection, statements }: CommitTarget, batch: WireBatch): Promise<RanBatch> {
  const sent = batch.map(([sql, params]) => {
    try {
      const { query, tables } = statements.toQuery(sql, params);
      return { answer: connection.send(query), tables };
    } catch (error) {
      // The transaction goes on without it, but its batch fails.
      return { answer: { kind: "failed", error } as const, tables: [] };
    }
  });
  const results: WireResult[] = [];
  const filled: string[] = [];
  const answers = await Promise.all(sent.map(({ answer }) => answer));
  for (const [statement, answer] of answers.entries()) {
    if (answer.kind === "failed") return { outcome: toFailure(answer.error, statement), filled: [] };
    const expectedRows = batch[statement]![2];
    if (expectedRows !== null && answer.changes !== expectedRows) {
      return { outcome: { kind: "guard", statement, rows: answer.changes }, filled: [] };
    }
    results.push(answer.returnsRows ? answer.rows : answer.changes);
    if (answer.changes > 0) filled.push(...sent[statement]!.tables);
  }
  return { outcome: results, filled };
}

/** Throws when it is not the statement that failed. */
function toFailure(error: unknown, statement: number): WireFailure {
  const kind = postgresFailureKind(error);
  if (kind === "unavailable" || kind === "retry") throw error;
  return { kind, statement, message: postgresFailureText(error) };
}

function requireDone(answers: readonly PostgresAnswer[]): void {
  for (const answer of answers) if (answer.kind === "failed") throw answer.error;
}
