/** How a run of 100,000 events can be looked at: its page, its steps, its events and stream from anywhere, and the memory that takes. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSalt } from "../packages/server/src/base/id.ts";
import { systemClock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { migrations } from "../packages/server/src/migrations.ts";
import { insertRun } from "../packages/server/src/queue/run-row.ts";
import type { ActionIntent, EventBody } from "../packages/server/src/runs/event.ts";
import { fold, initialState } from "../packages/server/src/runs/fold.ts";
import { buildRows, emptyHead, insertRow } from "../packages/server/src/runs/journal.ts";
import { createLiveRuns } from "../packages/server/src/runs/live.ts";
import { projectRow } from "../packages/server/src/runs/project.ts";
import { runsRoutes } from "../packages/server/src/runs/runs.routes.ts";
import { eventOf } from "../packages/server/src/runs/session.ts";
import { streamRoutes } from "../packages/server/src/runs/stream.routes.ts";
import { callRoute } from "../packages/server/src/runs/testing-routes.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite.ts";
import type { Store } from "../packages/server/src/store/store.ts";
import { atMost, benchResult } from "./bench.ts";
import type { Row, RunBench } from "./bench.ts";

export interface BigRunFigures {
  readonly events: number;
  readonly firstPageMs: number;
  readonly nextPageMs: number;
  readonly stepsPageMs: number;
  readonly eventsPageMs: number;
  readonly streamResumeMs: number;
  readonly rssMb: number;
}

const runId = "run_0000000000007000800000000000b160";

/** Two events a round: intent and outcome of one action in a loop. */
export async function measureBigRun(events = 100_000): Promise<BigRunFigures> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-big-run-"));
  try {
    await withStore(folder, (store) => writeRun(store, events));
    // Another process, so that its memory is that of looking and not of writing.
    const code = `import(${JSON.stringify(import.meta.url)}).then((each) => each.printLook(${JSON.stringify(folder)}, ${events}))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", code]);
    return { events, ...(JSON.parse(stdout) as Omit<BigRunFigures, "events">) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the process started by `measureBigRun` does. */
export async function printLook(folder: string, events: number): Promise<void> {
  console.log(JSON.stringify(await withStore(folder, (store) => look(store, events))));
}

async function withStore<T>(folder: string, use: (store: Store) => Promise<T>): Promise<T> {
  const deps = { clock: systemClock, logger: createSilentLogger(), migrations };
  const store = await openSqliteStore({ path: join(folder, "state.db"), ...deps });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function look(store: Store, events: number): Promise<Omit<BigRunFigures, "events">> {
  const redact = (value: unknown): unknown => value;
  const readBlobText = (): Promise<string> => Promise.reject(new Error("no bodies lie in blobs here"));
  const deps = { store, readBlobText, clock: systemClock, redact };
  const routes = [...runsRoutes(deps), ...streamRoutes({ ...deps, live: createLiveRuns() })];
  const params = { id: runId };
  const time = async (operationId: string, query: Record<string, string> = {}): Promise<number> => {
    const startMs = systemClock.monotonic();
    JSON.stringify(await callRoute(routes, operationId, { params, query }));
    return Math.round(systemClock.monotonic() - startMs);
  };
  const firstPageMs = await time("runs.get");
  const nextPageMs = await time("runs.get");
  const stepsPageMs = await time("runs.steps", { prefix: `each/${Math.floor(events / 4)}/` });
  const eventsPageMs = await time("runs.events", { after: String(events - 300), limit: "200" });
  const startMs = systemClock.monotonic();
  await callRoute(routes, "runs.stream", {
    params,
    lastEventId: String(events - 150),
    onEvent: ({ id }, end) => {
      if (id === events) end();
    },
  });
  const streamResumeMs = Math.round(systemClock.monotonic() - startMs);
  const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return { firstPageMs, nextPageMs, stepsPageMs, eventsPageMs, streamResumeMs, rssMb };
}

async function writeRun(store: Store, events: number): Promise<void> {
  const nowMs = systemClock.now();
  const envelope = {
    runId,
    tenant: "default",
    actor: { kind: "agent", id: "bench" },
    labels: [],
    epoch: 1,
    atMs: nowMs,
  } as const;
  let head = emptyHead(runId);
  const state = initialState(runId, head.digest);
  let isFirst = true;
  for (const bodies of batches(events)) {
    const built = buildRows(head, envelope, bodies, createSalt);
    bodies.forEach((body, index) => fold(state, eventOf(built.rows[index]!, body)));
    head = built.head;
    const projection = { tenant: "default", stepsTotal: 2, letting: null, nowMs, leaseUntilMs: nowMs };
    const row = insertRun({ ...projectRow(state, projection), headSeq: events }, null);
    await store.write([...(isFirst ? [row] : []), ...built.rows.map(insertRow)]);
    isFirst = false;
  }
}

function* batches(events: number): Generator<readonly EventBody[]> {
  let batch: EventBody[] = [];
  let seq = 0;
  for (const body of bodiesOf(events)) {
    if (seq++ >= events) break;
    batch.push(body);
    if (batch.length < 1_000) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const text = `version: 1
name: big
steps:
  - { id: each, for_each: "\${{ [] }}", steps: [{ id: add, tool: bench.add, with: {} }] }
`;

function* bodiesOf(events: number): Generator<EventBody> {
  const pins = { stateVersion: 1, expressionVersion: 1, tools: {} };
  const items = Array.from({ length: Math.ceil(events / 2) }, () => null);
  yield {
    ...{ kind: "run.created", workflow: { name: "big", digest: "0".repeat(64), text }, inputs: {}, pins },
    ...{ requester: "bench", priority: "normal", labels: [], maxAttempts: 1, parent: null, workspace: null },
  };
  yield { kind: "run.started", attempt: 1 };
  yield { kind: "step.started", step: "each", start: { kind: "for_each", items } };
  for (let round = 0; ; round++) {
    const step = `each/${round}/add`;
    const intent: ActionIntent = {
      ...{ tool: "bench.add", effect: "pure", args: { a: round, b: 1 }, argsDigest: "0".repeat(64) },
      ...{
        resource: "bench",
        summary: "add two numbers",
        labels: ["operator"],
        attempt: 1,
        key: `${runId}/${step}/1`,
      },
      decision: {
        effect: "allow",
        risk: "low",
        obligations: {},
        matched: [],
        reason: "the rule allows it",
        revision: "r1",
      },
      ...{ approvalId: null, deadlineAtMs: 0, resumed: false },
    };
    yield { kind: "action.intended", step, intent };
    const outcome = {
      attempt: 1,
      output: { sum: round + 1 },
      labels: ["tool"],
      durationMs: 1,
      workspace: null,
    } as const;
    yield { kind: "action.completed", step, ...outcome, artifacts: [], recovered: false };
  }
}

/** Issue 3's bars: the page opens in under a second, the stream goes on from anywhere, the server stays below 300 MB. */
export const run: RunBench = async (options) => {
  options.progress("writing and reading a run of 100,000 events");
  const figures = await measureBigRun();
  const rows: readonly Row[] = Object.entries(figures).map(([figure, value]) => ({ figure, value }));
  return await benchResult("big-run", {
    peers: {},
    rows,
    bars: [
      atMost("first-page", "first page of a run of 100,000 events, ms", figures.firstPageMs, 1_000),
      atMost("next-page", "later pages, ms", figures.nextPageMs, 1_000),
      atMost("stream", "stream resumed near the end, ms", figures.streamResumeMs, 1_000),
      atMost("memory", "memory of the process that looks, MB", figures.rssMb, 300),
    ],
  });
};
