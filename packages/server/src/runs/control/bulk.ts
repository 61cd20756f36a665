/** One command for many runs: chosen by id or by what they are, each with a result of its own. */
import { HomeostatError, errorMessage, isHomeostatError } from "../../base/error.ts";
import { listRuns } from "../../queue/list-runs.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { isEnded } from "../../queue/task.ts";
import type { TaskState } from "../../queue/task.ts";
import { commandRun, refuseSecretReason, requireRun, requireSense } from "./control.ts";
import type { ControlDeps, RunCommand } from "./control.ts";
import { rerunRun } from "./rerun.ts";
import type { RerunDeps } from "./rerun.ts";
import { olderRunKey, runKey } from "../session/run-key.ts";
import type { Store } from "../../store/store.ts";

export type BulkDeps = RerunDeps & Pick<ControlDeps, "foldUnheld">;

export type BulkAction = RunCommand | "rerun";

export interface BulkFilter {
  /** Empty: those the action makes sense for. */
  readonly states: readonly TaskState[];
  readonly workflow: string | null;
  readonly label: string | null;
  /** Only runs created before this time. */
  readonly createdBeforeMs: number | null;
  /** Only runs older than this (time, id): where an answer before ended. */
  readonly before: RunPoint | null;
}

/** Of the order that runs are listed in: when it was created, and its id. */
export type RunPoint = readonly [number, string];

export interface BulkRequest {
  readonly tenant: string;
  readonly by: string;
  readonly action: BulkAction;
  readonly select:
    | { readonly kind: "ids"; readonly ids: readonly string[] }
    | { readonly kind: "filter"; readonly filter: BulkFilter };
  readonly reason: string | null;
  /** For `rerun`: effects that cannot be taken back may be repeated. */
  readonly isConfirmed: boolean;
  readonly isDryRun: boolean;
  /** The same command again, for a caller who heard no answer, makes no second run of any. Null: it is never said again. */
  readonly key: string | null;
  /** The caller hears no answer any more: what is not begun is left. */
  readonly signal: AbortSignal;
  /** At most so many runs, 1 to `mostAtOnce`. */
  readonly limit: number;
}

export interface BulkResult {
  readonly id: string;
  readonly ok: boolean;
  /** The new run of a re-run. */
  readonly newRunId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface BulkAnswer {
  readonly results: readonly BulkResult[];
  /** True when more runs match than the limit lets through. */
  readonly hasMore: boolean;
  /** Where to go on: a run that was made again matches as before. Null at the end and for runs named by id. */
  readonly before: RunPoint | null;
}

/** Each is a durable write of its own; a thousand take seconds. */
export const mostAtOnce = 1_000;

/**
 * What went wrong with a single run is in its result, not thrown. Runs are dealt with oldest first. Throws REQUEST_INVALID for a
 * secret in the reason, before any run is touched.
 */
export async function bulk(deps: BulkDeps, request: BulkRequest): Promise<BulkAnswer> {
  refuseSecretReason(deps.holdsSecret, request.reason);
  const { ids, ...rest } = await choose(deps, request);
  const results: BulkResult[] = [];
  for (const id of ids) {
    request.signal.throwIfAborted();
    results.push(await attempt(deps, request, id));
  }
  return { results, ...rest };
}

async function attempt(deps: BulkDeps, request: BulkRequest, id: string): Promise<BulkResult> {
  try {
    return { id, ok: true, newRunId: await act(deps, request, id), error: null };
  } catch (error) {
    const code = isHomeostatError(error) ? error.code : "INTERNAL";
    return { id, ok: false, newRunId: null, error: { code, message: errorMessage(error) } };
  }
}

async function act(deps: BulkDeps, request: BulkRequest, runId: string): Promise<string | null> {
  const { tenant, by, action, reason, isConfirmed, isDryRun, key } = request;
  if (action !== "rerun") {
    if (isDryRun) await requireSense(deps.store, await requireRun(deps.store, tenant, runId), action);
    else await commandRun(deps, { tenant, runId, command: action, by, reason });
    return null;
  }
  const whole = { fromStep: null, seq: null, inputs: {}, stepArguments: {} };
  const dry = await rerunRun(deps, {
    runId,
    tenant,
    by,
    kind: "rerun",
    ...whole,
    isConfirmed,
    isDryRun: true,
  });
  const unsafe = dry.repeats.find(({ effect }) => effect === "unsafe");
  // Also a dry run says which runs want a word first.
  if (unsafe !== undefined && !isConfirmed) {
    const text = `The new run would do again what cannot be taken back: ${unsafe.step} (${unsafe.summary})`;
    throw new HomeostatError("RUN_REPEATS_EFFECTS", text, { run: runId });
  }
  if (isDryRun) return null;
  const dedup = key === null ? {} : { dedupKey: `bulk/${key}/${runId}` };
  const wanted = { runId, tenant, by, kind: "rerun", ...whole, isConfirmed, isDryRun, ...dedup } as const;
  const { run } = await rerunRun(deps, wanted);
  return run?.id ?? null;
}

async function choose(
  deps: BulkDeps,
  { tenant, action, select, limit, by, key }: BulkRequest,
): Promise<Pick<BulkAnswer, "hasMore" | "before"> & { readonly ids: readonly string[] }> {
  if (select.kind === "ids") {
    const ids = [...new Set(select.ids)];
    return { ids: ids.slice(0, limit), hasMore: ids.length > limit, before: null };
  }
  const { filter } = select;
  const found: RunPoint[] = [];
  let { before } = filter;
  // Labels and pauses are no columns: pages are read until enough runs fit.
  while (found.length <= limit) {
    const states = filter.states.length > 0 ? filter.states : sensibleStates[action];
    const page: readonly RunRow[] = await listRuns(deps.store, {
      ...{ tenant, states, workflow: filter.workflow, before: before?.[1] ?? null },
      limit: pageSize,
    });
    const own =
      key === null
        ? new Set()
        : await madeBefore(deps.store, page, { tenant, requester: by, key: `bulk/${key}/` });
    for (const row of page)
      if (!own.has(row.id) && fits(row, filter, action)) found.push([row.createdAtMs, row.id]);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    before = [last.createdAtMs, last.id];
  }
  const chosen = found.slice(0, limit);
  const hasMore = found.length > limit;
  return { ids: chosen.map(([, id]) => id).reverse(), hasMore, before: hasMore ? chosen.at(-1)! : null };
}

/** Runs that the same command made when it was given before: they may have failed meanwhile, and are not what was meant. */
async function madeBefore(
  store: Pick<Store, "read">,
  page: readonly RunRow[],
  { key, ...owner }: { readonly tenant: string; readonly requester: string; readonly key: string },
): Promise<ReadonlySet<unknown>> {
  if (page.length === 0) return new Set();
  const now = runKey(owner, key);
  const older = olderRunKey(owner, key) ?? now;
  const begins = (text: string): string => `substr(dedup_key, 1, ${text.length}) = ?`;
  const rows = await store.read(
    `SELECT id FROM runs WHERE (${begins(now)} OR ${begins(older)}) AND id IN (${page.map(() => "?").join(", ")})`,
    [now, older, ...page.map(({ id }) => id)],
  );
  return new Set(rows.map((row) => row["id"]));
}

const pageSize = 500;

const goingOn: readonly TaskState[] = ["PENDING", "QUEUED", "RUNNING", "RETRYING", "WAITING"];

const sensibleStates: Readonly<Record<BulkAction, readonly TaskState[]>> = {
  cancel: goingOn,
  pause: goingOn,
  resume: ["WAITING"],
  retry: ["DEAD"],
  discard: ["DEAD"],
  rerun: ["FAILED", "DEAD", "CANCELLED"],
};

function fits(row: RunRow, filter: BulkFilter, action: BulkAction): boolean {
  if (filter.label !== null && !row.labels.includes(filter.label)) return false;
  if (filter.createdBeforeMs !== null && row.createdAtMs >= filter.createdBeforeMs) return false;
  const isPaused = row.waiting?.kind === "pause";
  if (action === "resume") return isPaused;
  if (action === "pause") return !isPaused && !isEnded(row.state);
  return true;
}
