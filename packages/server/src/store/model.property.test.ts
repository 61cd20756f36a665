/** The store against a simple model in memory: random commands from two processes give the same answers and the same rows, on both databases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { isHomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { acquireLease, fence, freeLease, leaseMigration, reserveLease } from "./lease.ts";
import type { Lease, LeaseStore } from "./lease.ts";
import { outboxInsert, outboxMigration } from "./outbox.ts";
import { openPostgresStore } from "./postgres/postgres.ts";
import { openSqliteStore } from "./sqlite/sqlite.ts";
import type { Statement } from "./store.ts";
import { skipsPostgres, startTestPostgres } from "./test-postgres.fixture.ts";
import type { TestPostgres } from "./test-postgres.fixture.ts";
import { insertThing, plain, thingMigration } from "./test-things.ts";

const migrations = [{ ...thingMigration, id: "0000-thing" }, outboxMigration, leaseMigration];

/** What a simple program would keep. `lease` is the row; `holds` what each process believes to hold. */
interface Model {
  readonly things: Map<string, number>;
  readonly keys: Set<string>;
  lease: { owner: string; epoch: number; untilMs: number } | null;
  readonly holds: [Lease | null, Lease | null];
  nowMs: number;
}

interface Real {
  /** Two stores on one database, as two processes have them. */
  readonly stores: readonly [LeaseStore, LeaseStore];
  readonly leases: [Lease | null, Lease | null];
}

type Command = fc.AsyncCommand<Model, Real>;
type Process = 0 | 1;

const name = "run/1";
const ttlMs = 1_000;

function command(label: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => label };
}

/** Undefined: written. Else the guard that undid the batch. */
async function guardOf(store: LeaseStore, batch: readonly Statement[]): Promise<unknown> {
  try {
    await store.write(batch);
    return undefined;
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    return error.data["guard"];
  }
}

function isHolder({ lease, holds }: Model, process: Process): boolean {
  const held = holds[process];
  return held !== null && lease !== null && lease.owner === held.owner && lease.epoch === held.epoch;
}

/** Never held: a lease that nobody has ever had. */
function leaseOf({ leases }: Real, process: Process): Lease {
  return leases[process] ?? { name, owner: `p${process}`, epoch: 0, ttlMs, untilMs: 0 };
}

const insert = (process: Process, id: string, amount: number): Command =>
  command(`p${process} inserts ${id}`, async (model, { stores }) => {
    const guard = await guardOf(stores[process], [insertThing(id, amount)]);
    expect(guard).toBe(model.things.has(id) ? "unique" : undefined);
    if (guard === undefined) model.things.set(id, amount);
  });

/** The second statement finds what it expects or undoes the first. */
const guardedChange = (process: Process, id: string, from: number, to: number): Command =>
  command(`p${process} changes ${id} from ${from} to ${to}`, async (model, { stores }) => {
    const touch = { sql: "UPDATE thing SET amount = amount + 100" };
    const change: Statement = {
      sql: "UPDATE thing SET amount = ? WHERE name = ? AND amount = ?",
      params: [to, id, from + 100],
      expect: { rows: 1, guard: "amount" },
    };
    const back = { sql: "UPDATE thing SET amount = amount - 100 WHERE name <> ?", params: [id] };
    const guard = await guardOf(stores[process], [touch, change, back]);
    expect(guard).toBe(model.things.get(id) === from ? undefined : "amount");
    if (guard === undefined) model.things.set(id, to);
  });

const remove = (process: Process, id: string): Command =>
  command(`p${process} removes ${id}`, async (model, { stores }) => {
    const [result] = await stores[process].write([{ sql: "DELETE FROM thing WHERE name = ?", params: [id] }]);
    expect(result!.changes).toBe(model.things.delete(id) ? 1 : 0);
  });

const acquire = (process: Process, isOtherDead: boolean): Command =>
  command(`p${process} acquires${isOtherDead ? " from the dead" : ""}`, async (model, real) => {
    const other = `p${1 - process}`;
    const lease = await acquireLease(real.stores[process], {
      ...{ name, owner: `p${process}`, ttlMs, now: model.nowMs },
      isOwnerDead: (owner) => isOtherDead && owner === other,
    });
    const isFree =
      model.lease === null ||
      model.lease.untilMs <= model.nowMs ||
      (isOtherDead && model.lease.owner === other);
    expect(lease !== undefined).toBe(isFree);
    if (lease === undefined) return;
    model.lease = {
      owner: `p${process}`,
      epoch: (model.lease?.epoch ?? 0) + 1,
      untilMs: model.nowMs + ttlMs,
    };
    expect(lease).toEqual({ ...model.lease, name, ttlMs });
    real.leases[process] = lease;
    model.holds[process] = lease;
  });

const reserve = (process: Process, forMs: number): Command =>
  command(`p${process} reserves ${forMs} ms`, async (model, real) => {
    const untilMs = model.nowMs + forMs;
    const guard = await guardOf(real.stores[process], [reserveLease(leaseOf(real, process), untilMs)]);
    expect(guard).toBe(isHolder(model, process) ? undefined : "lease");
    if (guard === undefined) model.lease!.untilMs = Math.max(model.lease!.untilMs, untilMs);
  });

const free = (process: Process): Command =>
  command(`p${process} frees`, async (model, real) => {
    await real.stores[process].write([freeLease(leaseOf(real, process))]);
    if (isHolder(model, process)) Object.assign(model.lease!, { owner: "", untilMs: 0 });
  });

const passTime = (ms: number): Command =>
  command(`${ms} ms pass`, (model) => {
    model.nowMs += ms;
    return Promise.resolve();
  });

/** As a run's append: fence, change and outbox row stand or fall together. */
const append = (process: Process, id: string, key: string): Command =>
  command(`p${process} appends ${id} with fact ${key}`, async (model, real) => {
    const entry = { v: 1 as const, key, at: "", type: "t", tenant: "t", labels: [], salt: "", data: {} };
    const fact = { ...entry, actor: { kind: "system", id: "system" } } as const;
    const batch = [fence(leaseOf(real, process)), insertThing(id), outboxInsert(key, fact)];
    const guard = await guardOf(real.stores[process], batch);
    const isTaken = model.things.has(id) || model.keys.has(key);
    expect(guard).toBe(!isHolder(model, process) ? "lease" : isTaken ? "unique" : undefined);
    if (guard !== undefined) return;
    model.things.set(id, 1);
    model.keys.add(key);
  });

const publish = (process: Process, key: string): Command =>
  command(`p${process} publishes ${key}`, async (model, { stores }) => {
    const gone = { sql: "DELETE FROM ledger_outbox WHERE key = ? RETURNING key", params: [key] };
    const [result] = await stores[process].write([gone]);
    expect(result!.rows).toHaveLength(model.keys.delete(key) ? 1 : 0);
  });

/** What either process reads is what the model has. */
const look = (process: Process): Command =>
  command(`p${process} looks`, async (model, { stores }) => {
    const store = stores[process];
    const things = plain(await store.read("SELECT name, amount FROM thing"));
    expect(new Map(things.map((row) => [row["name"], row["amount"]]))).toEqual(model.things);
    const scanned = [];
    for await (const row of store.scan("SELECT key FROM ledger_outbox ORDER BY id")) scanned.push(row["key"]);
    expect(scanned).toEqual([...model.keys]);
    const rows = plain(await store.read("SELECT owner, epoch, until_ms FROM leases"));
    const { lease } = model;
    expect(rows).toEqual(
      lease === null ? [] : [{ owner: lease.owner, epoch: lease.epoch, until_ms: lease.untilMs }],
    );
  });

const process = fc.constantFrom<Process>(0, 1);
const id = fc.constantFrom("a", "b", "c");
const key = fc.constantFrom("k1", "k2", "k3");
const amount = fc.integer({ min: 1, max: 3 });
const allCommands = [
  fc.tuple(process, id, amount).map((each) => insert(...each)),
  fc.tuple(process, id, amount, amount).map((each) => guardedChange(...each)),
  fc.tuple(process, id).map((each) => remove(...each)),
  fc.tuple(process, fc.boolean()).map((each) => acquire(...each)),
  fc.tuple(process, fc.constantFrom(10, 5_000)).map((each) => reserve(...each)),
  process.map((each) => free(each)),
  fc.constantFrom(1, 999, 1_000, 6_000).map((ms) => passTime(ms)),
  fc.tuple(process, id, key).map((each) => append(...each)),
  fc.tuple(process, key).map((each) => publish(...each)),
  process.map((each) => look(each)),
];

function describeModel(open: () => Promise<LeaseStore>): void {
  const stores: LeaseStore[] = [];
  beforeAll(async () => {
    stores.push(await open(), await open());
  });
  afterAll(() => Promise.all(stores.map((store) => store.close())));

  test("answers and holds what the model does, whatever two processes do", async () => {
    const [one, two] = stores as [LeaseStore, LeaseStore];
    await fc.assert(
      fc.asyncProperty(fc.commands(allCommands, { maxCommands: 60 }), async (commands) => {
        const tables = ["thing", "ledger_outbox", "leases"];
        await one.write(tables.map((table) => ({ sql: `DELETE FROM ${table}` })));
        const setup = () => ({
          model: {
            ...{
              things: new Map<string, number>(),
              keys: new Set<string>(),
              lease: null,
              nowMs: clock.now(),
            },
            holds: [null, null],
          } as Model,
          real: { stores: [one, two], leases: [null, null] } as Real,
        });
        await fc.asyncModelRun(setup, commands);
      }),
      { numRuns: 100 },
    );
  });
}

describe("on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-model-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  describeModel(() =>
    openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger: createSilentLogger() }),
  );
});

describe.skipIf(skipsPostgres())("on PostgreSQL", () => {
  let server: TestPostgres;
  let url: string;
  beforeAll(async () => {
    server = await startTestPostgres();
    url = await server.schema("model");
  });
  afterAll(() => server.stop());
  describeModel(() => openPostgresStore({ url, migrations, clock, logger: createSilentLogger() }));
});
