/** Upgrade safety: every run that a version has recorded is folded and carried to its end by today's program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { runFromStore } from "../queue/run-row.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import type { Row } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import type { TestPostgres } from "../store/test-postgres.fixture.ts";
import type { StepStart } from "./journal/event.ts";
import { scenarios } from "./journal-scenarios.fixture.ts";
import { openRecorded } from "./recorded-run.fixture.ts";
import type { RecordedRun } from "./recorded-run.fixture.ts";
import type { WorldOptions } from "./testing-world.ts";
import { eventKinds } from "./journal/upcast.ts";

/** The compiler sees to it that none is missing: a new kind needs a scenario and a recording. */
const starts: Readonly<Record<StepStart["kind"], true>> = {
  branch: true,
  for_each: true,
  parallel: true,
  group: true,
  wait: true,
  signal: true,
  workflow: true,
  compensate: true,
};

const folder = join(import.meta.dirname, "fixtures");
/** The first has its own test and form: `recorded-journals.test.ts`. */
const files = readdirSync(folder).filter(
  (name) => /^journal-v.+\.json$/.test(name) && name !== "journal-v1.json",
);
const recordings = files.map((name) => ({
  name,
  runs: JSON.parse(readFileSync(join(folder, name), "utf8")) as readonly RecordedRun[],
}));

function journalOf(runs: readonly RecordedRun[]) {
  return runs.flatMap(({ tables }) => tables["journal"]!);
}

test("every kind of event, and every kind of step that begins, has been recorded", () => {
  const rows = recordings.flatMap(({ runs }) => journalOf(runs));
  expect(new Set(rows.map((row) => row["kind"]))).toEqual(new Set(Object.keys(eventKinds)));
  const begun = rows.filter((row) => row["kind"] === "step.started");
  const recorded = begun.map((row) => (JSON.parse(row["body"] as string) as { start: StepStart }).start.kind);
  expect(new Set(recorded)).toEqual(new Set(Object.keys(starts)));
});

test("every scenario has been recorded", () => {
  const recorded = recordings.flatMap(({ runs }) => runs.map(({ scenario }) => scenario));
  expect(new Set(recorded)).toEqual(new Set(scenarios.map(({ name }) => name)));
});

type OpenStore = (name: string) => Promise<WorldOptions["openStore"]>;

function describeRecordings(openStore?: OpenStore): void {
  describe.each(recordings)("$name", (recording) => {
    const { runs } = recording;
    test.each(runs)("$scenario", async (recorded) => {
      const number = `${recordings.indexOf(recording)}_${runs.indexOf(recorded)}`;
      await goesOn(recorded, await openStore?.(`recorded_${number}`));
    });
  });
}

/** Folds to what its rows say, is carried to its end, and has not lost an event on the way. */
async function goesOn(recorded: RecordedRun, openStore: WorldOptions["openStore"]): Promise<void> {
  const scenario = scenarios.find(({ name }) => name === recorded.scenario)!;
  const world = await openRecorded(recorded, openStore);
  try {
    for (const row of recorded.tables["runs"]!) {
      const { id, state, headSeq, headDigest, stepsDone } = runFromStore(row);
      const folded = await world.state(id);
      expect(folded).toMatchObject({ headSeq, headDigest, stepsDone });
      expect(folded.endedAtMs !== null).toBe(["COMPLETED", "FAILED", "CANCELLED"].includes(state));
    }
    const runId = recorded.runIds.at(-1)!;
    await world.startWorker("upgraded", ["first", "second", "recorder"]);
    await scenario.goOn(world, runId);
    await world.until(runId, scenario.end.state);
    expect((await world.state(runId)).outputs as JsonObject | null).toEqual(scenario.end.outputs);
    const ended = await Promise.all(recorded.runIds.map(async (id) => (await world.state(id)).endedAtMs));
    expect(ended).not.toContain(null);
    const done = new Set(recorded.tables["journal"]!.map(nameOf));
    for (const row of await world.store.read("SELECT run_id, seq, digest FROM journal"))
      done.delete(nameOf(row));
    expect(done).toEqual(new Set());
  } finally {
    await world.close();
  }
}

test("a child that was begun before such steps were judged is waited for, and nobody is asked", async () => {
  const recorded = recordings
    .flatMap(({ runs }) => runs)
    .find(({ scenario }) => scenario === "one child has ended, another waits for a person")!;
  const kinds = journalOf([recorded]).map((row) => row["kind"]);
  expect(kinds).not.toContain("action.intended");
  const world = await openRecorded(recorded, undefined, (action) =>
    action === "workflow.run" ? "deny" : "allow",
  );
  try {
    const runId = recorded.runIds.at(-1)!;
    await world.startWorker("upgraded", ["recorder"]);
    const scenario = scenarios.find(({ name }) => name === recorded.scenario)!;
    await scenario.goOn(world, runId);
    await world.until(runId, "COMPLETED");
    const since = await world.kinds(runId);
    expect(since).not.toContain("approval.requested");
    expect(since).not.toContain("action.denied");
  } finally {
    await world.close();
  }
});

/** One recorded event, also by its digest: the chain goes on from the very same one. */
function nameOf(row: Row): string {
  return `${row["run_id"]}/${row["seq"]}/${row["digest"]}`;
}

describe("on SQLite", () => describeRecordings());

describe.skipIf(skipsPostgres())("on PostgreSQL", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());
  describeRecordings(async (name) => {
    const url = await server.schema(name);
    return (migrations) => openPostgresStore({ url, migrations, clock, logger: createSilentLogger() });
  });
});
