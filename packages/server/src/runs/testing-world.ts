/** A small world for tests of runs: the real store, gate, worker and workspaces in a temporary folder, with tools made for the test. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { openFolderBlobs } from "../blobs/folder.ts";
import { blobKeysMigration } from "../blobs/keys.ts";
import { createGate } from "../gate/gate.ts";
import { delegationsMigration } from "../approvals/delegations.ts";
import { approvalLinksMigration } from "../approvals/links.ts";
import { findStanding, standingApprovalsMigration } from "../approvals/standing.ts";
import type { PeopleDeps } from "../approvals/people.ts";
import { approvalDepthMigration } from "../approvals/votes.ts";
import {
  approvalFromStore,
  approvalRunPathMigration,
  approvalScoreMigration,
  approvalsMigration,
} from "../gate/approvals.ts";
import type { Approval } from "../gate/approvals.ts";
import { createPermitOffice } from "../gate/permit.ts";
import { targetMemoryMigration } from "../gate/target-memory.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createTestLimits } from "../limits/testing-limits.ts";
import type { ActionRequest, Decision, OriginLabel } from "../policy/rules/decision.ts";
import { createLocalQueue } from "../queue/local-queue.ts";
import { queueMigrations } from "../queue/migrations.ts";
import { runFromStore } from "../queue/run-row.ts";
import type { RunRow, StoredRun } from "../queue/run-row.ts";
import type { TaskState } from "../queue/task.ts";
import { leaseMigration } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { outboxMigration } from "../store/outbox.ts";
import { artifactsMigration } from "../artifacts/artifact.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Migration } from "../store/store.ts";
import type { Health } from "../supervision/part.ts";
import type { AnyTool, EffectClass, Tool, ToolContext, ToolResult } from "../tools/tool.ts";
import { answerApproval } from "./answers/answer-approval.ts";
import { commandRun } from "./control/control.ts";
import type { Answer, AnswerRequest } from "./answers/answer-approval.ts";
import type { RunCommand } from "./control/control.ts";
import { createWorkflowRegistry, workflowsMigration } from "../workflows/registry.ts";
import type { WorkflowRegistry } from "../workflows/registry.ts";
import { createEngine } from "./worker/engine.ts";
import type { RunState } from "./journal/fold.ts";
import { createHashMemory, hashMemoryMigration } from "./workspace/hash-memory.ts";
import { inboxMigration } from "./session/inbox.ts";
import { journalMigration, readJournal } from "./journal/journal.ts";
import type { ReadBlobText } from "./journal/journal.ts";
import type { LiveRuns } from "./session/live.ts";
import { readState } from "./journal/run-reader.ts";
import { sendSignal } from "./control/signals.ts";
import { submitTask } from "./submission/submit.ts";
import type { SubmitDeps } from "./submission/submit.ts";
import type { Worker } from "./worker/worker.ts";
import type { WorkspaceFile } from "./workspace/workspace.ts";

export interface TestTool {
  readonly name: string;
  readonly effect: EffectClass;
  /** Where its output comes from; `tool` by default. */
  readonly labels?: readonly OriginLabel[];
  readonly act: (args: JsonObject, context: ToolContext) => Promise<ToolResult["output"]>;
  /** True: the workspace is saved after it acted. */
  readonly touchesFiles?: boolean;
  readonly files?: AnyTool["files"];
  readonly roles?: AnyTool["argumentRoles"];
  readonly check?: () => Promise<"happened" | "did-not-happen" | "unknown">;
}

export interface World {
  submit(
    workflow: string,
    inputs?: JsonObject,
    files?: readonly WorkspaceFile[],
    tenant?: string,
  ): Promise<string>;
  /** Starts a worker as another process would; `gone` are owners it may treat as dead. */
  /** For a supervisor; not started. */
  createWorker(owner: string): Worker;
  startWorker(owner: string, gone?: readonly string[]): Promise<{ stop(): Promise<void>; health(): Health }>;
  /** In the process that `cancelAtOnce` is sent to. */
  startWorkerHere(): Promise<{ stop(): Promise<void> }>;
  row(runId: string): Promise<StoredRun>;
  state(runId: string): Promise<RunState>;
  kinds(runId: string): Promise<readonly string[]>;
  until(runId: string, ...states: readonly TaskState[]): Promise<RunRow>;
  waitingApproval(runId: string): Promise<Approval>;
  /** As the admin `eve`, unless `more` says otherwise; who delegates is an approver. */
  answer(id: string, answer: Answer, reason?: string, more?: Partial<AnswerRequest>): Promise<Approval>;
  command(runId: string, command: RunCommand): Promise<void>;
  /** As a gateway does it: a run that nobody holds needs no worker to end. */
  cancelAtOnce(runId: string): Promise<void>;
  signal(runId: string, name: string, data?: JsonValue): Promise<void>;
  /** Path and SHA-256 of every file, for each time the workspace was saved. */
  manifests(runId: string): Promise<readonly Readonly<Record<string, string>>[]>;
  readonly registry: WorkflowRegistry;
  readonly store: LeaseStore;
  /** What routes and commands on runs are made with. */
  readonly submitDeps: SubmitDeps;
  readonly readBlobText: ReadBlobText;
  readonly live: LiveRuns;
  /** Holds `workspaces/<run>`, `blobs`, `keys` and the databases. */
  readonly folder: string;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly tools: readonly TestTool[];
  /** Allows everything by default. */
  readonly decide?: (action: string) => Decision["effect"];
  /** A real policy instead. */
  readonly decideFully?: (request: ActionRequest) => Decision;
  readonly leaseTtlMs?: number;
  readonly maxEvents?: number;
  /** The machine's own otherwise. */
  readonly clock?: Clock;
  /** Another database than SQLite in the temporary folder. */
  readonly openStore?: (migrations: readonly Migration[]) => Promise<LeaseStore>;
  /** Of the program that the workers run. */
  readonly version?: string;
  /** Who people are now; admins by default. */
  readonly holderOf?: PeopleDeps["holderOf"];
  /** Fills the folder before anything in it is opened. */
  readonly prepare?: (folder: string) => Promise<void>;
}

const migrations: readonly Migration[] = [
  outboxMigration,
  leaseMigration,
  journalMigration,
  ...queueMigrations,
  approvalsMigration,
  approvalDepthMigration,
  delegationsMigration,
  approvalLinksMigration,
  standingApprovalsMigration,
  inboxMigration,
  workflowsMigration,
  approvalRunPathMigration,
  approvalScoreMigration,
  blobKeysMigration,
  artifactsMigration,
  targetMemoryMigration,
];

export async function createWorld(options: WorldOptions): Promise<World> {
  const clock = options.clock ?? systemClock;
  const folder = await mkdtemp(join(tmpdir(), "homeostat-runs-"));
  for (const each of ["keys", "blobs", "workspaces"]) await mkdir(join(folder, each));
  await options.prepare?.(folder);
  const openStore = options.openStore ?? ((wanted) => openInFolder({ folder, clock }, wanted));
  const store = await openStore(migrations);
  const cache = await openSqliteStore({
    path: join(folder, "cache.db"),
    clock,
    logger: createSilentLogger(),
    migrations: [hashMemoryMigration],
    synchronous: "normal",
  });
  const blobs = await openFolderBlobs({
    folder: join(folder, "blobs"),
    keysFolder: join(folder, "keys"),
    store,
    clock,
  });
  const tools = new Map(options.tools.map((tool) => [tool.name, asTool(tool)]));
  const decide = options.decide ?? ((): Decision["effect"] => "allow");
  const permits = createPermitOffice();
  const holderOf = options.holderOf ?? (() => Promise.resolve({ role: "admin", sinceMs: 0 }));
  const gate = createGate({
    pinSecrets: ({ args }) => Promise.resolve(args),
    findStanding: (question) => findStanding({ store, clock, holderOf }, question),
    clock,
    decide: options.decideFully ?? (({ action }) => decision(decide(action))),
    limits: createTestLimits(clock),
    breaker: createCircuitBreaker({ clock }),
    permits,
    defaultIsolation: "none",
    redact: (value) => JSON.parse(JSON.stringify(value).replaceAll("SECRET", "***")) as typeof value,
    observe: () => undefined,
    maxOutputBytes: 1_000_000,
  });
  const registry = createWorkflowRegistry({ store, clock });
  const engineFor = (owner: string, gone: readonly string[]) =>
    createEngine({
      store,
      blobs,
      hashes: createHashMemory({ cache, clock }),
      queue: createLocalQueue({ store, owner }),
      ...(options.version === undefined ? {} : { version: options.version }),
      clock,
      logger: createSilentLogger(),
      gate,
      permits,
      tools,
      workflows: registry,
      published: () => Promise.resolve(),
      runSandboxed: () => Promise.reject(new HomeostatError("INTERNAL", "no sandbox in this test")),
      workspacesFolder: join(folder, "workspaces"),
      roots: [],
      roleOf: () => Promise.resolve("admin"),
      owner,
      isOwnerDead: (other) => gone.includes(other),
      concurrency: 2,
      leaseTtlMs: options.leaseTtlMs ?? 30_000,
      ...(options.maxEvents === undefined ? {} : { maxEvents: options.maxEvents }),
      random: () => 0,
      observe: () => undefined,
    });
  const readingEngine = engineFor("reader", []);
  const { workspaces, readBlobText, announce, live, foldUnheld } = readingEngine;
  const reader = { store, readBlobText };
  const one = async (runId: string): Promise<StoredRun> =>
    runFromStore((await store.read("SELECT * FROM runs WHERE id = ?", [runId]))[0]!);
  const workers: { stop(): Promise<void> }[] = [];
  const submitDeps: SubmitDeps = {
    store,
    blobs,
    clock,
    workspaces,
    tools,
    workflows: registry,
    toolDigests: new Map([...tools.keys()].map((name) => [name, "digest"])),
    holdsSecret: (text) => text.includes("SECRET"),
    announce,
    defaultMaxAttempts: 3,
  };
  return {
    store,
    folder,
    submitDeps,
    readBlobText,
    live,
    async submit(workflow, inputs = {}, files = [], tenant = "default") {
      const row = await submitTask(submitDeps, {
        workflow,
        files,
        inputs,
        priority: "normal",
        labels: [],
        requester: "admin",
        tenant,
      });
      return row.id;
    },
    createWorker: (owner) => engineFor(owner, []).createWorker(),
    async startWorkerHere() {
      const worker = readingEngine.createWorker();
      await worker.start();
      const handle = { stop: () => worker.stop(200) };
      workers.push(handle);
      return handle;
    },
    async startWorker(owner, gone = []) {
      const worker = engineFor(owner, gone).createWorker();
      await worker.start();
      const handle = { stop: () => worker.stop(200), health: () => worker.health() };
      workers.push(handle);
      return handle;
    },
    row: one,
    state: (runId) => readState(reader, runId),
    async kinds(runId) {
      const rows = await store.read("SELECT kind FROM journal WHERE run_id = ? ORDER BY seq", [runId]);
      return rows.map((row) => row["kind"] as string);
    },
    async until(runId, ...states) {
      for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 10) {
        const row = await one(runId);
        if (states.includes(row.state)) return row;
        await clock.sleep(10);
      }
      throw new Error(`run is ${JSON.stringify(await one(runId))}, not ${states.join(" or ")}`);
    },
    async waitingApproval(runId) {
      for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 10) {
        const sql = "SELECT * FROM approvals WHERE run_id = ? AND status = 'waiting'";
        const [row] = await store.read(sql, [runId]);
        if (row !== undefined) return approvalFromStore(row);
        await clock.sleep(10);
      }
      throw new Error("nothing waits for approval");
    },
    answer: (id, answer, reason, more = {}) =>
      answerApproval(
        {
          ...{
            store,
            clock,
            holderOf: options.holderOf ?? (() => Promise.resolve({ role: "approver", sinceMs: 0 })),
            checkArguments: () => undefined,
          },
          holdsSecret: (text) => text.includes("SECRET"),
        },
        {
          id,
          answer,
          caller: { id: "eve", role: "admin", tenant: "default" },
          reason: reason ?? null,
          result: null,
          ...more,
        },
      ),
    command: (runId, command) =>
      commandRun(
        { store, clock, holdsSecret: submitDeps.holdsSecret },
        { tenant: "default", runId, command, by: "eve", reason: null },
      ),
    signal: (runId, name, data = null) =>
      sendSignal(
        { store, clock, readBlobText, holdsSecret: (text) => text.includes("SECRET") },
        { runId, name, data, caller: { id: "eve", role: "admin", tenant: "default" }, key: null },
      ),
    async manifests(runId) {
      const manifests: Record<string, string>[] = [];
      for await (const { body } of readJournal(store, readBlobText, runId)) {
        if (body.kind !== "action.completed" || body.workspace === null) continue;
        const { files } = await workspaces.load(body.workspace);
        manifests.push(Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256])));
      }
      return manifests;
    },
    registry,
    cancelAtOnce: (runId) =>
      commandRun(
        { store, clock, foldUnheld, holdsSecret: submitDeps.holdsSecret },
        { tenant: "default", runId, command: "cancel", by: "eve", reason: null },
      ),
    async close() {
      for (const worker of workers) await worker.stop();
      await store.close();
      await cache.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function openInFolder(
  { folder, clock }: { folder: string; clock: Clock },
  wanted: readonly Migration[],
): Promise<LeaseStore> {
  const logger = createSilentLogger();
  return openSqliteStore({ path: join(folder, "state.db"), clock, logger, migrations: wanted });
}

function decision(effect: Decision["effect"]): Decision {
  return { effect, risk: "low", obligations: {}, matched: [], reason: `rule says ${effect}`, revision: "r1" };
}

function asTool(test: TestTool): AnyTool {
  const output = (value: ToolResult["output"]): ToolResult => ({
    output: value,
    labels: test.labels ?? ["tool"],
    touchedFiles: test.touchesFiles === true,
  });
  const check = test.check;
  const tool: Tool<JsonObject> = {
    name: test.name,
    description: "made for a test",
    args: z.record(z.string(), z.json()) as z.ZodType<JsonObject>,
    effect: test.effect,
    ...(test.files === undefined ? {} : { files: test.files }),
    ...(test.roles === undefined ? {} : { argumentRoles: test.roles }),
    risk: "low",
    defaultTimeoutMs: 10_000,
    maxTimeoutMs: 60_000,
    resolve: (args) => Promise.resolve({ resource: test.name, args, summary: `do ${test.name}` }),
    execute: async ({ args }, context) => output(await test.act(args, context)),
    ...(check === undefined
      ? {}
      : {
          check: async () => {
            const kind = await check();
            return kind === "happened" ? { kind, result: output("checked") } : { kind };
          },
        }),
  };
  // As the registry does: callers parse with `tool.args` first.
  return tool as unknown as AnyTool;
}
