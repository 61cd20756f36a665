import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { testRun } from "../../queue/describe-queue.fixture.ts";
import { insertRun, projectRun } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { migrations } from "../../home/migrations.ts";
import { openPostgresStore } from "../../store/postgres/postgres.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import type { Statement, Store } from "../../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../../store/test-postgres.fixture.ts";
import { until } from "../../store/test-things.ts";
import { buildRows, emptyHead, insertRow } from "../journal/journal.ts";
import { createRunChanges } from "./run-changes.ts";

/** Two stores on one database, as two processes have them. */
type OpenTwo = () => Promise<readonly [Store, Store]>;

const common = { migrations, clock, logger: createSilentLogger() };

async function openBoth(open: () => Promise<Store>): Promise<readonly [Store, Store]> {
  const [one, other] = [await open(), await open()];
  onTestFinished(async () => {
    await one.close();
    await other.close();
  });
  return [one, other];
}

describe("on SQLite", () => {
  describeChanges(async () => {
    const folder = await mkdtemp(join(tmpdir(), "homeostat-changes-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    return openBoth(() => openSqliteStore({ path: join(folder, "state.db"), ...common }));
  });
});

describe.skipIf(skipsPostgres())("on PostgreSQL", () => {
  describeChanges(async () => {
    const server = await startTestPostgres();
    onTestFinished(() => server.stop());
    const url = await server.schema("changes");
    return openBoth(() => openPostgresStore({ url, ...common }));
  });
});

/** As the engine writes it: an event, and the row it makes of the run. */
function changed(row: RunRow): readonly Statement[] {
  const { id: runId, tenant, headSeq } = row;
  const head = { ...emptyHead(runId), seq: headSeq - 1 };
  const envelope = {
    ...{ runId, tenant, actor: { kind: "system", id: "test" } as const },
    ...{ labels: [], epoch: 0, atMs: 0 },
  };
  const { rows } = buildRows(head, envelope, [{ kind: "run.started", attempt: 1 }], () => "salt");
  return [...rows.map(insertRow), headSeq === 1 ? insertRun(row, null) : projectRun(row, headSeq - 1)];
}

function describeChanges(openTwo: OpenTwo): void {
  test("tells of runs that this or another process made or changed, and of none from before", async () => {
    const [here, there] = await openTwo();
    const old = testRun();
    await here.write(changed(old));
    const told: string[] = [];
    const stop = await createRunChanges({ store: here }).subscribe((row) =>
      told.push(`${row.id} ${row.state}`),
    );
    const fresh = testRun();
    await there.write(changed(fresh));
    await until(() => told.length === 1);
    await there.write(changed({ ...old, state: "RUNNING", headSeq: 2 }));
    await here.write(changed({ ...fresh, state: "COMPLETED", headSeq: 2 }));
    await until(() => told.length === 3);
    expect(told.toSorted()).toEqual(
      [`${fresh.id} QUEUED`, `${old.id} RUNNING`, `${fresh.id} COMPLETED`].toSorted(),
    );
    stop();
    await here.write(changed(testRun()));
    await clock.sleep(50);
    expect(told).toHaveLength(3);
  });

  test("tells of a run that waits from now on, of which there is no event, also when it does so again", async () => {
    const [here, there] = await openTwo();
    const run = testRun();
    await here.write(changed(run));
    const told: string[] = [];
    await createRunChanges({ store: here }).subscribe((row) => told.push(row.waiting?.kind ?? row.state));
    const waiting: RunRow = {
      ...{ ...run, state: "WAITING", wakeAtMs: null },
      waiting: { kind: "signal", name: "s", untilMs: null },
    };
    await there.write([projectRun(waiting, 1)]);
    await until(() => told.length === 1);
    await there.write([projectRun({ ...waiting, waiting: { kind: "pause" } }, 1)]);
    await until(() => told.length === 2);
    await there.write(changed({ ...run, state: "RUNNING", headSeq: 2 }));
    await until(() => told.length === 3);
    expect(told).toEqual(["signal", "pause", "RUNNING"]);
  });

  test("two that come at the same time are both told, and both leave", async () => {
    const [here, there] = await openTwo();
    const changes = createRunChanges({ store: here });
    const told: string[] = [];
    const stops = await Promise.all(
      ["a", "b"].map((name) => changes.subscribe(({ id }) => told.push(`${name} ${id}`))),
    );
    const run = testRun();
    await there.write(changed(run));
    await until(() => told.length === 2);
    expect(told.toSorted()).toEqual([`a ${run.id}`, `b ${run.id}`]);
    for (const stop of stops) stop();
    const again = await changes.subscribe(({ id }) => told.push(`c ${id}`));
    const other = testRun();
    await there.write(changed(other));
    await until(() => told.length === 3);
    expect(told[2]).toBe(`c ${other.id}`);
    again();
  });

  test("tells of a run that changed often seldom, and of all when there are many", async () => {
    const [here, there] = await openTwo();
    const told = new Map<string, number>();
    await createRunChanges({ store: here }).subscribe(({ id }) => told.set(id, (told.get(id) ?? 0) + 1));
    const often = testRun();
    const times = Array.from({ length: 50 }, (_, index) => ({ ...often, headSeq: index + 1 }));
    const many = Array.from({ length: 1200 }, () => testRun());
    await there.write([...times, ...many].flatMap(changed));
    await until(() => told.size === 1201);
    // Once for each time the reader looks.
    expect(told.get(often.id)).toBeLessThan(5);
  });
}
