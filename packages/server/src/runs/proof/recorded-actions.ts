/** Reads from the journals what policy was asked in the past, so that another policy can be asked the same. */
import { isHomeostatError } from "../../base/error.ts";
import { approvalFromStore } from "../../gate/approvals.ts";
import type { ArgumentOrigin } from "../../policy/rules/argument-origin.ts";
import type { Decision } from "../../policy/rules/decision.ts";
import type { Asked, RecordedAction } from "../../policy/rules/recorded-action.ts";
import type { RunEvent } from "../journal/event.ts";
import { fold, initialState } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { emptyHead, readJournal } from "../journal/journal.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";
import { historyOf } from "../actions/trace-step.ts";

export interface RecordedRun {
  readonly runId: string;
  /** Empty when `erased`. */
  readonly actions: readonly RecordedAction[];
  /** Its bodies were deleted, so nobody can say any more what was asked. */
  readonly isErased: boolean;
}

export interface RecordedQuery {
  readonly tenant: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

/** How many runs `readRecordedRuns` will give. */
export async function countRecordedRuns(
  { store }: Pick<RunReaderDeps, "store">,
  { tenant, sinceMs }: RecordedQuery,
): Promise<number> {
  const sql = `SELECT COUNT(DISTINCT run_id) AS count FROM journal WHERE tenant = ? AND at_ms >= ? AND kind IN ${askingKinds}`;
  return Number((await store.read(sql, [tenant, sinceMs]))[0]?.["count"] ?? 0);
}

/** Oldest first. An action that was asked about, then done, or tried again with the same arguments, comes once. */
export async function* readRecordedRuns(
  deps: RunReaderDeps,
  { tenant, sinceMs }: RecordedQuery,
): AsyncGenerator<RecordedRun> {
  const sql = `SELECT DISTINCT run_id FROM journal WHERE tenant = ? AND at_ms >= ? AND kind IN ${askingKinds} ORDER BY run_id`;
  for await (const row of deps.store.scan(sql, [tenant, sinceMs])) {
    const runId = String(row["run_id"]);
    try {
      yield { runId, actions: await readRun(deps, { runId, tenant, sinceMs }), isErased: false };
    } catch (error) {
      if (!isHomeostatError(error, "BLOB_ERASED")) throw error;
      yield { runId, actions: [], isErased: true };
    }
  }
}

const askingKinds = "('action.intended', 'action.denied', 'approval.requested')";

async function readRun(
  deps: RunReaderDeps,
  { runId, tenant, sinceMs }: RecordedQuery & { readonly runId: string },
): Promise<readonly RecordedAction[]> {
  const actions: RecordedAction[] = [];
  const seen = new Set<string>();
  let state = initialState(runId, emptyHead(runId).digest);
  for await (const event of readJournal(deps.store, deps.readBlobText, runId)) {
    if (event.atMs >= sinceMs) {
      const found = await askedIn(event, state, { deps, tenant });
      if (found !== undefined && !seen.has(found.key)) {
        seen.add(found.key);
        actions.push(found.action);
      }
    }
    state = fold(state, event);
  }
  return actions;
}

interface Question {
  readonly action: string;
  readonly resource: string;
  readonly args: RecordedAction["request"]["args"];
  readonly labels: RecordedAction["request"]["labels"];
  readonly decision: Decision | null;
  readonly effect: Decision["effect"];
  readonly asked: Asked | undefined;
  /** The same for the same arguments of the same step. */
  readonly key: string;
}

async function askedIn(
  event: RunEvent,
  state: RunState,
  place: { readonly deps: RunReaderDeps; readonly tenant: string },
): Promise<{ readonly key: string; readonly action: RecordedAction } | undefined> {
  const question = await questionIn(event, place.deps);
  if (question === undefined) return undefined;
  const { action, resource, args, labels, asked, decision, effect } = question;
  const request: RecordedAction["request"] = {
    action,
    args,
    labels,
    tenant: place.tenant,
    agent: asked?.agent ?? `workflow:${state.workflow.name}`,
    role: asked?.role ?? "",
    user: asked?.user ?? `user:${state.requester}`,
    atMs: asked?.atMs ?? event.atMs,
    ...flowOf(asked, decision?.origins ?? [], state),
    ...transformedIn(decision),
  };
  return {
    key: question.key,
    action: {
      runId: event.runId,
      step: "step" in event.body ? event.body.step : "",
      seq: event.seq,
      atMs: event.atMs,
      request,
      resources: [resource, ...(asked?.otherResources ?? [])],
      recorded: {
        effect,
        revision: decision?.revision ?? "",
        rules: decision?.matched.map(({ name }) => name) ?? [],
      },
      isComplete: asked !== undefined,
    },
  };
}

/** What was seen to when it was decided is seen to still. */
function transformedIn(decision: Decision | null): Pick<RecordedAction["request"], "transformed"> {
  const changes = decision?.transformed?.changes;
  return changes === undefined ? {} : { transformed: changes.map(({ path }) => path) };
}

/** The past of the run is not kept with each action: the journal before it is that past. */
function flowOf(
  asked: Asked | undefined,
  origins: readonly ArgumentOrigin[],
  state: RunState,
): Pick<RecordedAction["request"], "flow" | "risks"> {
  const { flow, risks } = asked ?? {};
  return {
    ...(flow == null ? {} : { flow: { ...flow, arguments: origins, history: historyOf(state) } }),
    ...(risks == null ? {} : { risks }),
  };
}

async function questionIn({ body, seq }: RunEvent, deps: RunReaderDeps): Promise<Question | undefined> {
  if (body.kind === "action.intended") {
    const { tool: action, resource, args, labels, decision, asked, argsDigest } = body.intent;
    return {
      action,
      resource,
      args,
      labels,
      decision,
      effect: decision.effect,
      asked,
      key: `${body.step} ${argsDigest}`,
    };
  }
  if (body.kind === "action.denied") {
    // What never came as far as policy (an unknown tool, wrong arguments) no policy can change.
    if (body.decision === null || body.error.code !== "ACTION_DENIED") return undefined;
    const { tool: action, resource, decision, args = {}, labels = [], asked } = body;
    return {
      action,
      resource,
      args,
      labels,
      decision,
      effect: "deny",
      asked,
      key: `${body.step} denied ${seq}`,
    };
  }
  if (body.kind !== "approval.requested" || body.about !== "action") return undefined;
  const [row] = await deps.store.read("SELECT * FROM approvals WHERE id = ?", [body.approvalId]);
  if (row === undefined) return undefined;
  const { action, resource, args, labels } = approvalFromStore(row);
  const { decision = null, asked, argsDigest } = body;
  return {
    action: action ?? "",
    resource: resource ?? "",
    args,
    labels,
    decision,
    effect: "ask",
    asked,
    key: `${body.step} ${argsDigest}`,
  };
}
