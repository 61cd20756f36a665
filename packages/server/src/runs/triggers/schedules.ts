/** Schedules as people keep them: made, changed, paused, deleted, each change on record in the ledger. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import type { MissedPolicy, OverlapPolicy } from "../../queue/schedule.ts";
import {
  deleteSchedule,
  insertSchedule,
  replaceSchedule,
  scheduleFromStore,
  scheduleGuard,
} from "../../queue/schedule-row.ts";
import type { Schedule, ScheduleSource } from "../../queue/schedule-row.ts";
import { createTimes } from "../../queue/schedule-times.ts";
import type { Timing } from "../../queue/schedule-times.ts";
import type { Priority } from "../../queue/task.ts";
import { factInsert } from "../../store/fact.ts";
import type { Statement, Store } from "../../store/store.ts";
import type { FindWorkflow } from "../../workflows/registry.ts";
import { refuseSecretNames, refuseSecrets, requireInputs, requireRunnable } from "../submission/submit.ts";
import type { SubmitDeps } from "../submission/submit.ts";

export interface ScheduleDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly submit: SubmitDeps;
  readonly workflows: FindWorkflow;
}

/** Cron or interval without what only the server knows. */
export type WantedTiming =
  | { readonly kind: "cron"; readonly expression: string; readonly timezone: string }
  | { readonly kind: "interval"; readonly everyMs: number };

export interface ScheduleSettings {
  readonly timing: WantedTiming;
  readonly source: Exclude<ScheduleSource, { readonly kind: "trigger" }>;
  readonly inputs: JsonObject;
  readonly priority: Priority;
  readonly labels: readonly string[];
  readonly missed: MissedPolicy;
  readonly missedCap: number;
  readonly overlap: OverlapPolicy;
}

export interface Caller {
  readonly tenant: string;
  readonly by: string;
}

export const defaultMissedCap = 24;

/**
 * What could not be submitted is refused here already. Throws SCHEDULE_INVALID, SCHEDULE_CONFLICT (the name is taken), WORKFLOW_INVALID,
 * WORKFLOW_NOT_FOUND, INPUTS_INVALID, REQUEST_INVALID.
 */
export async function addSchedule(
  deps: ScheduleDeps,
  { tenant, by }: Caller,
  wanted: ScheduleSettings & { readonly name: string; readonly isPaused: boolean },
): Promise<Schedule> {
  const nowMs = deps.clock.now();
  const { name, isPaused, timing: _timing, ...settings } = wanted;
  const timing = anchored(wanted.timing, nowMs);
  const schedule: Schedule = {
    ...settings,
    id: createId("sch", nowMs),
    tenant,
    name,
    timing,
    workflowName: await checkedWorkflow(deps, tenant, wanted),
    isPaused,
    createdBy: by,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    nextAtMs: createTimes(timing, nowMs).after(nowMs),
    waitingAtMs: null,
    lastAtMs: null,
    lastRunId: null,
    lastError: null,
    passed: 0,
    revision: 1,
  };
  await write(deps, schedule, [
    insertSchedule(schedule),
    changeFact("created", schedule, { by, atMs: nowMs }),
  ]);
  return schedule;
}

export type ScheduleChange = Partial<ScheduleSettings> & { readonly isPaused?: boolean };

/**
 * A new timing, and the end of a pause, count from now: what was missed before is not made up for. Throws as `addSchedule`, and
 * SCHEDULE_NOT_FOUND, SCHEDULE_CONFLICT also for a schedule that belongs to a workflow's file and for a change by somebody else.
 * Who gives it another workflow or other inputs owns it from then on.
 */
export async function changeSchedule(
  deps: ScheduleDeps,
  { tenant, by }: Caller,
  { idOrName, change }: { readonly idOrName: string; readonly change: ScheduleChange },
): Promise<Schedule> {
  const before = await requireSchedule(deps.store, tenant, idOrName);
  const { isPaused = before.isPaused, timing: wantedTiming, ...settings } = change;
  const isOnlyPause = wantedTiming === undefined && Object.keys(settings).length === 0;
  if (before.source.kind === "trigger" && !isOnlyPause) throw belongsToFile(before);
  const nowMs = deps.clock.now();
  const timing = wantedTiming === undefined ? before.timing : anchored(wantedTiming, nowMs);
  const isAnew = wantedTiming !== undefined || (before.isPaused && !isPaused);
  const after: Schedule = {
    ...before,
    ...settings,
    timing,
    isPaused,
    // Its runs are those of whoever says what they do, with their role and limits.
    createdBy: change.source === undefined && change.inputs === undefined ? before.createdBy : by,
    updatedAtMs: nowMs,
    nextAtMs: isAnew ? createTimes(timing, nowMs).after(nowMs) : before.nextAtMs,
    revision: before.revision + 1,
  };
  const workflowName = isOnlyPause ? before.workflowName : await checkedWorkflow(deps, tenant, after);
  const verb = isOnlyPause ? (isPaused ? "paused" : "resumed") : "updated";
  const changed = { ...after, workflowName };
  await write(deps, changed, [replaceSchedule(changed), changeFact(verb, changed, { by, atMs: nowMs })]);
  return changed;
}

/** Throws SCHEDULE_NOT_FOUND, SCHEDULE_CONFLICT for one that belongs to a workflow's file. */
export async function removeSchedule(
  deps: ScheduleDeps,
  { tenant, by }: Caller,
  idOrName: string,
): Promise<void> {
  const schedule = await requireSchedule(deps.store, tenant, idOrName);
  if (schedule.source.kind === "trigger") throw belongsToFile(schedule);
  const fact = changeFact("deleted", schedule, { by, atMs: deps.clock.now() });
  await write(deps, schedule, [deleteSchedule(schedule), fact]);
}

/** Throws SCHEDULE_NOT_FOUND, also for one of another tenant. */
export async function requireSchedule(
  store: Pick<Store, "read">,
  tenant: string,
  idOrName: string,
): Promise<Schedule> {
  const [row] = await store.read("SELECT * FROM schedules WHERE tenant = ? AND (id = ? OR name = ?)", [
    tenant,
    idOrName,
    idOrName,
  ]);
  if (row !== undefined) return scheduleFromStore(row);
  throw new HomeostatError("SCHEDULE_NOT_FOUND", `There is no schedule ${idOrName}`, { schedule: idOrName });
}

/** By name, after `after`. */
export async function listSchedules(
  store: Pick<Store, "read">,
  query: { readonly tenant: string; readonly after: string | null; readonly limit: number },
): Promise<readonly Schedule[]> {
  const rows = await store.read(
    "SELECT * FROM schedules WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?",
    [query.tenant, query.after ?? "", query.limit],
  );
  return rows.map(scheduleFromStore);
}

/** The next times, as far as they are known now; none while it is paused. */
export function upcomingTimes(schedule: Schedule, nowMs: number, count: number): readonly number[] {
  if (schedule.isPaused) return [];
  const times = createTimes(schedule.timing, nowMs);
  const upcoming: number[] = [];
  let next = schedule.nextAtMs;
  while (next !== null && upcoming.length < count) {
    upcoming.push(next);
    next = times.after(Math.max(next, nowMs));
  }
  return upcoming;
}

/** An entry for the ledger about a schedule; what it runs is in the run's own journal. */
export function changeFact(
  verb: "created" | "updated" | "paused" | "resumed" | "deleted" | "triggered" | "passed" | "failed",
  schedule: Pick<Schedule, "id" | "tenant" | "name">,
  facts: { readonly by: string; readonly atMs: number; readonly data?: JsonObject },
): Statement {
  const { by, atMs, data = {} } = facts;
  return factInsert({
    type: `schedule.${verb}`,
    tenant: schedule.tenant,
    actor: { kind: by === "system" ? "system" : "user", id: by },
    atMs,
    data: { schedule: schedule.id, name: schedule.name, ...data },
  });
}

/** An interval counts from the moment it is given. */
export function anchored(timing: WantedTiming, nowMs: number): Timing {
  return timing.kind === "cron" ? timing : { ...timing, anchorMs: nowMs };
}

async function checkedWorkflow(
  deps: ScheduleDeps,
  tenant: string,
  wanted: { readonly source: ScheduleSource } & Pick<ScheduleSettings, "inputs" | "labels">,
): Promise<string> {
  const { source, inputs } = wanted;
  const text = source.kind === "text" ? source.text : await registeredText(deps, tenant, source.workflow);
  const workflow = requireRunnable(deps.submit, text);
  refuseSecrets(deps.submit, text, requireInputs(workflow, inputs));
  refuseSecretNames(deps.submit, wanted);
  return workflow.name;
}

async function registeredText(deps: ScheduleDeps, tenant: string, name: string): Promise<string> {
  const found = await deps.workflows.find(tenant, { name });
  if (found !== undefined) return found.text;
  throw new HomeostatError("WORKFLOW_NOT_FOUND", `There is no registered workflow ${name}`, { name });
}

function belongsToFile({ name, workflowName }: Schedule): HomeostatError {
  return new HomeostatError(
    "SCHEDULE_CONFLICT",
    `The schedule ${name} stands in the file of the workflow ${workflowName}`,
    { schedule: name },
    { hint: "Change `triggers` in the file and register it again; pause and resume work here." },
  );
}

async function write(deps: ScheduleDeps, { name }: Schedule, batch: readonly Statement[]): Promise<void> {
  try {
    await deps.store.write(batch);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT") || error.data["guard"] !== scheduleGuard) throw error;
    const text = `The schedule ${name} exists already, or somebody changed it at the same moment`;
    throw new HomeostatError("SCHEDULE_CONFLICT", text, { schedule: name }, { cause: error });
  }
}
