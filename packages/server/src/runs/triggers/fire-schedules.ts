/** Makes a run for every time of every schedule, once: also across crashes, and with several processes on one database. */
import type { Clock } from "../../base/clock.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import type { Logger } from "../../base/log.ts";
import { isAway } from "../../guards/recovery.ts";
import { roles } from "../../http/access.ts";
import { dueTimes, overlapVerdict } from "../../queue/schedule.ts";
import { replaceSchedule, scheduleFromStore } from "../../queue/schedule-row.ts";
import type { Schedule } from "../../queue/schedule-row.ts";
import { createTimes } from "../../queue/schedule-times.ts";
import type { Statement, Store } from "../../store/store.ts";
import type { WorkflowRegistry } from "../../workflows/registry.ts";
import type { ScheduleOrigin } from "../journal/event.ts";
import { requireHolder, startFromTrigger } from "./registered-workflows.ts";
import { changeFact } from "./schedules.ts";
import { submitOnce } from "../submission/submit.ts";
import type { SubmitDeps, Submission } from "../submission/submit.ts";
import { olderRunKey, runKey } from "../session/run-key.ts";

export interface FireDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly submit: SubmitDeps;
  readonly registry: WorkflowRegistry;
  /** What a principal may do now. */
  readonly roleOf: (tenant: string, principal: string) => Promise<string>;
}

/** Schedules that are due are looked for this often when nothing is known to come; also how soon the end of a run is seen. */
const lookMs = 1_000;
const schedulesAtATime = 100;

/** For a singleton: returns when the signal is aborted. Rejects with STORE_UNAVAILABLE, BLOB_STORE_UNAVAILABLE. */
export async function fireSchedules(deps: FireDeps, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  while (!signal.aborted) {
    const nextMs = await fireDue(deps, signal);
    const waitMs = Math.min(lookMs, Math.max(1, (nextMs ?? Infinity) - clock.now()));
    // Rejects when it is stopped, which the loop's condition sees.
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/**
 * Handles what is due now; gives the time of what comes next. What is away for one schedule does not hold up the others, and is
 * thrown at the end.
 */
export async function fireDue(deps: FireDeps, signal?: AbortSignal): Promise<number | undefined> {
  const nowMs = deps.clock.now();
  const rows = await deps.store.read(
    `SELECT * FROM schedules WHERE paused = 0 AND (next_at_ms <= ? OR waiting_at_ms IS NOT NULL)
      ORDER BY CASE WHEN next_at_ms IS NULL THEN 1 ELSE 0 END, next_at_ms LIMIT ?`,
    [nowMs, schedulesAtATime],
  );
  let away: unknown;
  for (const row of rows) {
    if (signal?.aborted === true) return undefined;
    await fire(deps, scheduleFromStore(row), nowMs).catch((error: unknown) => {
      if (!isAway(error)) throw error;
      away ??= error;
    });
  }
  if (away !== undefined) throw away;
  const [next] = await deps.store.read("SELECT MIN(next_at_ms) AS next FROM schedules WHERE paused = 0");
  return (next?.["next"] as number | null | undefined) ?? undefined;
}

/** Begins a run now, beside all times. Throws what a submission throws. */
export async function triggerSchedule(
  deps: FireDeps,
  schedule: Schedule,
  { by, dedupKey }: { readonly by: string; readonly dedupKey: string | null },
): Promise<string> {
  const atMs = deps.clock.now();
  const origin: ScheduleOrigin = {
    id: schedule.id,
    name: schedule.name,
    occurrenceAtMs: atMs,
    triggeredBy: by,
  };
  const runId = await start(deps, schedule, { origin, dedupKey });
  await deps.store.write([changeFact("triggered", schedule, { by, atMs, data: { run: runId } })]);
  return runId;
}

/** What has become of a schedule while its times were handled. */
interface Handled {
  waitingAtMs: number | null;
  lastAtMs: number | null;
  lastRunId: string | null;
  lastError: Schedule["lastError"];
  passed: number;
  isPaused: boolean;
  readonly facts: Statement[];
}

async function fire(deps: FireDeps, schedule: Schedule, nowMs: number): Promise<void> {
  const { waitingAtMs, lastAtMs, lastRunId, lastError, passed, nextAtMs, isPaused } = schedule;
  const handled: Handled = { waitingAtMs, lastAtMs, lastRunId, lastError, passed, isPaused, facts: [] };
  // A run of the first time that is not marked as handled was made before a crash: it is the run before.
  const begun = nextAtMs === null ? undefined : await findRun(deps, schedule, nextAtMs);
  if (begun !== undefined) handled.lastRunId = begun;
  if (waitingAtMs !== null && !(await isActive(deps, handled.lastRunId))) {
    handled.waitingAtMs = null;
    await startTime(deps, schedule, { atMs: waitingAtMs, handled });
  }
  const times = createTimes(schedule.timing, nowMs);
  const due =
    nextAtMs === null || nextAtMs > nowMs
      ? { fire: [], passed: [], nextAtMs }
      : dueTimes({ times, nextAtMs, nowMs, missed: schedule.missed, cap: schedule.missedCap });
  pass(schedule, due.passed, { handled, why: "missed", nowMs });
  for (const atMs of due.fire) if (!handled.isPaused) await takeTime(deps, schedule, { atMs, handled });
  const { facts, ...changes } = handled;
  if (due.nextAtMs === nextAtMs && facts.length === 0 && handled.waitingAtMs === waitingAtMs) return;
  const after = { ...schedule, ...changes, nextAtMs: due.nextAtMs, revision: schedule.revision + 1 };
  try {
    await deps.store.write([replaceSchedule(after), ...facts]);
  } catch (error) {
    // Somebody changed it meanwhile: what was made stands under its key, and the next look goes on from there.
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
  }
}

interface Time {
  readonly atMs: number;
  readonly handled: Handled;
}

async function takeTime(deps: FireDeps, schedule: Schedule, { atMs, handled }: Time): Promise<void> {
  const already = await findRun(deps, schedule, atMs);
  const isBusy =
    schedule.overlap !== "allow" && already === undefined && (await isActive(deps, handled.lastRunId));
  const verdict = overlapVerdict(schedule.overlap, {
    isActive: isBusy,
    isWaiting: handled.waitingAtMs !== null,
  });
  switch (verdict) {
    case "run":
      return await startTime(deps, schedule, { atMs, handled });
    case "wait":
      handled.waitingAtMs = atMs;
      return;
    case "pass":
      return pass(schedule, [atMs], { handled, why: "the run before goes on", nowMs: deps.clock.now() });
  }
}

async function startTime(deps: FireDeps, schedule: Schedule, { atMs, handled }: Time): Promise<void> {
  const origin: ScheduleOrigin = { id: schedule.id, name: schedule.name, occurrenceAtMs: atMs };
  try {
    handled.lastRunId = await start(deps, schedule, { origin, dedupKey: keyOf(schedule, atMs) });
    handled.lastAtMs = atMs;
    handled.lastError = null;
  } catch (error) {
    // The time is not over: it is made up for when the store of blobs, or whatever is away, is there again.
    if (isAway(error)) throw error;
    // What is wrong with the workflow or its inputs stays wrong: the time is over, and a person must see why.
    const nowMs = deps.clock.now();
    const code = isHomeostatError(error) ? error.code : "INTERNAL";
    deps.logger.warn({ schedule: schedule.name, error: errorMessage(error) }, "a scheduled run was refused");
    handled.lastError = { code, message: errorMessage(error).slice(0, 1000), atMs: nowMs };
    const data = { at: new Date(atMs).toISOString(), code };
    handled.facts.push(changeFact("failed", schedule, { by: "system", atMs: nowMs, data }));
    if (code !== "AUTHORIZATION_DENIED") return;
    // Nobody answers for its runs any more: whoever lets it go on takes it over first.
    handled.isPaused = true;
    handled.facts.push(changeFact("paused", schedule, { by: "system", atMs: nowMs, data: { code } }));
  }
}

function pass(
  schedule: Schedule,
  times: readonly number[],
  { handled, why, nowMs }: { readonly handled: Handled; readonly why: string; readonly nowMs: number },
): void {
  if (times.length === 0) return;
  handled.passed += times.length;
  const data = { why, count: times.length, last: new Date(times.at(-1)!).toISOString() };
  handled.facts.push(changeFact("passed", schedule, { by: "system", atMs: nowMs, data }));
}

/** One time of a schedule is one key, for as long as its run is there. */
function keyOf({ id }: Pick<Schedule, "id">, atMs: number): string {
  return `${id}/${atMs}`;
}

async function findRun({ store }: FireDeps, schedule: Schedule, atMs: number): Promise<string | undefined> {
  const owner = { tenant: schedule.tenant, requester: schedule.createdBy, schedule };
  const key = keyOf(schedule, atMs);
  const [row] = await store.read("SELECT id FROM runs WHERE dedup_key IN (?, ?) AND tenant = ?", [
    runKey(owner, key),
    olderRunKey(owner, key)!,
    schedule.tenant,
  ]);
  return row?.["id"] as string | undefined;
}

async function isActive({ store }: FireDeps, runId: string | null): Promise<boolean> {
  if (runId === null) return false;
  const rows = await store.read("SELECT id FROM runs WHERE id = ? AND ended_at_ms IS NULL", [runId]);
  return rows.length > 0;
}

async function start(
  deps: FireDeps,
  schedule: Schedule,
  firing: { readonly origin: ScheduleOrigin; readonly dedupKey: string | null },
): Promise<string> {
  const { source, tenant, createdBy: requester, priority } = schedule;
  const { origin, dedupKey } = firing;
  await requireHolder(deps, { tenant, principal: requester, what: `the schedule ${schedule.name}` });
  const labels = [...schedule.labels, `schedule:${schedule.name}`];
  const more = { priority, schedule: origin, ...(dedupKey === null ? {} : { dedupKey }) };
  if (source.kind === "trigger") {
    const at = new Date(origin.occurrenceAtMs).toISOString();
    const scope = { trigger: { name: source.trigger, kind: schedule.timing.kind, id: schedule.id, at } };
    const trigger = { tenant, workflow: source.workflow, name: source.trigger };
    const extra: Partial<Submission> = { ...more, labels, requester };
    return (await startFromTrigger(deps, trigger, { scope, dedupKey, extra })).id;
  }
  const { inputs } = schedule;
  const base = { files: [], inputs, labels, tenant, ...more };
  if (source.kind === "text")
    return (await submitOnce(deps.submit, { ...base, workflow: source.text, requester })).row.id;
  const registered = await deps.registry.require(tenant, { name: source.workflow });
  const weaker = await weakerOf(deps, { tenant, owner: requester, author: registered.addedBy });
  return (await submitOnce(deps.submit, { ...base, workflow: registered.text, requester: weaker })).row.id;
}

/**
 * On whose behalf a scheduled run of a registered workflow counts: whoever registers a new text under the name would else have
 * it run with the rights of the schedule's owner, who never saw it.
 */
async function weakerOf(
  { roleOf }: FireDeps,
  { tenant, owner, author }: { readonly tenant: string; readonly owner: string; readonly author: string },
): Promise<string> {
  if (owner === author) return owner;
  const [ownRole, authorRole] = await Promise.all([roleOf(tenant, owner), roleOf(tenant, author)]);
  return rankOf(authorRole) < rankOf(ownRole) ? author : owner;
}

/** A role that this program does not know may do nothing. */
function rankOf(role: string): number {
  return Math.max(0, (roles as readonly string[]).indexOf(role));
}
