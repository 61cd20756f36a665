/** What every queue does, as tests: rows say what is due, whoever listens is woken, and nothing that is lost stays lost. */
import { describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import type { Queue } from "./local-queue.ts";
import { insertRun, wakeRun } from "./run-row.ts";
import type { RunRow } from "./run-row.ts";

export interface QueueWorld {
  readonly store: Store;
  /** As another process would have it. */
  readonly open: (offers?: readonly `root:${string}`[]) => Promise<Queue>;
}

let made = 0;

export function testRun(facts: Partial<RunRow> = {}): RunRow {
  made += 1;
  return {
    id: `run_${String(made).padStart(6, "0")}`,
    tenant: "default",
    state: "QUEUED",
    workflowName: "w",
    workflowDigest: "d",
    priority: "normal",
    requester: "admin",
    labels: [],
    parent: null,
    attempts: 0,
    maxAttempts: 3,
    wakeAtMs: clock.now(),
    waiting: null,
    error: null,
    headSeq: 1,
    headDigest: "h",
    stepsDone: 0,
    stepsTotal: 1,
    artifactCount: 0,
    createdAtMs: clock.now(),
    startedAtMs: null,
    endedAtMs: null,
    ...facts,
  };
}

export function describeQueue(name: string, openWorld: () => Promise<QueueWorld>): void {
  describe(`the queue ${name}`, () => {
    test("names what is due: high lane first, longest due first, and nothing before its time", async () => {
      const { store, open } = await openWorld();
      const queue = await open();
      const nowMs = clock.now();
      const rows = [
        testRun({ wakeAtMs: nowMs - 10 }),
        testRun({ wakeAtMs: nowMs - 20 }),
        testRun({ wakeAtMs: nowMs, priority: "high" }),
        testRun({ wakeAtMs: nowMs + 60_000 }),
        testRun({ wakeAtMs: null, state: "WAITING" }),
      ];
      await store.write(rows.map((row) => insertRun(row, null)));
      expect((await queue.due(nowMs, 10)).map(({ id }) => id)).toEqual([
        rows[2]!.id,
        rows[1]!.id,
        rows[0]!.id,
      ]);
      expect(await queue.due(nowMs, 1)).toHaveLength(1);
      expect(await queue.nextDueMs(nowMs)).toBe(nowMs + 60_000);
      expect(await queue.counts()).toMatchObject({ QUEUED: 4, WAITING: 1, RUNNING: 0 });
    });

    test("wakes a listener for a new run, for a run that is woken, and for one whose time has come", async () => {
      const { store, open } = await openWorld();
      const queue = await open();
      const waiting = testRun({ wakeAtMs: null, state: "WAITING" });
      await store.write([insertRun(waiting, null)]);
      const heard = listen(queue);
      await settle(queue, store);
      await heard.after(() => store.write([insertRun(testRun(), null)]));
      await settle(queue, store);
      await heard.after(() => store.write([wakeRun(waiting.id, clock.now())]));
      heard.stop();
    });

    test("wakes nobody who has stopped listening", async () => {
      const { store, open } = await openWorld();
      const queue = await open();
      const heard = listen(queue);
      await heard.after(() => store.write([insertRun(testRun(), null)]));
      heard.stop();
      await clock.sleep(50);
      const before = heard.count();
      await store.write([insertRun(testRun(), null)]);
      await clock.sleep(100);
      expect(heard.count()).toBe(before);
    });

    test("a run is due only where everything is offered that it needs", async () => {
      const { store, open } = await openWorld();
      const [plain, needing] = [testRun(), testRun()];
      await store.write([
        insertRun(plain, null),
        insertRun(needing, null),
        { sql: "INSERT INTO run_needs (run_id, need) VALUES (?, ?)", params: [needing.id, "root:shelf"] },
      ]);
      const ids = async (queue: Queue): Promise<readonly string[]> =>
        (await queue.due(clock.now(), 10)).map(({ id }) => id);
      expect(await ids(await open())).toEqual([plain.id]);
      expect(await ids(await open(["root:other"]))).toEqual([plain.id]);
      expect(await ids(await open(["root:other", "root:shelf"]))).toEqual([plain.id, needing.id]);
    });
  });
}

interface Heard {
  count(): number;
  /** Resolves when the listener was called after the change. */
  after(change: () => Promise<unknown>): Promise<void>;
  stop(): void;
}

function listen(queue: Queue): Heard {
  let count = 0;
  let tell = (): void => {};
  const stop = queue.onWake(() => {
    count += 1;
    tell();
  });
  return {
    count: () => count,
    async after(change) {
      const called = new Promise<void>((resolve) => (tell = resolve));
      await change();
      await called;
    },
    stop,
  };
}

/** As workers do: what is due is taken, so that a queue with one wake-up for each run has nothing left to say. */
async function settle(queue: Queue, store: Store): Promise<void> {
  const due = await queue.due(clock.now(), 100);
  await store.write(
    due.map(({ id }) => ({ sql: "UPDATE runs SET wake_at_ms = NULL WHERE id = ?", params: [id] })),
  );
  await clock.sleep(50);
}
