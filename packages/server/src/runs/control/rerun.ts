/** Re-run and fork: a new run that begins with what another has on record, and never repeats an effect unsaid. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import { suggestName } from "../../base/nearest.ts";
import type { BlobRef } from "../../blobs/blob.ts";
import { needStatements } from "../../queue/worker-registry.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { isEnded } from "../../queue/task.ts";
import { countSteps } from "../../workflows/workflow.ts";
import { requireRun } from "./control.ts";
import type { EventBody, RunOrigin } from "../journal/event.ts";
import { inheritedAgain } from "../actions/inherited-flow.ts";
import { fold, initialState } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { emptyHead, readJournal } from "../journal/journal.ts";
import type { ReadBlobText } from "../journal/journal.ts";
import { needsOf } from "../submission/needs.ts";
import { pinsOf } from "../submission/pins.ts";
import { planCarried, planRepeats, pointOf } from "./plan-rerun.ts";
import type { CarriedBody, PointInRun, Proof, RepeatedEffect } from "./plan-rerun.ts";
import { requireStepArguments } from "./require-step-arguments.ts";
import { isDone } from "../journal/step-record.ts";
import { createRun, refuseSecrets, requireInputs, requireRunnable } from "../submission/submit.ts";
import type { SubmitDeps } from "../submission/submit.ts";

export interface RerunDeps extends SubmitDeps {
  readonly readBlobText: ReadBlobText;
}

export interface RerunRequest {
  readonly runId: string;
  readonly tenant: string;
  readonly by: string;
  readonly kind: RunOrigin["kind"];
  /** For a re-run: the first step to be done again; null: all of them. */
  readonly fromStep: string | null;
  /** For a fork: the last event that counts; null: all of them. */
  readonly seq: number | null;
  /** Members that replace the source's. */
  readonly inputs: JsonObject;
  readonly stepArguments: Readonly<Record<string, JsonObject>>;
  /** Somebody has seen which effects are repeated. */
  readonly isConfirmed: boolean;
  /** Only says what would happen. */
  readonly isDryRun: boolean;
  readonly dedupKey?: string;
}

export interface RerunAnswer {
  /** Null for a dry run. */
  readonly run: RunRow | null;
  readonly seq: number;
  readonly carried: readonly CarriedBody[];
  readonly repeats: readonly RepeatedEffect[];
}

/** All of them are written in one batch with the new run. */
const mostCarried = 20_000;

/**
 * Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT (a re-run of a run that still goes on), REQUEST_INVALID (no such step or event),
 * RUN_REPEATS_EFFECTS (unsafe ones, not confirmed), WORKFLOW_INVALID, INPUTS_INVALID, BLOB_ERASED.
 */
export async function rerunRun(deps: RerunDeps, request: RerunRequest): Promise<RerunAnswer> {
  const row = await requireRun(deps.store, request.tenant, request.runId);
  if (request.kind === "rerun" && !isEnded(row.state)) {
    throw new HomeostatError(
      "RUN_STATE_CONFLICT",
      `Cannot rerun ${row.id}: it is ${row.state}`,
      { run: row.id, state: row.state },
      { hint: "Cancel it first, or fork it: then both go on." },
    );
  }
  const seq = await pointWanted(deps, row, request);
  const { at, final } = await readPoint(deps, row.id, seq);
  requirePoint(at, final);
  const carried = planCarried(row.id, at, final);
  if (carried.length > mostCarried) {
    const text = `${carried.length} steps would be carried over; at most ${mostCarried} can be`;
    throw new HomeostatError("REQUEST_INVALID", text, { run: row.id });
  }
  const repeats = planRepeats(carried, final);
  const answer = { run: null, seq: at.seq, carried, repeats };
  if (request.isDryRun) return answer;
  requireConfirmed(request, repeats);
  return { ...answer, run: await create(deps, request, { row, at, final, carried }) };
}

async function pointWanted(deps: RerunDeps, row: RunRow, request: RerunRequest): Promise<number> {
  if (request.kind === "fork") {
    const seq = request.seq ?? row.headSeq;
    if (seq >= 1 && seq <= row.headSeq) return seq;
    throw new HomeostatError("REQUEST_INVALID", `${row.id} has events 1 to ${row.headSeq}, not ${seq}`, {
      seq,
    });
  }
  const { fromStep } = request;
  if (fromStep === null) return 1;
  const [first] = await deps.store.read("SELECT MIN(seq) AS seq FROM journal WHERE run_id = ? AND step = ?", [
    row.id,
    fromStep,
  ]);
  const seq = first?.["seq"] as number | null | undefined;
  // Event 1 creates the run; a step's first event comes after it.
  if (seq !== null && seq !== undefined) return seq - 1;
  const begun = await deps.store.read(
    "SELECT DISTINCT step FROM journal WHERE run_id = ? AND step IS NOT NULL ORDER BY step LIMIT 1000",
    [row.id],
  );
  const names = begun.map((each) => each["step"] as string);
  throw new HomeostatError(
    "REQUEST_INVALID",
    `${row.id} never came to a step ${fromStep.slice(0, 200)}`,
    { fromStep },
    { hint: suggestName(fromStep, names), place: { path: "body.fromStep" } },
  );
}

/** One pass over the journal: the run at `seq`, and as it is now. */
async function readPoint(
  deps: RerunDeps,
  runId: string,
  seq: number,
): Promise<{ readonly at: PointInRun; readonly final: RunState }> {
  let state = initialState(runId, emptyHead(runId).digest);
  let at: PointInRun | undefined;
  const proofs = new Map<string, Proof>();
  for await (const event of readJournal(deps.store, deps.readBlobText, runId)) {
    const step = "step" in event.body ? event.body.step : null;
    const before = step === null ? undefined : state.steps.get(step);
    state = fold(state, event);
    const after = step === null ? undefined : state.steps.get(step);
    const opens = event.body.kind === "step.started" || event.body.kind === "step.carried";
    const ends = after !== undefined && isDone(after) && (before === undefined || !isDone(before));
    if (step !== null && (opens || ends)) proofs.set(step, { seq: event.seq, digest: event.digest });
    if (event.seq === seq) at = pointOf(state, proofs);
  }
  if (at === undefined)
    throw new HomeostatError("RUN_NOT_FOUND", `${runId} has no event ${seq}`, { run: runId });
  return { at, final: state };
}

function requirePoint(at: PointInRun, final: RunState): void {
  if (at.unwinding === null) return;
  throw new HomeostatError(
    "REQUEST_INVALID",
    `After event ${at.seq} ${final.id} was undoing what it had done: nobody can go on from there`,
    { seq: at.seq },
    { hint: "Choose an event before `run.unwinding`, or re-run from a step." },
  );
}

function requireConfirmed(request: RerunRequest, repeats: readonly RepeatedEffect[]): void {
  const unsafe = repeats.filter(({ effect }) => effect === "unsafe");
  if (unsafe.length === 0 || request.isConfirmed) return;
  const first = unsafe[0]!;
  const more = unsafe.length > 1 ? ` and ${unsafe.length - 1} more` : "";
  throw new HomeostatError(
    "RUN_REPEATS_EFFECTS",
    `The new run would do again what cannot be taken back: ${first.step} (${first.summary})${more}`,
    { run: request.runId },
    {
      details: unsafe.slice(0, 50).map(({ step, tool, summary, outcome }) => ({
        path: step,
        detail: `${tool}: ${summary} (${outcome} in ${request.runId})`,
      })),
    },
  );
}

interface Source {
  readonly row: RunRow;
  readonly at: PointInRun;
  readonly final: RunState;
  readonly carried: readonly CarriedBody[];
}

async function create(deps: RerunDeps, request: RerunRequest, source: Source): Promise<RunRow> {
  const { row, at, final, carried } = source;
  const { tenant, by, kind, stepArguments } = request;
  const workflow = requireRunnable(deps, final.workflow.text);
  const inputs = requireInputs(workflow, { ...at.inputs, ...request.inputs });
  refuseSecrets(deps, final.workflow.text, inputs);
  refuseSecrets(deps, final.workflow.text, stepArguments);
  requireStepArguments(workflow, stepArguments, new Set(carried.map(({ step }) => step)));
  const brought = Object.keys((await deps.workspaces.load(final.broughtFiles)).files);
  const files = brought.map((path) => ({ path }));
  const pins = await pinsOf(deps, workflow, { tenant, files });
  const nowMs = deps.clock.now();
  const runId = createId("run", nowMs);
  const copy = async (ref: BlobRef | null): Promise<BlobRef | null> =>
    ref === null ? null : await deps.workspaces.copy(ref, runId);
  const { priority, labels, maxAttempts } = final;
  const body: EventBody = {
    kind: "run.created",
    workflow: { name: workflow.name, digest: workflow.digest, text: final.workflow.text },
    inputs,
    requester: by,
    priority,
    labels,
    maxAttempts,
    parent: row.id,
    pins,
    workspace: await copy(at.workspace),
    brought: await copy(final.broughtFiles),
    origin: { kind, run: row.id, seq: at.seq },
    ...(Object.keys(stepArguments).length === 0 ? {} : { stepArguments }),
    ...(final.inherited === null
      ? {}
      : { inherited: inheritedAgain(final.inherited, at.inputs, request.inputs) }),
  };
  const needs = await needStatements(deps.store, runId, needsOf(workflow));
  const dedup = request.dedupKey === undefined ? {} : { dedupKey: request.dedupKey };
  const submission = { workflow: final.workflow.text, files: [], inputs, priority, labels, ...dedup };
  return await createRun(deps, {
    runId,
    submission: { ...submission, requester: by, tenant },
    body,
    carried,
    stepsTotal: countSteps(workflow.steps),
    nowMs,
    needs,
  });
}
