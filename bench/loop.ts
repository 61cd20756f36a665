/** The loop: what one step costs in memory and fully durable, beside the loops of AI SDK and Mastra; and resuming a long run. */
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { artifactsMigration } from "../packages/server/src/artifacts/artifact.ts";
import type { JsonObject } from "../packages/server/src/base/canonical-json.ts";
import { systemClock as clock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { openFolderBlobs } from "../packages/server/src/blobs/folder.ts";
import { blobKeysMigration } from "../packages/server/src/blobs/keys.ts";
import { approvalDepthMigration } from "../packages/server/src/approvals/votes.ts";
import { approvalsMigration } from "../packages/server/src/gate/approvals.ts";
import { createGate } from "../packages/server/src/gate/gate.ts";
import { createPermitOffice } from "../packages/server/src/gate/permit.ts";
import { createCircuitBreaker } from "../packages/server/src/guards/circuit-breaker.ts";
import { createBulkhead } from "../packages/server/src/guards/bulkhead.ts";
import { createRateLimiter } from "../packages/server/src/guards/rate-limit.ts";
import { noLimits } from "../packages/server/src/limits/limit-rules.ts";
import { createLimits } from "../packages/server/src/limits/limits.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "../packages/server/src/ledger/publish.ts";
import { compilePolicy } from "../packages/server/src/policy/rules/compile.ts";
import { decide } from "../packages/server/src/policy/rules/decide.ts";
import { requirePolicy } from "../packages/server/src/policy/file/policy-file.ts";
import { createLocalQueue } from "../packages/server/src/queue/local-queue.ts";
import { createEngine } from "../packages/server/src/runs/worker/engine.ts";
import { createGateTool } from "../packages/server/src/runs/actions/gate-tool.ts";
import { createHeldHere } from "../packages/server/src/runs/session/held-here.ts";
import { fold, initialState } from "../packages/server/src/runs/journal/fold.ts";
import { inboxMigration } from "../packages/server/src/runs/session/inbox.ts";
import { journalMigration } from "../packages/server/src/runs/journal/journal.ts";
import { readState } from "../packages/server/src/runs/journal/run-reader.ts";
import { createMessageBell } from "../packages/server/src/runs/session/message-bell.ts";
import { runWorkflow } from "../packages/server/src/runs/steps/run-workflow.ts";
import type { RunSession } from "../packages/server/src/runs/session/session.ts";
import { submitTask } from "../packages/server/src/runs/submission/submit.ts";
import { leaseMigration } from "../packages/server/src/store/lease.ts";
import { outboxMigration } from "../packages/server/src/store/outbox.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite.ts";
import type { AnyTool, Tool } from "../packages/server/src/tools/tool.ts";
import { requireWorkflow } from "../packages/server/src/workflows/workflow-file.ts";
import { queueMigrations } from "../packages/server/src/queue/migrations.ts";
import {
  atLeast,
  atMost,
  benchFolder,
  benchResult,
  ensurePeers,
  hasPeer,
  interleave,
  median,
  rounded,
} from "./bench.ts";
import type { BenchOptions, BenchResult, Row } from "./bench.ts";
import { aiSdkStep, mastraStep } from "./loop-peers.ts";

const steps = 200;
const rounds = 5;
/** Runs at once: their steps share commits, and so the disk's syncs. */
const sideBySide = 20;
const longRunSteps = 5_000;

const policyText = `version: 1
rules:
  - { name: adding is allowed, action: bench.add, effect: allow }
  - { name: deleting asks, action: file_ops.delete, effect: ask }
  - { name: reading is allowed, action: [file_ops.read, file_ops.list], effect: allow }
`;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const peers = await ensurePeers(["ai", "@mastra/core"], options);
  const hasAi = hasPeer(peers, "ai");
  const hasMastra = hasAi && hasPeer(peers, "@mastra/core");
  mkdirSync(join(benchFolder, "results"), { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "results", "loop-"));
  const durable = await openDurable(folder);
  try {
    options.progress(`${rounds} rounds of ${steps} steps each, in turn, after one to warm up`);
    const contenders = {
      memory: () => memoryStep(),
      durable: () => durable.step(),
      durableMany: () => durable.stepOfMany(),
      aiSdk: () => (hasAi ? aiSdkStep(steps) : NaN),
      mastra: () => (hasMastra ? mastraStep(steps) : NaN),
      fdatasync: () => syncMicroseconds(join(folder, "anchor")),
    };
    await interleave(contenders, 1);
    const figures = await interleave(contenders, rounds);
    options.progress(`a run of ${longRunSteps} steps, read back and folded`);
    const resume = await durable.resume(longRunSteps);
    const row = (what: string, values: readonly number[]): Row => ({
      what,
      "µs per step": rounded(median(values)),
    });
    const [memory, full, ai, mastra] = [figures.memory, figures.durable, figures.aiSdk, figures.mastra].map(
      median,
    );
    return await benchResult("loop", {
      peers,
      rows: [
        row("homeostat in memory: gate, policy, fold", figures.memory),
        row("homeostat durable: journal synced twice a step, policy, ledger published", figures.durable),
        row(`the same, ${sideBySide} runs side by side`, figures.durableMany),
        row("AI SDK generateText, mock model", figures.aiSdk),
        row("Mastra agent, mock model, not durable", figures.mastra),
        row("anchor: one fdatasync of 4 KB", figures.fdatasync),
        {
          what: `resume of ${resume.events} events, ms, the fastest of five`,
          "µs per step": rounded(resume.milliseconds),
        },
      ],
      bars: [
        atMost("loop.memory", "µs per step in memory, against AI SDK's loop", memory!, ai!),
        atMost(
          "loop.durable",
          "µs per durable step, against Mastra's loop without durability",
          full!,
          mastra!,
        ),
        atLeast(
          "loop.steps",
          `fully durable steps a second, ${sideBySide} runs side by side`,
          1e6 / median(figures.durableMany),
          1_000,
        ),
        atMost(
          "loop.resume",
          "ms to resume 10,000 events",
          (resume.milliseconds * 10_000) / resume.events,
          100,
        ),
      ],
    });
  } finally {
    await durable.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function workflowText(count: number): string {
  return `version: 1
name: loop
steps:
  - id: loop
    for_each: \${{ range(0, ${count}) }}
    steps: [{ id: add, tool: bench.add, with: { a: "\${{ item }}" } }]
`;
}

const addTool: AnyTool = {
  name: "bench.add",
  description: "adds one",
  args: z.strictObject({ a: z.number() }),
  effect: "pure",
  risk: "low",
  defaultTimeoutMs: 10_000,
  maxTimeoutMs: 10_000,
  resolve: (args: JsonObject) => Promise.resolve({ resource: "bench", args, summary: "add one" }),
  execute: ({ args }) =>
    Promise.resolve({ output: (args["a"] as number) + 1, labels: ["tool"], touchedFiles: false }),
} satisfies Tool<{ a: number }> as unknown as AnyTool;

function openGate() {
  const permits = createPermitOffice();
  const policy = compilePolicy(requirePolicy(policyText));
  const gate = createGate({
    pinSecrets: ({ args }) => Promise.resolve(args),
    findStanding: () => Promise.resolve(undefined),
    clock,
    decide: (request) => decide(policy, request),
    limits: createLimits({
      rules: noLimits,
      limiter: createRateLimiter({ clock }),
      bulkhead: createBulkhead({ clock }),
      store: { write: () => Promise.resolve([]) },
      clock,
    }),
    breaker: createCircuitBreaker({ clock }),
    permits,
    defaultIsolation: "none",
    redact: (value) => value,
    observe: () => undefined,
    maxOutputBytes: 1_000_000,
  });
  return { gate, permits };
}

const tools: ReadonlyMap<string, AnyTool> = new Map([[addTool.name, addTool]]);

/** The walk itself with everything but the disk: appends only fold. */
async function memoryStep(): Promise<number> {
  const { gate, permits } = openGate();
  const workflow = requireWorkflow(workflowText(steps));
  const state = initialState("run_bench", "start");
  const never = new AbortController().signal;
  const session: RunSession = {
    runId: state.id,
    tenant: "default",
    state,
    lease: { name: "", owner: "", epoch: 1, ttlMs: 1, untilMs: 1, remainingMs: () => 1, signal: never },
    ...{ previousOwnerGone: true, reserved: new Map() },
    interrupt: never,
    append: (bodies) => {
      const actor = { kind: "agent", id: "bench" } as const;
      for (const body of bodies) {
        const seq = state.headSeq + 1;
        fold(state, { runId: state.id, seq, v: 1, atMs: clock.now(), actor, digest: "", body });
      }
      return Promise.resolve(state.headSeq);
    },
  };
  await session.append([{ kind: "run.started", attempt: 1 }]);
  const startMs = performance.now();
  const result = await runWorkflow(session, workflow, {
    clock,
    gate,
    permits,
    tools,
    workspaces: unused("workspaces"),
    published: () => Promise.resolve(),
    rootsOf: () => [],
    runSandboxed: unused("runSandboxed"),
    acting: createHeldHere(),
    planArtifacts: unused("planArtifacts"),
    progress: () => undefined,
    gateTool: (tool, runId) => createGateTool(tool, { roots: [], runId }),
    roleOf: () => Promise.resolve("admin"),
    random: () => 0,
    isStopping: () => false,
    maxEvents: Infinity,
    bell: createMessageBell(),
    foldAnswers: () => Promise.resolve({ folded: 0, isStopped: false }),
    children: unused("children"),
  });
  if (result.kind !== "completed") throw new Error(JSON.stringify(result));
  return ((performance.now() - startMs) * 1000) / steps;
}

/** Nothing in this bench touches files; whoever does is told. */
function unused(name: string): never {
  const refuse = (): never => {
    throw new Error(`the bench has no ${name}`);
  };
  return new Proxy(refuse, { get: refuse }) as never;
}

async function openDurable(folder: string) {
  for (const each of ["keys", "ledger", "blobs", "workspaces"]) mkdirSync(join(folder, each));
  const logger = createSilentLogger();
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    clock,
    logger,
    migrations: [
      outboxMigration,
      leaseMigration,
      blobKeysMigration,
      journalMigration,
      ...queueMigrations,
      approvalsMigration,
      approvalDepthMigration,
      inboxMigration,
      artifactsMigration,
    ],
  });
  const blobs = await openFolderBlobs({
    folder: join(folder, "blobs"),
    keysFolder: join(folder, "keys"),
    store,
    clock,
  });
  const publisher = createLedgerPublisher({
    store,
    clock,
    logger,
    ledgerFolder: join(folder, "ledger"),
    keysFolder: join(folder, "keys"),
    owner: "bench",
    isOwnerDead: () => true,
    settings: defaultPublisherSettings,
  });
  await publisher.start();
  const { gate, permits } = openGate();
  const engine = createEngine({
    store,
    blobs,
    hashes: unused("hashes"),
    queue: createLocalQueue({ store }),
    clock,
    logger,
    gate,
    permits,
    tools,
    published: publisher.published,
    runSandboxed: unused("runSandboxed"),
    workspacesFolder: join(folder, "workspaces"),
    roots: [],
    roleOf: () => Promise.resolve("admin"),
    owner: "bench",
    isOwnerDead: () => true,
    concurrency: sideBySide,
    leaseTtlMs: 30_000,
    random: () => 0,
    observe: () => undefined,
  });
  const worker = engine.createWorker();
  await worker.start();
  /** Runs of `count` steps, side by side; until the ledger holds their last events. */
  const runToEnd = async (count: number, together = 1): Promise<{ id: string; milliseconds: number }> => {
    const startMs = performance.now();
    const completed = new Map<string, () => void>();
    const stop = engine.live.subscribe(null, (message) => {
      if (message.kind === "events" && message.row.state === "COMPLETED") completed.get(message.runId)?.();
    });
    const runs = Array.from({ length: together }, submitOne);
    await Promise.all(
      runs.map(async (submitted) => {
        const id = await submitted;
        const ended = Promise.withResolvers<void>();
        completed.set(id, ended.resolve);
        const [row] = await store.read("SELECT state FROM runs WHERE id = ?", [id]);
        if (row?.["state"] === "COMPLETED") ended.resolve();
        await ended.promise;
        // The last event counts only once a checkpoint covers it.
        const [{ head_seq: head } = {}] = await store.read("SELECT head_seq FROM runs WHERE id = ?", [id]);
        await publisher.published(`run/${id}/${head as number}`);
      }),
    );
    stop();
    return { id: await runs[0]!, milliseconds: performance.now() - startMs };

    async function submitOne(): Promise<string> {
      const { id } = await submitTask(
        {
          store,
          blobs,
          clock,
          workspaces: engine.workspaces,
          tools: new Map([[addTool.name, addTool]]),
          toolDigests: new Map([[addTool.name, "digest"]]),
          holdsSecret: () => false,
          announce: engine.announce,
          defaultMaxAttempts: 1,
        },
        {
          workflow: workflowText(count),
          files: [],
          inputs: {},
          priority: "normal",
          labels: [],
          requester: "bench",
          tenant: "default",
        },
      );
      return id;
    }
  };
  return {
    step: async () => ((await runToEnd(steps)).milliseconds * 1000) / steps,
    stepOfMany: async () => ((await runToEnd(steps, sideBySide)).milliseconds * 1000) / (steps * sideBySide),
    async resume(count: number) {
      const { id } = await runToEnd(count);
      const times: number[] = [];
      let events = 0;
      for (let round = 0; round < 5; round += 1) {
        const startMs = performance.now();
        events = (await readState({ store, readBlobText: engine.readBlobText }, id)).headSeq;
        times.push(performance.now() - startMs);
      }
      // The fastest is least the machine's.
      return { events, milliseconds: Math.min(...times) };
    },
    async close() {
      await worker.stop(1_000);
      await publisher.stop(1_000);
      await store.close();
    },
  };
}

function syncMicroseconds(path: string): number {
  const file = openSync(path, "w");
  const block = Buffer.alloc(4096);
  const times: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    const startMs = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push((performance.now() - startMs) * 1000);
  }
  closeSync(file);
  return median(times);
}
