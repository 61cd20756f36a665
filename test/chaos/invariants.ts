/** What must hold whatever was killed, stopped or lost: stated once, checked on the database, the bank and the ledger. */
import type { StoreReader } from "../../packages/server/src/store/sqlite-reader.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { untilPublished } from "../cluster/payments.ts";
import { findUnconsented } from "./consent.ts";
import type { Acknowledged } from "./consent.ts";
import type { FakeBank } from "./fake-bank.ts";

export interface Expectation {
  /** Run ids by the key of every submission that was acknowledged. */
  readonly submitted: ReadonlyMap<string, string>;
  /** How runs may end. */
  readonly ends: readonly string[];
  /** Answers and cancels that the API took with a success. */
  readonly acknowledged?: readonly Acknowledged[];
}

/** What did not hold; empty is success. */
export async function findViolations(
  cluster: Cluster,
  bank: FakeBank,
  expectation: Expectation,
): Promise<readonly string[]> {
  await untilPublished(cluster);
  const reader = await cluster.openReader();
  try {
    const report = await cluster.verify();
    return [
      ...(await runsAreKept(reader, expectation)),
      ...(await journalsAreWhole(reader)),
      ...(await actsHaveOneOutcome(reader)),
      ...(await questionsAreSettled(reader)),
      ...(await findUnconsented({
        ...{ home: cluster.home, reader, bank },
        acknowledged: expectation.acknowledged ?? [],
      })),
      ...noPaymentIsDoubled(bank),
      ...(report.verdict === "intact" ? [] : [`the ledger: ${report.text}`]),
    ];
  } finally {
    await reader.close();
  }
}

/** No acknowledged task is lost, none became two runs, and every run has ended as it may. */
async function runsAreKept(
  reader: StoreReader,
  { submitted, ends }: Expectation,
): Promise<readonly string[]> {
  const runs = await reader.read("SELECT id, state, error FROM runs WHERE parent IS NULL");
  const known = new Set(runs.map((run) => run["id"]));
  const lost = [...submitted]
    .filter(([, id]) => !known.has(id))
    .map(([key, id]) => `run ${id} of ${key} is lost`);
  const odd = runs
    .filter((run) => !ends.includes(String(run["state"])))
    .map((run) => `run ${String(run["id"])} is ${String(run["state"])}: ${String(run["error"])}`);
  const more = runs.length > submitted.size ? [`${submitted.size} tasks became ${runs.length} runs`] : [];
  return [...lost, ...odd, ...more];
}

/** Sequence numbers without a hole up to the head, and never an event of an earlier lease behind one of a later. */
async function journalsAreWhole(reader: StoreReader): Promise<readonly string[]> {
  const rows = await reader.read(
    `SELECT runs.id AS id, head_seq, COUNT(*) AS events, MIN(seq) AS first_seq, MAX(seq) AS last_seq
      FROM runs JOIN journal ON journal.run_id = runs.id GROUP BY runs.id, head_seq`,
  );
  const holes = rows
    .filter(
      (row) =>
        Number(row["events"]) !== Number(row["head_seq"]) ||
        Number(row["first_seq"]) !== 1 ||
        Number(row["last_seq"]) !== Number(row["head_seq"]),
    )
    .map((row) => `the journal of ${String(row["id"])} has holes: ${JSON.stringify(row)}`);
  const stale = await reader.read(
    `SELECT later.run_id AS id, later.seq AS seq FROM journal later JOIN journal earlier
      ON earlier.run_id = later.run_id AND earlier.seq = later.seq - 1 WHERE later.epoch < earlier.epoch`,
  );
  return [
    ...holes,
    ...stale.map((row) => `${String(row["id"])} took event ${String(row["seq"])} of a lost lease`),
  ];
}

/** Each attempt of a step has at most one outcome, and a run ends once. */
async function actsHaveOneOutcome(reader: StoreReader): Promise<readonly string[]> {
  const doubled = await reader.read(
    `SELECT run_id, kind, step, COUNT(*) AS n FROM journal
      WHERE kind IN ('action.completed', 'step.completed', 'run.completed', 'run.cancelled')
      GROUP BY run_id, kind, step HAVING COUNT(*) > 1`,
  );
  return doubled.map((row) => `${String(row["n"])} times ${JSON.stringify(row)}`);
}

/** No question of a run that has ended still waits, and none has an answer without an end. */
async function questionsAreSettled(reader: StoreReader): Promise<readonly string[]> {
  const rows = await reader.read(
    `SELECT approvals.id AS id, status FROM approvals JOIN runs ON runs.id = run_id
      WHERE status = 'waiting' AND state IN ('COMPLETED', 'FAILED', 'CANCELLED')`,
  );
  return rows.map((row) => `approval ${String(row["id"])} waits although its run has ended`);
}

/** The effect that matters: no payment reached the bank twice, under the same key or as another attempt of the same step. */
function noPaymentIsDoubled({ charges }: FakeBank): readonly string[] {
  const steps = new Map<string, number>();
  for (const [key, count] of charges) {
    const step = key.slice(0, key.lastIndexOf("/"));
    steps.set(step, (steps.get(step) ?? 0) + count);
  }
  return [...steps]
    .filter(([, count]) => count > 1)
    .map(([step, count]) => `${step} was charged ${count} times`);
}
