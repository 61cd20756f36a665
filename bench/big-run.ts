/** How a run of 100,000 events can be looked at: its page, its steps, its events and stream from anywhere, and the memory that takes. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi, freePort, startServer } from "../test/chaos/server-process.ts";
import type { Api } from "../test/chaos/server-process.ts";
import { createSalt } from "../packages/server/src/base/id.ts";
import { systemClock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { migrations } from "../packages/server/src/home/migrations.ts";
import { insertRun } from "../packages/server/src/queue/run-row.ts";
import type { ActionIntent, EventBody } from "../packages/server/src/runs/journal/event.ts";
import { fold, initialState } from "../packages/server/src/runs/journal/fold.ts";
import { buildRows, emptyHead, insertRow } from "../packages/server/src/runs/journal/journal.ts";
import { projectRow } from "../packages/server/src/runs/journal/project.ts";
import { readState } from "../packages/server/src/runs/journal/run-reader.ts";
import { eventOf } from "../packages/server/src/runs/session/session.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import type { Store } from "../packages/server/src/store/store.ts";
import { atMost, benchResult } from "./bench.ts";
import type { BenchOptions, BenchResult, Row } from "./bench.ts";

export interface BigRunFigures {
  readonly events: number;
  readonly firstPageMs: number;
  /** Of processor time that the server spent on it, which other work on the machine does not lengthen. */
  readonly firstPageCpuMs: number;
  readonly nextPageMs: number;
  readonly stepsPageMs: number;
  readonly eventsPageMs: number;
  readonly streamResumeMs: number;
  /** The most the server has had while it started. */
  readonly rssStartMb: number;
  /** The most it has had, from its start to its last answer. */
  readonly rssPeakMb: number;
  /** From the word that lets the paused run go on to its end: the worker folds it and walks all its steps. */
  readonly finishMs: number;
  /** The most the server has had when the run has ended too. */
  readonly rssFinishedMb: number;
  readonly resumeOf10000Ms: number;
}

const runId = "run_0000000000007000800000000000b160";

/**
 * Two events a round: intent and outcome of one action in a loop; at last somebody pauses it, so that no worker takes it while it is
 * looked at. A server of its own is asked over HTTP, as people do. */
export async function measureBigRun(events = 100_000): Promise<BigRunFigures> {
  const home = await mkdtemp(join(tmpdir(), "homeostat-big-run-"));
  const place = { home, port: await freePort(), token: "b".repeat(40) };
  try {
    // Makes the home.
    const first = startServer(place);
    await first.ready;
    await first.stop();
    await withStore(home, (store) => writeRun(store, runId, events));
    const resumeOf10000Ms = await withStore(home, measureResume);
    const server = startServer(place);
    try {
      await server.ready;
      const looked = await look(place, server.child.pid!, events);
      return { events, ...looked, ...(await finish(place, server.child.pid!)), resumeOf10000Ms };
    } finally {
      await server.stop();
    }
  } finally {
    await rm(home, { recursive: true });
  }
}

/** RUN-1: what a worker does with a journal of 10,000 events before it goes on. The best of five, which is least the machine's. */
async function measureResume(store: Store): Promise<number> {
  const id = runId.replace("b160", "b161");
  await writeRun(store, id, 10_000);
  const readBlobText = (): Promise<string> => Promise.reject(new Error("no bodies lie in blobs here"));
  let bestMs = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const startMs = systemClock.monotonic();
    await readState({ store, readBlobText }, id);
    bestMs = Math.min(bestMs, systemClock.monotonic() - startMs);
  }
  return Math.round(bestMs);
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

type Finished = Pick<BigRunFigures, "finishMs" | "rssFinishedMb">;
type Looked = Omit<BigRunFigures, "events" | "resumeOf10000Ms" | keyof Finished>;

async function look(
  place: { readonly port: number; readonly token: string },
  pid: number,
  events: number,
): Promise<Looked> {
  const api = createApi(place);
  const path = `/v1/runs/${runId}`;
  const time = async (act: () => Promise<unknown>): Promise<number> => {
    const startMs = systemClock.monotonic();
    await act();
    return Math.round(systemClock.monotonic() - startMs);
  };
  const rssStartMb = await memoryMb(pid);
  const cpuBeforeMs = await processorMs(pid);
  const firstPageMs = await time(() => api.get(path));
  const firstPageCpuMs = (await processorMs(pid)) - cpuBeforeMs;
  const nextPageMs = await time(() => api.get(path));
  const stepsPageMs = await time(() => api.get(`${path}/steps?prefix=each/${Math.floor(events / 4)}/`));
  const eventsPageMs = await time(() => api.get(`${path}/events?after=${events - 300}&limit=200`));
  const streamResumeMs = await time(() => streamFrom(place, events - 150, events));
  const rssPeakMb = await memoryMb(pid);
  return {
    ...{ firstPageMs, firstPageCpuMs, nextPageMs, stepsPageMs, eventsPageMs, streamResumeMs },
    ...{ rssStartMb, rssPeakMb },
  };
}

async function finish(
  place: { readonly port: number; readonly token: string },
  pid: number,
): Promise<Finished> {
  const api = createApi(place);
  const startMs = systemClock.monotonic();
  await api.post(`/v1/runs/${runId}/resume`, {});
  while ((await stateOf(api)) !== "COMPLETED") await systemClock.sleep(50);
  return {
    finishMs: Math.round(systemClock.monotonic() - startMs),
    rssFinishedMb: await memoryMb(pid),
  };
}

/** From the list, which costs nothing. */
async function stateOf(api: Api): Promise<string | undefined> {
  const { data } = await api.get<{ data: readonly { id: string; state: string }[] }>("/v1/runs?limit=10");
  const state = data.find(({ id }) => id === runId)?.state;
  if (state === "FAILED" || state === "DEAD") throw new Error(`the run ended ${state}`);
  return state;
}

/** Reads the run's stream after `after` until it has told of event `last`. */
async function streamFrom(
  { port, token }: { readonly port: number; readonly token: string },
  after: number,
  last: number,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/runs/${runId}/stream`, {
    headers: { authorization: `Bearer ${token}`, "last-event-id": String(after) },
  });
  let text = "";
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(`id: ${last}\n`)) return;
  }
  throw new Error(`the stream ended before event ${last}`);
}

/** The most the process has had. */
async function memoryMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024);
}

/** All its threads, user and system, in steps of 10 ms; see proc_pid_stat(5). */
async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name may hold spaces; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function writeRun(store: Store, id: string, events: number): Promise<void> {
  const nowMs = systemClock.now();
  const envelope = {
    runId: id,
    tenant: "default",
    actor: { kind: "agent", id: "bench" },
    labels: [],
    epoch: 1,
    atMs: nowMs,
  } as const;
  let head = emptyHead(id);
  const state = initialState(id, head.digest);
  for (const bodies of batches(events)) {
    const built = buildRows(head, envelope, bodies, createSalt);
    bodies.forEach((body, index) => fold(state, eventOf(built.rows[index]!, body)));
    head = built.head;
    await store.write(built.rows.map(insertRow));
  }
  const projection = { tenant: "default", stepsTotal: 2, letting: null, nowMs, leaseUntilMs: nowMs };
  await store.write([insertRun(projectRow(state, projection), null)]);
}

function* batches(events: number): Generator<readonly EventBody[]> {
  let batch: EventBody[] = [];
  let seq = 0;
  for (const body of bodiesOf(events)) {
    if (++seq > events) break;
    batch.push(seq < events ? body : { kind: "run.paused", by: "bench", reason: null });
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
  // Three events come before the first round and one after the last; every round has ended.
  const items = Array.from({ length: (events - 4) / 2 }, () => null);
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
export async function run(options: BenchOptions): Promise<BenchResult> {
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
      atMost("memory", "memory of the server at its most while it is looked at, MB", figures.rssPeakMb, 300),
      atMost(
        "memory-finished",
        "memory of the server when the run was worked to its end too, MB",
        figures.rssFinishedMb,
        300,
      ),
      atMost("resume", "resume of a run of 10,000 events, ms", figures.resumeOf10000Ms, 100),
    ],
  });
}
