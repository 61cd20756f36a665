import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { isHomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { fence, freeLease, leaseMigration } from "../store/lease.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Statement, Store } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import type { TestPostgres } from "../store/test-postgres.fixture.ts";
import { createClaims } from "./claim.ts";
import type { Claims } from "./claim.ts";
import { takeRunKey } from "./deduplicate.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { noLimits, parseRate } from "./limits.ts";
import { queueMigrations } from "./migrations.ts";
import { applyClaim, greedyClaim, hasRoom, isHeld, takeable } from "./queue-model.fixture.ts";
import type { ModelRules, ModelRun, QueueModel } from "./queue-model.fixture.ts";
import { insertRun, projectRun, setRunAside, wakeRun } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";
import type { Priority, TaskState } from "./task.ts";

const migrations = [leaseMigration, ...queueMigrations];
const logger = createSilentLogger();
const t0 = 1_700_000_000_000;

const rulesByName: Readonly<Record<string, ModelRules>> = {
  "without limits": { limits: noLimits, agingMs: 60_000, leaseTtlMs: 10_000 },
  "with limits of concurrency": {
    limits: {
      tenants: { "*": { concurrency: 2 }, x: { concurrency: 3 } },
      workflows: { "*": { concurrency: 2 }, v: { concurrency: 1 } },
    },
    agingMs: 5_000,
    leaseTtlMs: 10_000,
  },
  "with limits of concurrency and rate": {
    limits: {
      tenants: { "*": { concurrency: 3, rate: parseRate("2/s") }, y: { rate: parseRate("5/m") } },
      workflows: { v: { concurrency: 1, rate: parseRate("1/s") } },
    },
    agingMs: 0,
    leaseTtlMs: 10_000,
  },
};

interface Real {
  readonly store: Store;
  readonly workers: Readonly<Record<string, Claims>>;
}

type Step = fc.AsyncCommand<QueueModel, Real>;

/** A command changes both, and then everything is compared. */
function step(
  text: string,
  act: (model: QueueModel, real: Real) => Promise<void>,
  check: (model: Readonly<QueueModel>) => boolean = () => true,
): Step {
  return {
    check,
    async run(model, real) {
      await act(model, real);
      await compare(model, real);
    },
    toString: () => text,
  };
}

interface NewRun {
  readonly tenant: string;
  readonly workflow: string;
  readonly priority: Priority;
  readonly delayMs: number;
  readonly key: string | null;
}

const windowMs = 3_000;

function enqueue(facts: NewRun): Step {
  return step(`enqueue ${JSON.stringify(facts)}`, async (model, { store }) => {
    const { tenant, workflow, priority, delayMs, key } = facts;
    const { nowMs } = model;
    const wakeAtMs = nowMs + delayMs;
    const row = testRun({ tenant, workflowName: workflow, priority, wakeAtMs });
    const known = model.keys.get(`${tenant} ${key ?? ""}`);
    const keyed = key === null ? [] : takeRunKey({ tenant, key, runId: row.id, nowMs, windowMs });
    const written = store.write([...keyed, insertRun(row, null)]);
    if (key !== null && known !== undefined && known.untilMs > nowMs) {
      await expect(written).rejects.toMatchObject({ data: { guard: "run-key" } });
      return;
    }
    await written;
    if (key !== null) model.keys.set(`${tenant} ${key}`, { runId: row.id, untilMs: nowMs + windowMs });
    model.runs.set(row.id, {
      ...{ id: row.id, tenant, workflow, priority, wakeAtMs },
      ...{ headSeq: 1, stepsDone: 0, hasBegun: false, isEnded: false },
      ...{ claims: 0, claimedSteps: 0, claimedAtMs: null },
      lease: { owner: "", epoch: 0, untilMs: 0 },
    });
  });
}

function advance(ms: number): Step {
  return step(`advance ${ms} ms`, (model) => {
    model.nowMs += ms;
    return Promise.resolve();
  });
}

function claim(owner: string, count: number, rules: ModelRules): Step {
  return step(`${owner} claims ${count}`, async (model, { workers }) => {
    const wanted = greedyClaim(model, rules, count);
    const got: string[] = [];
    // What one claim leaves because of others in it, the next takes, as the worker's looks do.
    while (got.length < count) {
      const taken = await workers[owner]!.take(count - got.length, model.nowMs);
      if (taken.length === 0) break;
      for (const { row, lease, previousOwner } of taken) {
        const run = model.runs.get(row.id)!;
        expect(isHeld(run, model.nowMs), "nobody else holds it").toBe(false);
        expect(run.wakeAtMs, "it is due").toBeLessThanOrEqual(model.nowMs);
        expect(hasRoom(model, run, rules), "every limit has room").toBe(true);
        expect(previousOwner).toBe(run.lease.owner);
        applyClaim(model, run, { owner, rules });
        expect(lease.epoch).toBe(run.lease.epoch);
        expect(row.claims).toBe(run.claims);
        got.push(row.id);
      }
    }
    if (!usesRates(rules)) expect(got.toSorted()).toEqual(wanted);
    // Work is never left lying that a limit would allow.
    else if (got.length < count)
      expect(takeable(model, rules).filter((run) => hasRoom(model, run, rules))).toEqual([]);
  });
}

type Act = "step" | "finish" | "retry" | "wait" | "fault" | "die";

/** What a holder does with its run, fenced. */
function act(owner: string, pick: number, what: Act): Step {
  const perform = async (model: QueueModel, { store }: Real): Promise<void> => {
    const held = heldBy(model, owner);
    const run = held[pick % held.length]!;
    const { nowMs } = model;
    const lease = { name: `run/${run.id}`, owner, epoch: run.lease.epoch };
    const project = (state: TaskState, wakeAtMs: number | null): Statement[] => {
      Object.assign(run, {
        headSeq: run.headSeq + 1,
        wakeAtMs,
        hasBegun: true,
        isEnded: state === "COMPLETED",
      });
      if (state !== "RUNNING") run.claims = 0;
      return [fence(lease), projectRun(rowOf(run, state), run.headSeq - 1)];
    };
    const letGo = (): Statement => {
      run.lease = { ...run.lease, owner: "", untilMs: 0 };
      return freeLease(lease);
    };
    switch (what) {
      case "step":
        run.stepsDone += 1;
        return void (await store.write(project("RUNNING", run.lease.untilMs)));
      case "finish":
        return void (await store.write([...project("COMPLETED", null), letGo()]));
      case "retry":
        return void (await store.write([...project("RETRYING", nowMs + 700), letGo()]));
      case "wait":
        return void (await store.write([...project("WAITING", null), letGo()]));
      case "fault": {
        const fault = { code: "INTERNAL", message: "m", hint: "h", atMs: nowMs };
        run.wakeAtMs = nowMs + 1_500;
        const aside = setRunAside(run.id, fault, { untilMs: run.wakeAtMs, counts: true });
        return void (await store.write([letGo(), aside]));
      }
      case "die":
        // Nothing is written: the lease runs out.
        return;
    }
  };
  return step(`${owner} ${what}s its ${pick}th`, perform, (model) => heldBy(model, owner).length > 0);
}

/** Somebody whose lease has been taken over tries to write: the fence must hold. */
function writeStale(pick: number): Step {
  const stolen = (model: Readonly<QueueModel>): readonly ModelRun[] =>
    [...model.runs.values()].filter(({ lease }) => lease.epoch > 1);
  const perform = async (model: QueueModel, { store }: Real): Promise<void> => {
    const runs = stolen(model);
    const run = runs[pick % runs.length]!;
    for (const owner of ["a", "b"]) {
      const stale = { name: `run/${run.id}`, owner, epoch: run.lease.epoch - 1 };
      const error: unknown = await store.write([fence(stale), wakeRun(run.id, 0)]).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isHomeostatError(error, "STORE_CONFLICT")).toBe(true);
    }
  };
  return step(`a stale write to the ${pick}th`, perform, (model) => stolen(model).length > 0);
}

/** A message for the run, or a cancel without a worker. */
function fromOutside(pick: number, what: "wake" | "cancel"): Step {
  const perform = async (model: QueueModel, { store }: Real): Promise<void> => {
    const runs = open(model);
    const run = runs[pick % runs.length]!;
    if (what === "wake") {
      await store.write([wakeRun(run.id, model.nowMs)]);
      run.wakeAtMs = Math.min(run.wakeAtMs ?? Infinity, model.nowMs);
      return;
    }
    if (isHeld(run, model.nowMs)) return;
    Object.assign(run, { headSeq: run.headSeq + 1, wakeAtMs: null, isEnded: true, claims: 0 });
    await store.write([projectRun(rowOf(run, "CANCELLED"), run.headSeq - 1)]);
  };
  return step(`${what} the ${pick}th`, perform, (model) => open(model).length > 0);
}

function open(model: Readonly<QueueModel>): readonly ModelRun[] {
  return [...model.runs.values()].filter(({ isEnded }) => !isEnded);
}

function heldBy(model: Readonly<QueueModel>, owner: string): readonly ModelRun[] {
  return [...model.runs.values()].filter((run) => run.lease.owner === owner && isHeld(run, model.nowMs));
}

function usesRates({ limits }: ModelRules): boolean {
  return JSON.stringify(limits).includes("windowMs");
}

function rowOf(run: ModelRun, state: TaskState): RunRow {
  return {
    ...testRun({ tenant: run.tenant, workflowName: run.workflow, priority: run.priority }),
    id: run.id,
    state,
    headSeq: run.headSeq,
    stepsDone: run.stepsDone,
    wakeAtMs: run.wakeAtMs,
    startedAtMs: run.hasBegun ? t0 : null,
  };
}

async function compare(model: QueueModel, { store }: Real): Promise<void> {
  const rows = await store.read(
    `SELECT r.id, r.wake_at_ms, r.head_seq, r.claims, r.claimed_at_ms, l.owner, l.epoch, l.until_ms
      FROM runs AS r LEFT JOIN leases AS l ON l.name = 'run/' || r.id ORDER BY r.id`,
  );
  const found = rows.map((row) => [
    row["id"],
    row["wake_at_ms"],
    row["head_seq"],
    row["claims"],
    row["claimed_at_ms"],
    row["owner"] ?? "",
    row["epoch"] ?? 0,
    row["until_ms"] ?? 0,
  ]);
  const wanted = [...model.runs.values()]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((run) => [
      run.id,
      run.wakeAtMs,
      run.headSeq,
      run.claims,
      run.claimedAtMs,
      run.lease.owner,
      run.lease.epoch,
      run.lease.untilMs,
    ]);
  expect(found).toEqual(wanted);
}

function steps(rules: ModelRules): fc.Arbitrary<Iterable<Step>> {
  const owner = fc.constantFrom("a", "b");
  const pick = fc.nat({ max: 9 });
  const enqueues = fc
    .record({
      tenant: fc.constantFrom("x", "y"),
      workflow: fc.constantFrom("v", "w"),
      priority: fc.constantFrom<Priority>("high", "normal", "low"),
      delayMs: fc.constantFrom(0, 0, 0, 500, 4_000),
      key: fc.constantFrom(null, null, "k"),
    })
    .map(enqueue);
  const acts = fc.constantFrom<Act>("step", "finish", "retry", "wait", "fault", "die");
  const claims = fc
    .tuple(owner, fc.integer({ min: 1, max: 4 }))
    .map(([who, count]) => claim(who, count, rules));
  return fc.commands<QueueModel, Real, boolean>(
    [
      enqueues,
      enqueues,
      claims,
      claims,
      fc.constantFrom(1, 400, 1_000, 6_000, 11_000).map(advance),
      fc.tuple(owner, pick, acts).map(([who, nth, what]) => act(who, nth, what)),
      pick.map(writeStale),
      fc
        .tuple(pick, fc.constantFrom("wake" as const, "cancel" as const))
        .map(([nth, what]) => fromOutside(nth, what)),
    ],
    { maxCommands: 60, size: "max" },
  );
}

function describeModel(name: string, openStore: () => Promise<Store>, numRuns: number): void {
  describe(`queue and leases on ${name} behave as the model`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore();
    }, 60_000);
    afterAll(() => store.close());

    test.each(Object.entries(rulesByName))("%s", { timeout: 120_000 }, async (_name, rules) => {
      await fc.assert(
        fc.asyncProperty(steps(rules), async (commands) => {
          await store.write(["runs", "leases", "run_keys"].map((table) => ({ sql: `DELETE FROM ${table}` })));
          const { leaseTtlMs, limits, agingMs } = rules;
          const worker = (owner: string): Claims =>
            createClaims(store, { owner, leaseTtlMs, limits, agingMs });
          const setup = () => ({
            model: { nowMs: t0, runs: new Map(), keys: new Map() } satisfies QueueModel,
            real: { store, workers: { a: worker("a"), b: worker("b") } },
          });
          await fc.asyncModelRun(setup, commands);
        }),
        { numRuns },
      );
    });
  });
}

describeModel(
  "SQLite",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "homeostat-model-"));
    const store = await openSqliteStore({
      path: join(folder, "state.db"),
      migrations,
      clock,
      logger,
      synchronous: "normal",
    });
    return { ...store, close: () => store.close().then(() => rm(folder, { recursive: true })) };
  },
  150,
);

describe.skipIf(skipsPostgres())("with a server", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  describeModel(
    "PostgreSQL",
    async () => openPostgresStore({ url: await server.schema("model"), migrations, clock, logger }),
    30,
  );
});
