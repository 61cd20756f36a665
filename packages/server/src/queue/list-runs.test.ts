import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { leaseMigration } from "../store/lease.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { listRuns } from "./list-runs.ts";
import type { RunQuery } from "./list-runs.ts";
import { createLocalQueue } from "./local-queue.ts";
import { queueMigrations } from "./migrations.ts";
import { insertRun } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";
import { isEnded, taskStates } from "./task.ts";

const migrations = [leaseMigration, ...queueMigrations];
const common = { migrations, clock, logger: createSilentLogger() };

async function openSqlite(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-lists-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return close(await openSqliteStore({ path: join(folder, "state.db"), ...common }));
}

async function openPostgres(): Promise<Store> {
  const server = await startTestPostgres();
  onTestFinished(() => server.stop());
  return close(await openPostgresStore({ url: await server.schema("lists"), ...common }));
}

function close(store: Store): Store {
  onTestFinished(() => store.close());
  return store;
}

const names = { tenants: ["a", "b"], workflows: ["w", "x"], labels: ["mail", "web"], parents: ["run_p"] };

const rows = fc.array(
  fc
    .record({
      tenant: fc.constantFrom(...names.tenants),
      state: fc.constantFrom(...taskStates),
      workflowName: fc.constantFrom(...names.workflows),
      labels: fc.subarray(names.labels),
      parent: fc.option(fc.constantFrom(...names.parents)),
      // Also of runs that are over: whoever is told something is woken.
      wakeAtMs: fc.option(fc.nat({ max: 9 })),
    })
    .map((facts) => testRun({ ...facts, endedAtMs: isEnded(facts.state) ? 1 : null })),
  { maxLength: 40 },
);

const query = fc.record({
  tenant: fc.constantFrom(...names.tenants),
  states: fc.subarray([...taskStates]),
  workflow: fc.option(fc.constantFrom(...names.workflows)),
  label: fc.option(fc.constantFrom(...names.labels)),
  parent: fc.option(fc.constantFrom(...names.parents)),
  limit: fc.integer({ min: 1, max: 12 }),
});

function listed(all: readonly RunRow[], asked: RunQuery): readonly string[] {
  return all
    .filter((row) => row.tenant === asked.tenant)
    .filter((row) => asked.states.length === 0 || asked.states.includes(row.state))
    .filter((row) => asked.workflow === null || row.workflowName === asked.workflow)
    .filter((row) => asked.label == null || row.labels.includes(asked.label))
    .filter((row) => asked.parent == null || row.parent === asked.parent)
    .filter((row) => asked.before === null || row.id < asked.before)
    .map(({ id }) => id)
    .toSorted()
    .toReversed()
    .slice(0, asked.limit);
}

async function comparesLists(store: Store, numRuns: number): Promise<void> {
  const queue = createLocalQueue({ store });
  await fc.assert(
    fc.asyncProperty(rows, query, async (all, open) => {
      await store.write([{ sql: "DELETE FROM runs" }, ...all.map((row) => insertRun(row, null))]);
      // Page by page to the end.
      for (let before: string | null = null; ;) {
        const asked: RunQuery = { ...open, before };
        const ids = (await listRuns(store, asked)).map(({ id }) => id);
        expect(ids).toEqual(listed(all, asked));
        if (ids.length < open.limit) break;
        before = ids.at(-1)!;
      }
      for (const tenant of [undefined, ...names.tenants]) {
        const own = all.filter((row) => tenant === undefined || row.tenant === tenant);
        const counts = taskStates.map((state) => [state, own.filter((row) => row.state === state).length]);
        expect(await queue.counts(tenant)).toEqual(Object.fromEntries(counts));
      }
    }),
    { numRuns },
  );
}

test("lists and counts on SQLite are what a filter over all runs gives", async () => {
  await comparesLists(await openSqlite(), 150);
});

describe.skipIf(skipsPostgres())("with a server", () => {
  test("lists and counts on PostgreSQL are what a filter over all runs gives", async () => {
    await comparesLists(await openPostgres(), 40);
  });
});

test("no list of a state and no count reads runs that are in other states", async () => {
  const store = await openSqlite();
  const texts: string[] = [];
  const listening = {
    read: (sql: string, params: readonly (string | number)[] = []) => {
      texts.push(sql);
      return store.read(sql, params);
    },
  };
  const asked = { tenant: "a", workflow: "w", label: null, parent: null, before: "run_9", limit: 5 };
  for (const state of taskStates) await listRuns(listening, { ...asked, states: [state] });
  await listRuns(listening, { ...asked, states: ["RUNNING", "WAITING", "FAILED", "DEAD"] });
  await createLocalQueue({ store: { ...store, recent: { ...store.recent, ...listening } } }).counts("a");
  for (const sql of texts) {
    const looks = await looksOf(store, sql);
    expect(looks.length).toBeGreaterThan(0);
    for (const look of looks)
      expect(look).toMatch(
        /USING (?:COVERING )?INDEX runs_(?:due|waiting|ended)|SEARCH runs USING INDEX \S+ \(id=\?\)/,
      );
  }
});

/** How each statement gets at the runs; see https://sqlite.org/eqp.html. */
async function looksOf(store: Store, sql: string): Promise<readonly string[]> {
  const plan = await store.read(`EXPLAIN QUERY PLAN ${sql}`, Array(sql.split("?").length - 1).fill(0));
  return plan.map((row) => String(row["detail"])).filter((detail) => detail.includes(" runs"));
}

// Each stands in the code as it stands here: where one is changed, this says whether its index still serves it.
test.each([
  [
    "runs/control/dead-letters.ts",
    "SELECT * FROM runs WHERE tenant = ? AND state = 'DEAD' ORDER BY ended_at_ms DESC, id DESC LIMIT ?",
    "SEARCH runs USING INDEX runs_dead (tenant=?)",
  ],
  [
    "retention/retention.ts",
    "SELECT id FROM runs WHERE state = ? AND id < ? AND ended_at_ms < ? ORDER BY id LIMIT ?",
    "SEARCH runs USING COVERING INDEX runs_ended (state=? AND id<?)",
  ],
  [
    "queue/run-row.ts",
    "SELECT MAX(change_no) FROM runs WHERE change_no > 0",
    "SEARCH runs USING COVERING INDEX runs_change (change_no>?)",
  ],
  [
    "runs/reading/run-changes.ts",
    "SELECT * FROM runs WHERE change_no > 0 AND change_no > ? ORDER BY change_no LIMIT ?",
    "SEARCH runs USING INDEX runs_change (change_no>?)",
  ],
])("%s looks where few rows are", async (_file, sql, look) => {
  expect(await looksOf(await openSqlite(), sql)).toEqual([look]);
});
