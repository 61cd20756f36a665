import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { freeLease, leaseMigration, takeLease } from "../store/lease.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Migration, Store } from "../store/store.ts";
import { skipsPostgres, startTestPostgres } from "../store/test-postgres.fixture.ts";
import type { TestPostgres } from "../store/test-postgres.fixture.ts";
import { arrivingRuns, createClaims, wakeTaken } from "./claim.ts";
import type { Claims, ClaimSettings } from "./claim.ts";
import { testRun } from "./describe-queue.fixture.ts";
import { parseRate } from "./limits.ts";
import type { QueueLimits } from "./limits.ts";
import { queueMigrations } from "./migrations.ts";
import { insertRun, projectRun, setRunAside } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";

const migrations: readonly Migration[] = [leaseMigration, ...queueMigrations];
const logger = createSilentLogger();
/** A time of our own: claims are told what time it is. */
const t0 = 1_700_000_000_000;

describeClaims("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-claim-"));
  const store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe.skipIf(skipsPostgres())("with a server", () => {
  let server: TestPostgres;
  let schemas = 0;
  beforeAll(async () => {
    server = await startTestPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  describeClaims("PostgreSQL", async () => {
    schemas += 1;
    const url = await server.schema(`claims_${schemas}`);
    const store = await openPostgresStore({ url, migrations, clock, logger });
    return { store, close: store.close };
  });
});

function describeClaims(name: string, open: () => Promise<{ store: Store; close(): Promise<void> }>): void {
  describe(`claims on ${name}`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ store, close } = await open());
    }, 60_000);
    afterAll(() => close());

    async function given(...rows: readonly Partial<RunRow>[]): Promise<readonly RunRow[]> {
      const made = rows.map((row) => testRun({ wakeAtMs: t0, ...row }));
      await store.write([
        { sql: "DELETE FROM runs" },
        { sql: "DELETE FROM leases" },
        { sql: "DELETE FROM run_needs" },
        ...made.map((row) => insertRun(row, null)),
      ]);
      return made;
    }
    const claims = (settings: Partial<ClaimSettings> = {}): Claims =>
      createClaims(store, { owner: "a", leaseTtlMs: 30_000, ...settings });
    const ids = async (taken: Promise<readonly { row: RunRow }[]>): Promise<readonly string[]> =>
      (await taken).map(({ row }) => row.id).toSorted();
    const idsOf = (...rows: readonly (RunRow | undefined)[]): readonly string[] =>
      rows.map((row) => row!.id).toSorted();

    test("takes high before normal before low, the longest due first, and nothing before its time", async () => {
      const [low, late, early, high, , future] = await given(
        { priority: "low", wakeAtMs: t0 - 500 },
        { wakeAtMs: t0 - 10 },
        { wakeAtMs: t0 - 20 },
        { priority: "high" },
        { wakeAtMs: null, state: "WAITING" },
        { priority: "high", wakeAtMs: t0 + 1 },
      );
      const one = claims();
      for (const next of [high, early, late, low]) expect(await ids(one.take(1, t0))).toEqual(idsOf(next));
      expect(await one.take(1, t0)).toEqual([]);
      expect(await ids(one.take(5, t0 + 1))).toEqual(idsOf(future));
    });

    test("gives no run to two workers, and many to one in one go", async () => {
      const rows = await given(...Array.from({ length: 40 }, () => ({})));
      const workers = ["a", "b", "c", "d"].map((owner) => claims({ owner }));
      const taken = (await Promise.all(workers.map((worker) => worker.take(10, t0)))).flat();
      expect(taken.map(({ row }) => row.id).toSorted()).toEqual(idsOf(...rows));
      expect(taken.every(({ lease, previousOwner }) => lease.epoch === 1 && previousOwner === "")).toBe(true);
    });

    test("a run whose lease ended is taken over with a higher epoch, and it is known from whom", async () => {
      const [row] = await given({});
      await claims().take(1, t0);
      const other = claims({ owner: "b" });
      expect(await other.take(1, t0 + 29_999)).toEqual([]);
      const [taken] = await other.take(1, t0 + 30_000);
      expect(taken).toMatchObject({
        row: { id: row!.id, claims: 2 },
        lease: { epoch: 2 },
        previousOwner: "a",
      });
    });

    test("the end of a run makes room for what is taken in its place", async () => {
      const [first, second] = await given({ wakeAtMs: t0 - 1 }, {});
      const one = claims({ limits: limits({ tenants: { "*": { concurrency: 1 } } }) });
      const [taken] = await one.take(1, t0);
      expect(taken?.row.id).toBe(first!.id);
      expect(await one.takeNext(t0)).toBeUndefined();
      const ended: RunRow = { ...first!, state: "COMPLETED", wakeAtMs: null, headSeq: 2, endedAtMs: t0 };
      const end = store.write([projectRun(ended, 1), freeLease(taken!.lease)]);
      const next = one.takeNext(t0);
      await end;
      expect((await next)?.row.id).toBe(second!.id);
    });

    test("in a copy in which nobody holds a lease, what was taken is due at once, and what waits for a time is not", async () => {
      const [taken, later] = await given({}, { state: "WAITING", wakeAtMs: t0 + 60_000 });
      expect(await ids(claims().take(5, t0))).toEqual(idsOf(taken));
      const rows = await store.read(`SELECT id, ${arrivingRuns["wake_at_ms"]} FROM runs ORDER BY id`);
      expect(rows).toEqual([
        { id: taken!.id, wake_at_ms: 0 },
        { id: later!.id, wake_at_ms: t0 + 60_000 },
      ]);
      await store.write([wakeTaken(t0 + 5), { sql: "UPDATE leases SET owner = '', until_ms = 0" }]);
      expect(await ids(claims().take(5, t0 + 4))).toEqual([]);
      expect(await ids(claims().take(5, t0 + 5))).toEqual(idsOf(taken));
    });

    test("places of one turn are filled by one claim, and those that nothing is due for stay free", async () => {
      const [first, second] = await given({ wakeAtMs: t0 - 1 }, {});
      let writes = 0;
      const counting: Pick<Store, "read" | "write"> = {
        read: store.read,
        write: (batch) => {
          writes += 1;
          return store.write(batch);
        },
      };
      const one = createClaims(counting, { owner: "a", leaseTtlMs: 30_000 });
      const places = await Promise.all([1, 2, 3].map(() => one.takeNext(t0)));
      expect(places.map((taken) => taken?.row.id)).toEqual([first!.id, second!.id, undefined]);
      expect(writes).toBe(1);
      const broken = createClaims(
        { ...counting, write: () => Promise.reject(new Error("away")) },
        { owner: "a", leaseTtlMs: 30_000 },
      );
      const refused = await Promise.allSettled([broken.takeNext(t0), broken.takeNext(t0)]);
      expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    });

    test("a low run that has been due for long moves up lane by lane, so that full lanes starve nobody", async () => {
      const aging = { agingMs: 60_000 };
      const [low, normal] = await given(
        { priority: "low", wakeAtMs: t0 - 60_000 },
        { wakeAtMs: t0 - 59_999 },
      );
      // Both stand in the normal lane now, where the longest due is first.
      expect(await ids(claims(aging).take(1, t0))).toEqual(idsOf(low));
      expect(await ids(claims(aging).take(1, t0))).toEqual(idsOf(normal));
      const [old, fresh] = await given({ priority: "low", wakeAtMs: t0 - 120_000 }, { priority: "high" });
      expect(await ids(claims(aging).take(1, t0))).toEqual(idsOf(old));
      expect(await ids(claims(aging).take(1, t0))).toEqual(idsOf(fresh));
      const [, starved] = await given({ priority: "high" }, { priority: "low", wakeAtMs: t0 - 10 ** 9 });
      await claims({ agingMs: 0 }).take(1, t0);
      expect(await ids(claims({ agingMs: 0 }).take(1, t0))).toEqual(idsOf(starved));
    });

    test("a constant stream of high runs delays a low one by at most two aging times", async () => {
      const [low] = await given({ priority: "low" });
      const one = claims({ agingMs: 1_000 });
      let waitedMs = 0;
      for (let taken = ""; taken !== low!.id; waitedMs += 100) {
        await store.write([insertRun(testRun({ priority: "high", wakeAtMs: t0 + waitedMs }), null)]);
        taken = (await one.take(1, t0 + waitedMs))[0]!.row.id;
      }
      expect(waitedMs - 100).toBe(2_000);
    });

    test("a tenant at its limit does not stand in the way of others, however many of its runs wait", async () => {
      const crowd = Array.from(
        { length: 300 },
        () => ({ tenant: "crowd", priority: "high", wakeAtMs: t0 - 1 }) as const,
      );
      const rows = await given(...crowd, { tenant: "small", priority: "low" });
      const one = claims({ limits: limits({ tenants: { "*": { concurrency: 2 } } }) });
      const first = await one.take(10, t0);
      expect(first.map(({ row }) => row.tenant).toSorted()).toEqual(["crowd", "crowd", "small"]);
      expect(await one.take(10, t0)).toEqual([]);
      await store.write([freeLease(first.find(({ row }) => row.tenant === "crowd")!.lease)]);
      expect(await one.take(10, t0)).toHaveLength(1);
      expect(rows).toHaveLength(301);
    });

    test("a workflow at its limit does not use up its tenant's room", async () => {
      const [slow, , other] = await given(
        { workflowName: "slow", wakeAtMs: t0 - 3 },
        { workflowName: "slow", wakeAtMs: t0 - 2 },
        { workflowName: "other", wakeAtMs: t0 - 1 },
        { workflowName: "third" },
      );
      const one = claims({
        limits: limits({ tenants: { default: { concurrency: 2 } }, workflows: { slow: { concurrency: 1 } } }),
      });
      expect(await ids(one.take(4, t0))).toEqual(idsOf(slow, other));
    });

    test("the same workflow name of two tenants is two workflows", async () => {
      const rows = await given({ tenant: "x" }, { tenant: "y" }, { tenant: "x" });
      const one = claims({ limits: limits({ workflows: { "*": { concurrency: 1 } } }) });
      expect(await ids(one.take(4, t0))).toEqual(idsOf(rows[0], rows[1]));
    });

    test("a rate counts beginnings in a sliding window, and a run that goes on is not held back by it", async () => {
      const rows = await given({ wakeAtMs: t0 - 3 }, { wakeAtMs: t0 - 2 }, { wakeAtMs: t0 - 1 });
      const one = claims({ limits: limits({ tenants: { "*": { rate: parseRate("2/s") } } }) });
      const taken = await one.take(5, t0);
      expect(taken.map(({ row }) => row.id).toSorted()).toEqual(idsOf(rows[0], rows[1]));
      const [again] = taken;
      await store.write([
        freeLease(again!.lease),
        { sql: "UPDATE runs SET wake_at_ms = ? WHERE id = ?", params: [t0, again!.row.id] },
      ]);
      expect(await ids(one.take(5, t0 + 999))).toEqual([again!.row.id]);
      expect(await ids(one.take(5, t0 + 1_000))).toEqual(idsOf(rows[2]));
    });

    test("an own limit takes the place of the one for all, member by member", async () => {
      await given(...["x", "x", "y", "y"].map((tenant) => ({ tenant })));
      const tenants = { "*": { concurrency: 1 }, x: { concurrency: 2 } };
      const taken = await claims({ limits: limits({ tenants }) }).take(9, t0);
      expect(taken.map(({ row }) => row.tenant).toSorted()).toEqual(["x", "x", "y"]);
    });

    test("a run is taken only where everything is offered that it needs", async () => {
      const [plain, needing] = await given({}, {});
      await store.write([
        { sql: "INSERT INTO run_needs (run_id, need) VALUES (?, ?)", params: [needing!.id, "root:shelf"] },
      ]);
      expect(await ids(claims({ offers: ["root:other"] }).take(5, t0))).toEqual(idsOf(plain));
      expect(await ids(claims({ offers: ["root:shelf"] }).take(5, t0))).toEqual(idsOf(needing));
    });

    test("claims in vain are counted until a step is done or the run is let go in good order", async () => {
      const [row] = await given({});
      const one = claims();
      const counted = async (nowMs: number): Promise<number> => (await one.take(1, nowMs))[0]!.row.claims;
      expect(await counted(t0)).toBe(1);
      expect(await counted(t0 + 30_000)).toBe(2);
      const fault = { code: "INTERNAL", message: "m", hint: "h", atMs: t0 };
      const free = freeLease({ name: `run/${row!.id}`, owner: "a", epoch: 2 });
      await store.write([free, setRunAside(row!.id, fault, { untilMs: t0 + 40_000, counts: true })]);
      expect(await one.take(1, t0 + 39_999)).toEqual([]);
      const [third] = await one.take(1, t0 + 40_000);
      expect(third?.row).toMatchObject({ claims: 3, fault });
      await store.write([
        projectRun({ ...row!, state: "RUNNING", stepsDone: 1, headSeq: 2, wakeAtMs: t0 }, 1),
      ]);
      expect(await counted(t0 + 70_000)).toBe(1);
      expect(await counted(t0 + 100_000)).toBe(2);
      await store.write([
        projectRun({ ...row!, state: "WAITING", stepsDone: 1, headSeq: 3, wakeAtMs: t0 }, 2),
        freeLease({ name: `run/${row!.id}`, owner: "a", epoch: 5 }),
      ]);
      const [last] = await one.take(1, t0 + 130_000);
      expect(last?.row).toMatchObject({ claims: 1, fault: null });
    });

    test("a look says whether something may be due, and takes nothing", async () => {
      const one = claims();
      await given({ priority: "low", wakeAtMs: t0 + 5 });
      expect(await one.mayTake(t0)).toBe(false);
      expect(await one.mayTake(t0 + 5)).toBe(true);
      expect(await one.take(1, t0 + 5)).toHaveLength(1);
    });

    test("a lease that was taken in another way stands", async () => {
      const [row] = await given({});
      await store.write([takeLease({ name: `run/${row!.id}`, owner: "b", epoch: 1, untilMs: t0 + 10 })]);
      expect(await claims().take(1, t0)).toEqual([]);
      expect((await claims().take(1, t0 + 10))[0]?.lease.epoch).toBe(2);
    });
  });
}

function limits(given: Partial<QueueLimits>): QueueLimits {
  return { tenants: {}, workflows: {}, ...given };
}
