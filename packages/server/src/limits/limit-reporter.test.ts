import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createManualClock, systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import type { CircuitBreaker } from "../guards/circuit-breaker.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { nothingReported, reportOf } from "./limit-report.ts";
import { createLimitReporter } from "./limit-reporter.ts";
import type { LimitReporter, LimitReporterDeps } from "./limit-reporter.ts";
import { createPacedLoop } from "./paced-loop.ts";
import { askReset, limitReportsMigration, listAnswers, listReports, writeReport } from "./report-rows.ts";
import { resetBreakers } from "./reset-breakers.ts";

const clock = systemClock;
const logger = createSilentLogger();
let folder: string;
let store: Store;
const started: LimitReporter[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-limit-reports-"));
  const migrations = [limitReportsMigration];
  store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
});
afterEach(async () => {
  for (const reporter of started.splice(0)) await reporter.stop(100);
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

interface Process {
  readonly breaker: CircuitBreaker;
  readonly reporter: LimitReporter;
}

async function startProcess(owner: string, more: Partial<LimitReporterDeps> = {}): Promise<Process> {
  const breaker = createCircuitBreaker({ clock, failuresToOpen: 2, onChange: () => reporter.changed() });
  const report = () => reportOf({ buckets: [], bulkheads: [], refusals: [], breakers: breaker.states() });
  const reporter = createLimitReporter({ store, clock, logger, owner, report, breaker, ...more });
  started.push(reporter);
  await reporter.start();
  return { breaker, reporter };
}

const targetsOf = async (owner: string): Promise<readonly string[] | undefined> =>
  (await listReports(store))
    .find(({ process }) => process === owner)
    ?.report.breakers.map(({ target, state }) => `${target} ${state}`);

test("a breaker that opens is known to others at once, and so is one that closes; a process that ends is not asked about", async () => {
  const { breaker, reporter } = await startProcess("one");
  await vi.waitFor(async () => expect(await targetsOf("one")).toEqual([]));
  const startMs = clock.monotonic();
  for (const target of ["x", "x", "y"]) breaker.failed(target);
  await vi.waitFor(async () => expect(await targetsOf("one")).toEqual(["x open", "y counting"]));
  breaker.succeeded("x");
  await vi.waitFor(async () => expect(await targetsOf("one")).toEqual(["y counting"]));
  // Well below the 5 s between two reports nobody asked for.
  expect(clock.monotonic() - startMs).toBeLessThan(3_000);
  expect(reporter.health()).toEqual({ kind: "ok" });
  await reporter.stop(100);
  expect(await listReports(store)).toEqual([]);
});

test("a reset reaches the processes it is for, which say what they forgot", async () => {
  const [one, two] = [await startProcess("one"), await startProcess("two")];
  for (const { breaker } of [one, two]) for (const target of ["x", "x", "y", "y"]) breaker.failed(target);
  const { signal } = new AbortController();
  const ask = (target: string | undefined, process: string | undefined, processes: readonly string[]) =>
    resetBreakers({ store, clock }, { target, process, askedBy: "ada", processes }, signal);
  expect(await ask("x", "two", ["two"])).toEqual(new Map([["two", ["x"]]]));
  expect(one.breaker.blockedUntilMs("x")).toBeDefined();
  expect(two.breaker.blockedUntilMs("x")).toBeUndefined();
  expect(two.breaker.blockedUntilMs("y")).toBeDefined();
  const all = await ask(undefined, undefined, ["one", "two"]);
  expect(Object.fromEntries(all)).toEqual({ one: ["x", "y"], two: ["y"] });
  expect([...one.breaker.states(), ...two.breaker.states()]).toEqual([]);
  await vi.waitFor(async () => expect(await targetsOf("one")).toEqual([]));
});

test("a process that does not answer is waited for only so long, and its answer is not made up", async () => {
  await startProcess("one");
  const request = { target: "x", process: undefined, askedBy: "ada", processes: ["one", "frozen"] };
  const manual = { ...clock, monotonic: vi.fn(clock.monotonic) };
  const startMs = clock.monotonic();
  const answers = resetBreakers({ store, clock: manual }, request, new AbortController().signal);
  await vi.waitFor(() => expect(manual.monotonic).toHaveBeenCalledTimes(2));
  expect(Object.fromEntries(await answers)).toEqual({ one: [] });
  expect(clock.monotonic() - startMs).toBeGreaterThan(2_900);
  const gone = new AbortController();
  gone.abort(new Error("the caller went away"));
  await expect(resetBreakers({ store, clock }, request, gone.signal)).rejects.toThrow("went away");
}, 10_000);

test("old reports and requests go with new ones", async () => {
  const hourMs = 3_600_000;
  await store.write(writeReport("old", JSON.stringify(nothingReported), 1));
  const { id, batch } = askReset({ target: "x", process: undefined, askedBy: "ada" }, 1);
  await store.write(batch);
  const { reporter } = await startProcess("one");
  await vi.waitFor(async () => expect(await listAnswers(store, id)).toEqual(new Map([["one", []]])));
  await vi.waitFor(async () =>
    expect((await listReports(store)).map(({ process }) => process)).toEqual(["one"]),
  );
  await reporter.stop(100);
  await store.write(askReset({ target: undefined, process: undefined, askedBy: "ada" }, hourMs).batch);
  expect(await listAnswers(store, id)).toEqual(new Map());
  const rows = await store.read("SELECT target, process FROM breaker_resets");
  expect(rows.map((row) => ({ ...row }))).toEqual([{ target: null, process: null }]);
});

test("a report that stays the same is written seldom, and a row that is none is passed over", async () => {
  const manual = createManualClock();
  const write = vi.fn(store.write);
  const { reporter } = await startProcess("one", { clock: manual, store: { ...store, write } });
  const turn = async (): Promise<void> => {
    for (const ms of [250, 5_000]) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      manual.advance(ms);
    }
  };
  await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(1));
  await turn();
  await turn();
  expect(write).toHaveBeenCalledTimes(1);
  manual.advance(15 * 60_000);
  await turn();
  await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(2));
  await store.write(writeReport("other", "[]", manual.now()));
  expect((await listReports(store)).map(({ process }) => process)).toEqual(["one"]);
  await reporter.stop(100);
});

test("what cannot be written is said and tried again; an error of our own code breaks the part", async () => {
  let fault: Error | undefined = new Error("the disk is full");
  const write: Store["write"] = (batch) => (fault === undefined ? store.write(batch) : Promise.reject(fault));
  const { reporter } = await startProcess("one", { store: { ...store, write } });
  await vi.waitFor(() => expect(reporter.health()).toEqual({ kind: "degraded", detail: "the disk is full" }));
  reporter.changed();
  fault = undefined;
  await vi.waitFor(() => expect(reporter.health()).toEqual({ kind: "ok" }), 3_000);
  await vi.waitFor(async () => expect(await targetsOf("one")).toEqual([]));
  const mine = new TypeError("report is not a function");
  const broken = await startProcess("two", {
    report: () => {
      throw mine;
    },
  });
  expect(await broken.reporter.failed).toBe(mine);
});

test("what one loop cannot do stays said while the other one works", async () => {
  for (const failing of ["write", "read"] as const) {
    const works = Promise.withResolvers<void>();
    const act = async <T>(does: "write" | "read", work: () => Promise<T>): Promise<T> => {
      if (does === failing) throw new Error(`no ${failing}`);
      const done = await work();
      setImmediate(works.resolve);
      return done;
    };
    const { reporter } = await startProcess(failing, {
      store: {
        ...store,
        write: (batch) => act("write", () => store.write(batch)),
        read: (sql, params) => act("read", () => store.read(sql, params)),
      },
    });
    await works.promise;
    expect(reporter.health()).toEqual({ kind: "degraded", detail: `no ${failing}` });
  }
});

test("a loop works at its pace, soon when it is woken, and once more when it is woken while it works", async () => {
  const manual = createManualClock();
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  let turns = 0;
  let finish = (): void => undefined;
  const work = (): Promise<void> => {
    turns += 1;
    return new Promise((resolve) => (finish = resolve));
  };
  const loop = createPacedLoop({ clock: manual, everyMs: 1_000, leastMs: 100, work });
  loop.wake();
  loop.start();
  const after = async (ms: number): Promise<number> => {
    finish();
    await settle();
    manual.advance(Math.min(ms, 100));
    await settle();
    if (ms > 100) manual.advance(ms - 100);
    await settle();
    return turns;
  };
  expect(turns).toBe(1);
  expect(await after(999)).toBe(1);
  expect(await after(1)).toBe(2);
  loop.wake();
  expect(await after(99)).toBe(2);
  manual.advance(1);
  await settle();
  expect(turns).toBe(3);
  await after(100);
  expect(turns).toBe(3);
  loop.wake();
  await settle();
  expect(turns).toBe(4);
  const stopped = loop.stop();
  finish();
  await stopped;
  await loop.stop();
  expect(turns).toBe(4);
});
