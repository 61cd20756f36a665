/** Builds what takes tasks and drives runs: registered workflows, the engine, and what submitting needs. */
import type { Config } from "../config/config-schema.ts";
import { limitsOf } from "../config/queue-settings.ts";
import type { ApiKeys } from "../identity/api-keys.ts";
import type { Queue } from "../queue/local-queue.ts";
import type { Need } from "../queue/worker-registry.ts";
import type { RunReaderDeps } from "../runs/journal/run-reader.ts";
import { observeEvents, readQueueGauges } from "../runs/session/run-metrics.ts";
import type { SubmitDeps } from "../runs/submission/submit.ts";
import { createEngine } from "../runs/worker/engine.ts";
import type { Engine, EngineDeps } from "../runs/worker/engine.ts";
import { createHashMemory } from "../runs/workspace/hash-memory.ts";
import { digestTools } from "../tools/registry.ts";
import { createWorkflowRegistry } from "../workflows/registry.ts";
import type { WorkflowRegistry } from "../workflows/registry.ts";
import { measuredSandbox } from "./facts.ts";
import type { Foundation } from "./foundation.ts";
import type { GateSystem } from "./gate.ts";
import type { LedgerSystem } from "./ledger.ts";
import type { ToolSystem } from "./tools.ts";

export interface RunSystem {
  readonly engine: Engine;
  readonly workflows: WorkflowRegistry;
  readonly submit: SubmitDeps;
  readonly reader: RunReaderDeps;
  readonly holdsSecret: (text: string) => boolean;
}

export interface RunSystemDeps {
  readonly hands: ToolSystem;
  readonly guarding: GateSystem;
  readonly ledger: LedgerSystem;
  readonly queue: Queue;
  readonly keys: Pick<ApiKeys, "currentRole">;
}

export function createRuns(foundation: Foundation, deps: RunSystemDeps): RunSystem {
  const { config, home, store, blobs, cache, clock, metrics, redactors, holdsSecret, version } = foundation;
  const { queue, hands, guarding, ledger } = deps;
  const { tools, sandbox, roots, offers } = hands;
  readQueueGauges(metrics, { queue, store });
  const workflows = createWorkflowRegistry({ store, clock });
  const engine = createEngine({
    ...foundation,
    ...{ workflows, queue, tools, roots, gate: guarding.gate, permits: guarding.permits },
    hashes: createHashMemory({ cache, clock }),
    published: ledger.published,
    runSandboxed: measuredSandbox(sandbox, metrics),
    workspacesFolder: home.workspaces,
    roleOf: deps.keys.currentRole,
    concurrency: config.runs.concurrency,
    leaseTtlMs: config.runs.leaseSeconds * 1000,
    maxEvents: config.runs.maxEvents,
    ...claimingOf(config.queue, offers),
    random: Math.random,
    redactText: redactors.shown.text,
    observe: (events, row) => observeEvents(metrics, events, row),
  });
  const submit: SubmitDeps = {
    ...{ store, blobs, clock, tools, workflows, holdsSecret, version },
    workspaces: engine.workspaces,
    toolDigests: new Map(Object.entries(digestTools(tools))),
    announce: engine.announce,
    defaultMaxAttempts: config.runs.maxAttempts,
  };
  return { engine, workflows, submit, reader: { store, readBlobText: engine.readBlobText }, holdsSecret };
}

/** How the worker of this process claims runs. */
function claimingOf(
  { agingMinutes, maxVainClaims, limits }: Config["queue"],
  offers: readonly Need[],
): Required<Pick<EngineDeps, "claiming" | "maxVainClaims">> {
  return {
    claiming: { offers, limits: limitsOf(limits), agingMs: agingMinutes * 60_000 },
    maxVainClaims,
  };
}
