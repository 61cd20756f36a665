/** What must hold whatever was killed, stopped or lost: stated once, checked on the database, the bank and the ledger. */
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import type { RunState } from "../../packages/server/src/runs/journal/fold.ts";
import type { Row } from "../../packages/server/src/store/store.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { untilPublished } from "../cluster/payments.ts";
import { consentInvariants } from "./consent.ts";
import { gatherEvidence } from "./evidence.ts";
import type { Evidence, Expectation, Invariant } from "./evidence.ts";
import type { FakeBank } from "./fake-bank.ts";

/** What did not hold, the invariant's name first; empty is success. Waits for the publisher to have put everything into the ledger. */
export async function findViolations(
  cluster: Pick<Cluster, "home" | "openReader">,
  bank: FakeBank,
  expectation: Expectation,
): Promise<readonly string[]> {
  await untilPublished(cluster);
  const reader = await cluster.openReader();
  try {
    return await violationsOf(await gatherEvidence({ home: cluster.home, reader, bank }, expectation));
  } finally {
    await reader.close();
  }
}

export async function violationsOf(evidence: Evidence): Promise<readonly string[]> {
  const violations: string[] = [];
  for (const { name, find } of invariants)
    for (const where of await find(evidence)) violations.push(`${name}: ${where}`);
  return violations;
}

/** Each has a test that breaks it alone (`invariants.test.ts`). */
export const invariants: readonly Invariant[] = [
  { name: "no acknowledged task is lost", find: lostTasks },
  { name: "no task became two runs", find: surplusRuns },
  { name: "every run has ended as it may", find: oddEnds },
  { name: "a journal has no hole up to its head", find: holes },
  { name: "a journal takes no event of a lost lease", find: staleEvents },
  { name: "a journal folds to its run's row", find: oddRows },
  { name: "every attempt was intended and has one outcome", find: doubledOutcomes },
  { name: "a run ends once, and nothing comes after", find: doubledEnds },
  { name: "no question of a run that has ended still waits", find: openQuestions },
  ...consentInvariants,
  { name: "no step is paid for twice", find: doubledPayments },
  { name: "what is on record as paid was paid", find: missingPayments },
  { name: "the ledger proves it all", find: ledgerProblems },
];

function lostTasks({ runs, submitted }: Evidence): readonly string[] {
  const known = new Set(runs.map((run) => run["id"]));
  return [...submitted].filter(([, id]) => !known.has(id)).map(([key, id]) => `run ${id} of ${key}`);
}

function surplusRuns({ runs, submitted }: Evidence): readonly string[] {
  const known = new Set(submitted.values());
  return runs
    .filter((run) => run["parent"] === null && !known.has(String(run["id"])))
    .map((run) => `${String(run["id"])} beside the ${submitted.size} that were acknowledged`);
}

/** Also those that are children of others. */
function oddEnds({ runs, ends }: Evidence): readonly string[] {
  return runs
    .filter((run) => !ends.includes(String(run["state"])))
    .map((run) => `run ${String(run["id"])} is ${String(run["state"])}: ${String(run["error"])}`);
}

async function holes({ reader }: Evidence): Promise<readonly string[]> {
  // A run without any event has no row of the journal to be counted.
  const rows = await reader.read(
    `SELECT runs.id AS id, head_seq, COUNT(seq) AS events, MIN(seq) AS first_seq, MAX(seq) AS last_seq
      FROM runs LEFT JOIN journal ON journal.run_id = runs.id GROUP BY runs.id, head_seq`,
  );
  return rows
    .filter(
      (row) =>
        Number(row["events"]) !== Number(row["head_seq"]) ||
        Number(row["first_seq"]) !== 1 ||
        Number(row["last_seq"]) !== Number(row["head_seq"]),
    )
    .map((row) => JSON.stringify(row));
}

/** Epochs never fall along a journal, and none is above what the run's lease was ever given out with. */
async function staleEvents({ reader }: Evidence): Promise<readonly string[]> {
  const stale = await reader.read(
    `SELECT later.run_id AS id, later.seq AS seq FROM journal later JOIN journal earlier
      ON earlier.run_id = later.run_id AND earlier.seq = later.seq - 1 WHERE later.epoch < earlier.epoch`,
  );
  const unheld = await reader.read(
    `SELECT run_id AS id, MIN(seq) AS seq FROM journal
      LEFT JOIN leases ON leases.name = 'run/' || run_id
      WHERE journal.epoch > COALESCE(leases.epoch, 0) GROUP BY run_id`,
  );
  return [
    ...stale.map((row) => `event ${String(row["seq"])} of ${String(row["id"])} is of an earlier one`),
    ...unheld.map((row) => `event ${String(row["seq"])} of ${String(row["id"])} is of one nobody had`),
  ];
}

const endedAs: Readonly<Partial<Record<RunState["phase"], string>>> = {
  completed: "COMPLETED",
  failed: "FAILED",
  dead: "DEAD",
  cancelled: "CANCELLED",
};

function oddRows({ runs, journals }: Evidence): readonly string[] {
  return runs.flatMap((row) => {
    const id = String(row["id"]);
    const { state } = journals.get(id)!;
    if (typeof state === "string") return [`the journal of ${id} does not fold: ${state}`];
    const folded = `${endedAs[state.phase] ?? "open"} at ${state.headSeq} ${state.headDigest}`;
    const stored = storedEnd(row);
    return folded === stored ? [] : [`the journal of ${id} folds to ${folded}, its row says ${stored}`];
  });
}

function storedEnd(row: Row): string {
  const state = String(row["state"]);
  const isEnded = Object.values(endedAs).includes(state);
  return `${isEnded ? state : "open"} at ${String(row["head_seq"])} ${String(row["head_digest"])}`;
}

/** Whatever kind an outcome is of: found by a tool, or by a person when it was lost. */
function doubledOutcomes({ journals }: Evidence): readonly string[] {
  return [...journals].flatMap(([id, { events }]) =>
    doubledInJournal(events).map((problem) => `${problem} of ${id}`),
  );
}

function doubledInJournal(events: readonly EventBody[]): readonly string[] {
  const problems: string[] = [];
  /** By step: the attempt whose outcome is to come. */
  const open = new Map<string, number>();
  const completed = new Set<string>();
  for (const event of events) {
    switch (event.kind) {
      case "action.intended":
        if (open.has(event.step) && !event.intent.resumed)
          problems.push(`${event.intent.key} is begun while an outcome is missing`);
        open.set(event.step, event.intent.attempt);
        break;
      case "action.completed":
      case "action.failed":
        if (open.get(event.step) !== event.attempt)
          problems.push(`${event.kind} of attempt ${event.attempt}, which has an outcome or no intent,`);
        open.delete(event.step);
        break;
      case "outcome.resolved":
        if (!open.delete(event.step))
          problems.push(`${event.answer} for ${event.step}, which has an outcome,`);
        break;
      case "step.completed":
        if (completed.has(event.step)) problems.push(`another end of ${event.step}`);
        completed.add(event.step);
        break;
      case "step.reopened":
        for (const step of completed)
          if (step === event.step || step.startsWith(`${event.step}/`)) completed.delete(step);
    }
  }
  return problems;
}

const ends: ReadonlySet<EventBody["kind"]> = new Set([
  "run.completed",
  "run.failed",
  "run.cancelled",
  "run.died",
]);

/** Only a dead run may be gone on with, by a person. */
function doubledEnds({ journals }: Evidence): readonly string[] {
  return [...journals].flatMap(([id, { events }]) => {
    const first = events.findIndex(({ kind }) => ends.has(kind));
    const after = first === -1 ? [] : events.slice(first + 1);
    if (events[first]?.kind === "run.died") return [];
    return after.map(({ kind }) => `${kind} comes after ${events[first]!.kind} in ${id}`);
  });
}

async function openQuestions({ reader }: Evidence): Promise<readonly string[]> {
  const rows = await reader.read(
    `SELECT approvals.id AS id, run_id FROM approvals JOIN runs ON runs.id = run_id
      WHERE status = 'waiting' AND state IN ('COMPLETED', 'FAILED', 'CANCELLED', 'DEAD')`,
  );
  return rows.map((row) => `${String(row["id"])} of ${String(row["run_id"])}`);
}

/** The effect that matters: under the same key, or as another attempt of the same step. */
function doubledPayments({ bank }: Evidence): readonly string[] {
  const steps = new Map<string, number>();
  for (const [key, count] of bank.charges) {
    const step = key.slice(0, key.lastIndexOf("/"));
    steps.set(step, (steps.get(step) ?? 0) + count);
  }
  return [...steps]
    .filter(([, count]) => count > 1)
    .map(([step, count]) => `${step} was charged ${count} times`);
}

/** Of requests to the bank: those that a tool saw done, and those a person found done. */
function missingPayments({ journals, bank }: Evidence): readonly string[] {
  const problems: string[] = [];
  for (const { events } of journals.values()) {
    const keys = new Map<string, string>();
    for (const event of events) {
      if (event.kind === "action.intended" && event.intent.tool === "http.request")
        keys.set(event.step, event.intent.key);
      const isDone =
        event.kind === "action.completed" ||
        (event.kind === "outcome.resolved" && event.answer === "happened");
      const key = isDone ? keys.get(event.step) : undefined;
      if (key !== undefined && !bank.charges.has(key)) problems.push(`${key} was never charged`);
    }
  }
  return problems;
}

function ledgerProblems({ report }: Evidence): readonly string[] {
  return report.verdict === "intact" ? [] : [report.text];
}
