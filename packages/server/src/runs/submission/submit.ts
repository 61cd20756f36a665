/** Takes a task in: everything is checked first, then the run exists durably with its first event, or not at all. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { formatFinding, toErrorDetail } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import { createId, createSalt } from "../../base/id.ts";
import { suggestName } from "../../base/nearest.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import { findRunByKey, takeRunKey } from "../../queue/deduplicate.ts";
import { insertRun, runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import type { Priority } from "../../queue/task.ts";
import { needStatements } from "../../queue/worker-registry.ts";
import { outboxInsert } from "../../store/outbox.ts";
import type { Statement, Store } from "../../store/store.ts";
import { countSteps, requiredTools } from "../../workflows/workflow.ts";
import type { Workflow } from "../../workflows/workflow.ts";
import type { FindWorkflow } from "../../workflows/registry.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { checkInputs } from "../../workflows/workflow-inputs.ts";
import type { AnyTool } from "../../tools/tool.ts";
import type { EventBody, Inherited, RunEvent, ScheduleOrigin } from "../journal/event.ts";
import { findWrongArguments } from "./find-wrong-arguments.ts";
import { findWrongTimes } from "./find-wrong-times.ts";
import { fold, initialState } from "../journal/fold.ts";
import { buildRows, emptyHead, insertRow } from "../journal/journal.ts";
import { needsOf } from "./needs.ts";
import { pinsOf } from "./pins.ts";
import { projectRow } from "../journal/project.ts";
import { eventOf, ledgerEntryOf, outboxKey, placeBody } from "../session/session.ts";
import type { WorkspaceFile, Workspaces } from "../workspace/workspace.ts";
import { olderRunKey, runKey } from "../session/run-key.ts";

export interface SubmitDeps {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  /** Action name -> digest of its argument schema. */
  readonly toolDigests: ReadonlyMap<string, string>;
  /** The same tools with their schemas: what a step gives them is checked before the task is taken. */
  readonly tools: ReadonlyMap<string, Pick<AnyTool, "args" | "stepKind">>;
  /** Where a secret stands in a text, if one does; inputs and workflow texts are journalled, so they may hold none. */
  readonly holdsSecret: (text: string) => boolean;
  readonly announce: (events: readonly RunEvent[], row: RunRow) => void;
  readonly defaultMaxAttempts: number;
  /** Registered workflows, for steps that run one by name. Absent: there are none. */
  readonly workflows?: FindWorkflow;
  /** Of this program, for the pins of runs. Absent: not told. */
  readonly version?: string;
}

export interface Submission {
  readonly workflow: string;
  readonly files: readonly WorkspaceFile[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly priority: Priority;
  readonly labels: readonly string[];
  readonly maxAttempts?: number;
  readonly requester: string;
  readonly tenant: string;
  /** The same key of the same requester gives the same run, also across a crash between answer and record. */
  readonly dedupKey?: string;
  /** A webhook makes it: keys of events are no keys of the person on whose behalf it runs. */
  readonly isFromHook?: boolean;
  /** Within the window the same key of anybody in the tenant gives the same run. */
  readonly deduplication?: { readonly key: string; readonly windowMs: number };
  /** Wall time before which nothing begins. */
  readonly notBeforeMs?: number;
  readonly schedule?: ScheduleOrigin;
  /** Where inputs came from that are not the requester's own. */
  readonly inherited?: Inherited;
}

export interface Submitted {
  readonly row: RunRow;
  /** False when the key stood for a run that is there already. */
  readonly isNew: boolean;
}

/** As `submitOnce`, for callers who do not care whether the run is new. */
export async function submitTask(deps: SubmitDeps, submission: Submission): Promise<RunRow> {
  return (await submitOnce(deps, submission)).row;
}

/** Throws WORKFLOW_INVALID, INPUTS_INVALID, REQUEST_INVALID (files, secrets); nothing is kept then. */
export async function submitOnce(deps: SubmitDeps, submission: Submission): Promise<Submitted> {
  const workflow = requireRunnable(deps, submission.workflow);
  const inputs = requireInputs(workflow, submission.inputs);
  refuseSecrets(deps, submission.workflow, inputs);
  refuseSecretNames(deps, submission);
  requireFilePaths(submission.files);
  const pins = await pinsOf(deps, workflow, submission);
  const nowMs = deps.clock.now();
  const runId = createId("run", nowMs);
  const seeded = submission.files.length > 0 ? await deps.workspaces.seed(runId, submission.files) : null;
  const body: EventBody = {
    kind: "run.created",
    workflow: { name: workflow.name, digest: workflow.digest, text: submission.workflow },
    inputs,
    requester: submission.requester,
    priority: submission.priority,
    labels: submission.labels,
    maxAttempts: submission.maxAttempts ?? deps.defaultMaxAttempts,
    parent: null,
    pins,
    workspace: seeded?.ref ?? null,
    ...(submission.notBeforeMs === undefined ? {} : { notBeforeMs: submission.notBeforeMs }),
    ...(submission.schedule === undefined ? {} : { schedule: submission.schedule }),
    ...(submission.inherited === undefined ? {} : { inherited: submission.inherited }),
  };
  const needs = await needStatements(deps.store, runId, needsOf(workflow));
  const stepsTotal = countSteps(workflow.steps);
  return await createOnce(deps, { runId, submission, body, stepsTotal, nowMs, needs });
}

export interface Creation {
  /** Statements that say what the run needs of its worker. */
  readonly needs: readonly Statement[];
  readonly runId: string;
  readonly submission: Submission;
  readonly body: EventBody;
  /** What is on record from the start besides: steps carried over from another run. */
  readonly carried?: readonly EventBody[];
  readonly stepsTotal: number;
  readonly nowMs: number;
}

/** A run as the statements that create it, for one batch with whatever it follows from. */
export interface PreparedRun {
  readonly row: RunRow;
  readonly event: RunEvent;
  /** `event` and what is carried over. */
  readonly events: readonly RunEvent[];
  readonly statements: readonly Statement[];
}

type CreationDeps = Pick<SubmitDeps, "blobs">;

/** `dedupKey` fails the batch when it is taken. */
export async function prepareRun(
  deps: CreationDeps,
  creation: Creation,
  dedupKey: string | null,
): Promise<PreparedRun> {
  const { runId, submission, body, nowMs } = creation;
  const { tenant } = submission;
  const actor = { kind: "user", id: submission.requester } as const;
  const envelope = { runId, tenant, actor, labels: submission.labels, epoch: 0, atMs: nowMs };
  const bodies = [body, ...(creation.carried ?? [])];
  const built = buildRows(emptyHead(runId), envelope, bodies, createSalt);
  const rows = await Promise.all(built.rows.map((row) => placeBody(row, deps.blobs)));
  const events = bodies.map((each, index) => eventOf(built.rows[index]!, each));
  const state = events.reduce(fold, initialState(runId, emptyHead(runId).digest));
  const projection = { tenant, stepsTotal: creation.stepsTotal, letting: null, nowMs, leaseUntilMs: nowMs };
  const runRow = projectRow(state, projection);
  const statements = [
    insertRun(runRow, dedupKey),
    ...creation.needs,
    ...rows.map(insertRow),
    ...rows.map((row) => outboxInsert(outboxKey(runId, row.seq), ledgerEntryOf(row))),
  ];
  return { row: runRow, event: events[0]!, events, statements };
}

/** Writes it and tells whoever watches; a taken key gives the run that has it. */
export async function createRun(deps: SubmitDeps, creation: Creation): Promise<RunRow> {
  return (await createOnce(deps, creation)).row;
}

async function createOnce(deps: SubmitDeps, creation: Creation): Promise<Submitted> {
  const { submission, runId, nowMs } = creation;
  const { deduplication, tenant } = submission;
  const { dedupKey: given } = submission;
  const dedupKey = given === undefined ? null : runKey(submission, given);
  const older = given === undefined ? undefined : olderRunKey(submission, given);
  const made = older === undefined ? undefined : await findByKey(deps, tenant, older);
  if (made !== undefined) return { row: made, isNew: false };
  const prepared = await prepareRun(deps, creation, dedupKey);
  try {
    const key = deduplication === undefined ? [] : takeRunKey({ ...deduplication, tenant, runId, nowMs });
    await deps.store.write([...key, ...prepared.statements]);
  } catch (error) {
    const existing = isHomeostatError(error, "STORE_CONFLICT")
      ? await findExisting(deps, { ...submission, dedupKey, nowMs })
      : undefined;
    if (existing !== undefined) return { row: existing, isNew: false };
    throw error;
  }
  deps.announce(prepared.events, prepared.row);
  return { row: prepared.row, isNew: true };
}

async function findByKey(
  { store }: Pick<SubmitDeps, "store">,
  tenant: string,
  key: string | null,
): Promise<RunRow | undefined> {
  const [row] = await store.read("SELECT * FROM runs WHERE dedup_key = ? AND tenant = ?", [key, tenant]);
  return row && runFromStore(row);
}

async function findExisting(
  deps: Pick<SubmitDeps, "store">,
  wanted: Pick<Submission, "tenant" | "deduplication"> & {
    readonly dedupKey: string | null;
    readonly nowMs: number;
  },
): Promise<RunRow | undefined> {
  const { tenant, deduplication, dedupKey, nowMs } = wanted;
  const runId = deduplication && (await findRunByKey(deps.store, { tenant, key: deduplication.key, nowMs }));
  if (runId === undefined) return await findByKey(deps, tenant, dedupKey);
  const [row] = await deps.store.read("SELECT * FROM runs WHERE id = ?", [runId]);
  return row && runFromStore(row);
}

/** The parsed workflow, all its tools known and their arguments taken. Throws WORKFLOW_INVALID with every finding. */
export function requireRunnable(deps: Pick<SubmitDeps, "tools">, text: string): Workflow {
  const workflow = requireWorkflow(text);
  const findings = [
    ...findUnknownTools(workflow, deps.tools),
    ...findWrongArguments(workflow, text, deps.tools),
    ...findWrongTimes(workflow),
  ];
  const [first] = findings;
  if (first === undefined) return workflow;
  throw new HomeostatError(
    "WORKFLOW_INVALID",
    `The workflow is not valid: ${formatFinding(first)}`,
    {},
    { details: findings.map(toErrorDetail) },
  );
}

/** Findings, with places, for actions that this server has no tool for, or that a `tool` step cannot name. */
export function findUnknownTools(
  workflow: Workflow,
  tools: ReadonlyMap<string, Pick<AnyTool, "stepKind">>,
): readonly Finding[] {
  const known = [...tools].flatMap(([name, { stepKind }]) => (stepKind === undefined ? [name] : []));
  return requiredTools(workflow)
    .filter(({ action }) => !known.includes(action))
    .map(({ action, line, column, path }) => {
      const kind = tools.get(action)?.stepKind;
      const hint = kind === undefined ? suggestName(action, known) : `write a step with \`${kind}: NAME\``;
      const message = `there is no tool \`${action.slice(0, 80)}\``;
      return { severity: "error", line, column, path, message, ...(hint === undefined ? {} : { hint }) };
    });
}

/** Throws INPUTS_INVALID with every finding. */
export function requireInputs(workflow: Workflow, given: Submission["inputs"]): JsonObject {
  const checked = checkInputs(workflow, given);
  if (checked.ok) return checked.values;
  const [first] = checked.findings;
  throw new HomeostatError(
    "INPUTS_INVALID",
    `The inputs of ${workflow.name} are wrong: ${first?.message ?? ""}`,
    { workflow: workflow.name },
    { details: checked.findings.map(toErrorDetail) },
  );
}

/** Inputs and workflow texts go into the journal as they are; a secret in them would be kept for ever. */
export function refuseSecrets(deps: Pick<SubmitDeps, "holdsSecret">, text: string, inputs: JsonObject): void {
  const line = text.split("\n").findIndex((each) => deps.holdsSecret(each)) + 1;
  const inputName = Object.keys(inputs).find((name) => deps.holdsSecret(asText(inputs[name] ?? null)));
  if (line === 0 && inputName === undefined) return;
  const where = inputName === undefined ? `Line ${line} of the workflow` : `The input ${inputName}`;
  throw new HomeostatError(
    "REQUEST_INVALID",
    `${where} holds what looks like a secret (a key, token or password)`,
    {},
    {
      hint: "Everything submitted is kept in the journal. Put the secret where the program can read it, such as a file of a named root.",
      ...(inputName === undefined ? { place: { line } } : { place: { path: `inputs.${inputName}` } }),
    },
  );
}

/** Labels stand in the ledger, where nothing can be erased, and names of files in lists that everybody sees. */
export function refuseSecretNames(
  deps: Pick<SubmitDeps, "holdsSecret">,
  { labels, files = [] }: { readonly labels: readonly string[]; readonly files?: readonly WorkspaceFile[] },
): void {
  const label = labels.findIndex((each) => deps.holdsSecret(each));
  const file = files.findIndex(({ path }) => deps.holdsSecret(path));
  if (label < 0 && file < 0) return;
  const [what, path] =
    label < 0
      ? [`The path of file ${file + 1}`, `files[${file}].path`]
      : [`Label ${label + 1}`, `labels[${label}]`];
  throw new HomeostatError(
    "REQUEST_INVALID",
    `${what} holds what looks like a secret (a key, token or password)`,
    {},
    { hint: "Names are kept and shown for ever. Take the secret out of it.", place: { path } },
  );
}

function asText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const maxFiles = 10_000;
/** Far below Linux's PATH_MAX of 4096, which the data folder's own path counts towards. */
const maxPathBytes = 1024;
/** NAME_MAX of Linux's file systems: a run whose workspace cannot be made could neither start nor end. */
const maxNameBytes = 255;

function requireFilePaths(files: readonly WorkspaceFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/");
    const bad = path.includes("\0") || path.includes("\\") || parts.some(isBadPart);
    if (bad) throw badFile(path, "it must be relative, with / between plain names");
    if (Buffer.byteLength(path) > maxPathBytes || parts.some(isLongPart))
      throw badFile(path, `it may have ${maxPathBytes} bytes, and each name in it ${maxNameBytes}`);
    if (seen.has(path)) throw badFile(path, "it is given twice");
    seen.add(path);
  }
  for (const { path } of files) {
    const clash = parentsOf(path).find((parent) => seen.has(parent));
    if (clash !== undefined) throw badFile(path, `${clash} is given as a file too`);
  }
  if (files.length > maxFiles) throw badFile(files[maxFiles]!.path, `a task may bring ${maxFiles} files`);
}

function isBadPart(part: string): boolean {
  return part === "" || part === "." || part === "..";
}

function isLongPart(part: string): boolean {
  return Buffer.byteLength(part) > maxNameBytes;
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function badFile(path: string, why: string): HomeostatError {
  return new HomeostatError(
    "REQUEST_INVALID",
    `The file path ${JSON.stringify(path.slice(0, 200))} is refused: ${why}`,
    {
      path: path.slice(0, 200),
    },
  );
}
