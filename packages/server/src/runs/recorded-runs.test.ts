/** Upgrade safety: every run that a version has recorded is folded and carried to its end by today's program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { runFromStore } from "../queue/run-row.ts";
import type { StepStart } from "./event.ts";
import { scenarios } from "./journal-scenarios.fixture.ts";
import { openRecorded } from "./recorded-run.fixture.ts";
import type { RecordedRun } from "./recorded-run.fixture.ts";
import { eventKinds } from "./upcast.ts";

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

describe.each(recordings)("$name", ({ runs }) => {
  test.each(runs)("$scenario", async (recorded) => {
    const scenario = scenarios.find(({ name }) => name === recorded.scenario)!;
    const world = await openRecorded(recorded);
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
      const done = new Set(recorded.tables["journal"]!.map((row) => `${row["run_id"]}/${row["seq"]}`));
      for (const row of await world.store.read("SELECT run_id, seq, digest FROM journal")) {
        done.delete(`${row["run_id"]}/${row["seq"]}`);
      }
      expect(done).toEqual(new Set());
    } finally {
      await world.close();
    }
  });
});
