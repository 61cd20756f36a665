/** Puts the pieces of runs together: what the worker drives with, and what routes read and write through. */
import { planArtifacts } from "../../artifacts/register.ts";
import type { Clock } from "../../base/clock.ts";
import { createId, createSalt } from "../../base/id.ts";
import type { Logger } from "../../base/log.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import type { Gate } from "../../gate/gate.ts";
import type { PermitOffice } from "../../gate/permit.ts";
import { createTargetMemory } from "../../gate/target-memory.ts";
import { createClaims } from "../../queue/claim.ts";
import type { ClaimSettings } from "../../queue/claim.ts";
import type { Queue } from "../../queue/local-queue.ts";
import { defaultMaxVainClaims } from "../../queue/vain-claims.ts";
import type { LeaseStore } from "../../store/lease.ts";
import { digestTools } from "../../tools/registry.ts";
import type { AnyTool, Root, ToolContext } from "../../tools/tool.ts";
import type { FindWorkflow } from "../../workflows/registry.ts";
import { leaseMarginMs } from "../actions/effects.ts";
import type { EffectDeps } from "../actions/effects.ts";
import { createGateTool } from "../actions/gate-tool.ts";
import { createFoldUnheld } from "./fold-unheld.ts";
import type { FoldUnheld } from "./fold-unheld.ts";
import type { HashMemory } from "../workspace/hash-memory.ts";
import { createHeldHere } from "../session/held-here.ts";
import type { ReadBlobText } from "../journal/journal.ts";
import { createLiveRuns } from "../session/live.ts";
import type { LiveRuns } from "../session/live.ts";
import { createOverlongLeases, longestAct } from "./overlong-leases.ts";
import { createOverlongWaits } from "./overlong-waits.ts";
import { createProgressKeeper } from "../session/progress-keeper.ts";
import { createRunDriver } from "./run-driver.ts";
import type { SessionDeps } from "../session/session.ts";
import { createWorker } from "./worker.ts";
import type { Worker } from "./worker.ts";
import { createWorkspaces } from "../workspace/workspace.ts";
import type { Workspaces } from "../workspace/workspace.ts";

export interface EngineDeps {
  readonly store: LeaseStore;
  readonly blobs: BlobStore;
  readonly hashes: HashMemory;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gate: Gate;
  readonly permits: PermitOffice;
  readonly tools: ReadonlyMap<string, AnyTool>;
  /** Registered workflows. Absent: there are none. */
  readonly workflows?: FindWorkflow;
  readonly published: EffectDeps["published"];
  readonly runSandboxed: ToolContext["runSandboxed"];
  readonly workspacesFolder: string;
  /** Named folders besides each run's workspace. */
  readonly roots: readonly Root[];
  readonly roleOf: (tenant: string, principalId: string) => Promise<string>;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly concurrency: number;
  readonly leaseTtlMs: number;
  /** How long the journal of a run may become before it begins no further step; no bound otherwise. */
  readonly maxEvents?: number;
  /** What this process offers to runs, limits of tenants and workflows, ageing; the defaults of `createClaims` otherwise. */
  readonly claiming?: Pick<ClaimSettings, "offers" | "limits" | "agingMs">;
  readonly maxVainClaims?: number;
  /** Of this program. Absent: not told. */
  readonly version?: string;
  readonly random: () => number;
  /** For what is kept of a run's own words outside of its journal. */
  readonly redactText?: (text: string) => string;
  /** For metrics; must not throw. */
  readonly observe: SessionDeps["announce"];
}

export interface Engine {
  /** The worker; a supervisor makes it anew when it broke down. */
  readonly createWorker: () => Worker;
  readonly live: LiveRuns;
  readonly workspaces: Workspaces;
  readonly readBlobText: ReadBlobText;
  readonly announce: SessionDeps["announce"];
  readonly foldUnheld: FoldUnheld;
}

export function createEngine(deps: EngineDeps): Engine {
  const { store, blobs, clock } = deps;
  const live = createLiveRuns();
  const workspaces = createWorkspaces({ folder: deps.workspacesFolder, blobs, hashes: deps.hashes });
  const announce: SessionDeps["announce"] = (events, row) => {
    live.publish({ kind: "events", runId: row.id, events, row });
    deps.observe(events, row);
  };
  const readBlobText: ReadBlobText = async (subject, sha256, sizeBytes) =>
    (await blobs.get({ subject, sha256, sizeBytes })).toString();
  const rootsOf = (runId: string): readonly Root[] => [
    { name: "workspace", path: workspaces.folderOf(runId), writable: true },
    ...deps.roots,
  ];
  const acting = createHeldHere();
  const kept = createProgressKeeper({ store, clock });
  const version = deps.version === undefined ? {} : { version: deps.version };
  const program = { ...version, knowsTool: (action: string) => deps.tools.has(action) };
  const driveRun = createRunDriver({
    store,
    blobs,
    clock,
    workspaces,
    readBlobText,
    announce,
    program,
    maxEvents: deps.maxEvents ?? Infinity,
    onMessages: (listener) => store.onCommit("inbox", listener),
    children: {
      store,
      blobs,
      clock,
      workspaces,
      tools: deps.tools,
      toolDigests: new Map(Object.entries(digestTools(deps.tools))),
      ...(deps.workflows === undefined ? {} : { workflows: deps.workflows }),
      announce,
      ...version,
    },
    toolStep: {
      clock,
      gate: deps.gate,
      permits: deps.permits,
      workspaces,
      published: deps.published,
      rootsOf,
      runSandboxed: deps.runSandboxed,
      acting,
      planArtifacts: (change) =>
        planArtifacts(change, { createId: () => createId("art", clock.now()), createSalt }),
      targets: createTargetMemory({ store }),
      argumentRoles: (name) => deps.tools.get(name)?.argumentRoles,
      progress: (runId, step, text, percent) => {
        live.publish({ kind: "progress", runId, step, text });
        kept.note(runId, deps.redactText?.(text) ?? text, percent ?? null);
      },
      tools: deps.tools,
      gateTool: (tool, runId) => createGateTool(tool, { roots: rootsOf(runId), runId }),
      roleOf: deps.roleOf,
      random: deps.random,
    },
  });
  const { queue, logger, owner, isOwnerDead, concurrency, leaseTtlMs } = deps;
  const claims = createClaims(store, { owner, leaseTtlMs, ...deps.claiming });
  const longestMs = Math.max(0, ...[...deps.tools.values()].map((tool) => tool.maxTimeoutMs)) + leaseMarginMs;
  const acts = { ttlMs: leaseTtlMs, mayTakeMs: (runId: string) => longestAct(store, runId, longestMs) };
  const folding = createHeldHere();
  const newWorker = (): Worker =>
    createWorker({
      overlong: createOverlongLeases(acts),
      overlongWaits: createOverlongWaits({ ...acts, store, clock, overlong: createOverlongLeases(acts) }),
      folding,
      acting,
      store,
      queue,
      clock,
      logger,
      owner,
      isOwnerDead,
      concurrency,
      claims,
      maxVainClaims: deps.maxVainClaims ?? defaultMaxVainClaims,
      random: deps.random,
      driveRun,
    });
  const reading = { store, blobs, clock, announce, readBlobText, program };
  const foldUnheld = createFoldUnheld({ ...reading, owner, isOwnerDead, folding });
  return { createWorker: newWorker, live, workspaces, readBlobText, announce, foldUnheld };
}
