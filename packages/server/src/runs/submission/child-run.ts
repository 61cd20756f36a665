/** Makes the run that a workflow step waits for: its text, its checked inputs, and everything it inherits from its parent. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import { needStatements } from "../../queue/worker-registry.ts";
import type { Store } from "../../store/store.ts";
import type { AnyTool } from "../../tools/tool.ts";
import type { FindWorkflow } from "../../workflows/registry.ts";
import { countSteps } from "../../workflows/workflow.ts";
import type { ChildStep, Workflow } from "../../workflows/workflow.ts";
import type { Ancestor, EventBody, Inherited, RunEvent } from "../journal/event.ts";
import type { RunState } from "../journal/fold.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { needsOf } from "./needs.ts";
import { pinsOf } from "./pins.ts";
import { prepareRun, requireRunnable } from "./submit.ts";
import type { PreparedRun } from "./submit.ts";
import type { Workspaces } from "../workspace/workspace.ts";

export interface ChildDeps {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  readonly tools: ReadonlyMap<string, AnyTool>;
  readonly toolDigests: ReadonlyMap<string, string>;
  readonly workflows?: FindWorkflow;
  readonly version?: string;
  readonly announce: (events: readonly RunEvent[], row: RunRow) => void;
}

export interface ChildSource {
  readonly parent: RunState;
  readonly tenant: string;
  readonly source: ChildStep["source"];
}

/** What a step would run. */
export interface FoundChild {
  readonly text: string;
  readonly workflow: Workflow;
}

export interface ChildRequest extends ChildSource {
  readonly found: FoundChild;
  /** Path of the step in the parent. */
  readonly step: string;
  /** Checked, with their defaults. */
  readonly inputs: JsonObject;
  readonly deadlineAtMs: number | null;
  readonly inherited: Inherited;
}

export interface PreparedChild extends PreparedRun {
  readonly workflow: { readonly name: string; readonly digest: string };
}

/** Throws WORKFLOW_NOT_FOUND and WORKFLOW_INVALID. */
export async function findChild(deps: ChildDeps, source: ChildSource): Promise<FoundChild> {
  const text = await textOf(deps, source);
  return { text, workflow: requireRunnable(deps, text) };
}

/** Throws WORKFLOW_INVALID. Nothing exists before the statements are written. */
export async function prepareChild(deps: ChildDeps, request: ChildRequest): Promise<PreparedChild> {
  const { parent, tenant, step, inputs } = request;
  const { text, workflow } = request.found;
  const brought = await broughtFiles(deps, request);
  const files = Object.keys(brought.files).map((path) => ({ path }));
  const pins = await pinsOf(deps, workflow, { tenant, files });
  const nowMs = deps.clock.now();
  const runId = createId("run", nowMs);
  const workspace = brought.ref === null ? null : await deps.workspaces.copy(brought.ref, runId);
  const own: Ancestor = { runId: parent.id, workflow: parent.workflow.name, step };
  const body: EventBody = {
    kind: "run.created",
    workflow: { name: workflow.name, digest: workflow.digest, text },
    inputs,
    requester: parent.requester,
    priority: parent.priority,
    labels: parent.labels,
    maxAttempts: parent.maxAttempts,
    parent: parent.id,
    pins,
    workspace,
    ancestors: [...parent.ancestors, own],
    deadlineAtMs: request.deadlineAtMs,
    inherited: request.inherited,
  };
  const { requester, priority, labels } = parent;
  const submission = { workflow: text, files: [], inputs, priority, labels, requester, tenant };
  const needs = await needStatements(deps.store, runId, needsOf(workflow));
  const stepsTotal = countSteps(workflow.steps);
  const prepared = await prepareRun(deps, { runId, submission, body, stepsTotal, nowMs, needs }, null);
  return { ...prepared, workflow: { name: workflow.name, digest: workflow.digest } };
}

/** The version pinned when the parent was created; a file as the task brought it, whatever tools have written since. */
async function textOf(deps: ChildDeps, { parent, tenant, source }: ChildSource): Promise<string> {
  const { kind, value } = source;
  if (kind === "file") {
    const manifest = await deps.workspaces.load(parent.broughtFiles);
    const facts = Object.hasOwn(manifest.files, value) ? manifest.files[value] : undefined;
    if (facts === undefined)
      throw new HomeostatError("WORKFLOW_NOT_FOUND", `The task brought no file ${value}`, { file: value });
    const { sha256, sizeBytes } = facts;
    return (await deps.blobs.get({ subject: parent.id, sha256, sizeBytes })).toString();
  }
  const digest = parent.pins.workflows?.[value];
  const query = digest === undefined ? { name: value } : { name: value, digest };
  const found = await deps.workflows?.find(tenant, query);
  if (found !== undefined) return found.text;
  throw new HomeostatError("WORKFLOW_NOT_FOUND", `There is no registered workflow ${value}`, { name: value });
}

/** A workflow that came as a file brings the task's files along: those it names itself are among them. */
async function broughtFiles(deps: ChildDeps, { parent, source }: ChildRequest) {
  if (source.kind === "name") return { ref: null, files: {} };
  const ref = parent.broughtFiles;
  return { ref, files: (await deps.workspaces.load(ref)).files };
}
