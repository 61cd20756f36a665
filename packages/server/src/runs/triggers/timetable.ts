/** The times in workflow files as schedules: they come, change and go with the registered workflow. */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import {
  deleteSchedule,
  insertSchedule,
  replaceSchedule,
  scheduleFromStore,
} from "../../queue/schedule-row.ts";
import type { Schedule } from "../../queue/schedule-row.ts";
import { createTimes } from "../../queue/schedule-times.ts";
import type { Timing } from "../../queue/schedule-times.ts";
import type { Statement, Store } from "../../store/store.ts";
import type { Timetable, TimeTrigger } from "./registered-workflows.ts";
import { anchored, changeFact, defaultMissedCap } from "./schedules.ts";

type Owner = Parameters<Timetable["plan"]>[0];

export function createTimetable({ store, clock }: { store: Pick<Store, "read">; clock: Clock }): Timetable {
  return {
    async plan(owner, triggers) {
      const { tenant, workflow } = owner;
      const rows = await store.read("SELECT * FROM schedules WHERE tenant = ? AND workflow_name = ?", [
        tenant,
        workflow,
      ]);
      const mine = rows.map(scheduleFromStore).filter(({ source }) => source.kind === "trigger");
      const nowMs = clock.now();
      const gone = mine.filter(({ name }) => !triggers.some((trigger) => nameOf(owner, trigger) === name));
      return [
        ...gone.flatMap((schedule) => [
          deleteSchedule(schedule),
          changeFact("deleted", schedule, { by: owner.by, atMs: nowMs }),
        ]),
        ...triggers.flatMap((trigger) => {
          const before = mine.find(({ name }) => name === nameOf(owner, trigger));
          return before === undefined
            ? added(owner, trigger, nowMs)
            : changed(before, owner, { trigger, nowMs });
        }),
      ];
    },
  };
}

/** A name that nobody can give by hand. */
function nameOf({ workflow }: Owner, { name }: TimeTrigger): string {
  return `${workflow}/${name}`;
}

function added(owner: Owner, trigger: TimeTrigger, nowMs: number): readonly Statement[] {
  const timing = timingOf(trigger, nowMs);
  const schedule: Schedule = {
    id: createId("sch", nowMs),
    tenant: owner.tenant,
    name: nameOf(owner, trigger),
    timing,
    source: { kind: "trigger", workflow: owner.workflow, trigger: trigger.name },
    workflowName: owner.workflow,
    // They are expressions in the file, and worked out when the time has come.
    inputs: {},
    priority: "normal",
    labels: [],
    missed: trigger.missed,
    missedCap: defaultMissedCap,
    overlap: "allow",
    isPaused: false,
    createdBy: owner.by,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    nextAtMs: firstTime(timing, trigger, nowMs),
    waitingAtMs: null,
    lastAtMs: null,
    lastRunId: null,
    lastError: null,
    passed: 0,
    revision: 1,
  };
  return [insertSchedule(schedule), changeFact("created", schedule, { by: owner.by, atMs: nowMs })];
}

/** The same times go on where they are, paused or not; other times count from now. */
function changed(
  before: Schedule,
  { by }: Owner,
  { trigger, nowMs }: { readonly trigger: TimeTrigger; readonly nowMs: number },
): readonly Statement[] {
  const anchorMs = before.timing.kind === "interval" ? before.timing.anchorMs : nowMs;
  const isSame = canonicalJson(timingOf(trigger, anchorMs)) === canonicalJson(before.timing);
  if (isSame && before.missed === trigger.missed && before.createdBy === by) return [];
  const timing = isSame ? before.timing : timingOf(trigger, nowMs);
  const after: Schedule = {
    ...before,
    timing,
    missed: trigger.missed,
    createdBy: by,
    updatedAtMs: nowMs,
    nextAtMs: isSame ? before.nextAtMs : firstTime(timing, trigger, nowMs),
    revision: before.revision + 1,
  };
  return [replaceSchedule(after), changeFact("updated", after, { by, atMs: nowMs })];
}

function timingOf(trigger: TimeTrigger, anchorMs: number): Timing {
  return trigger.kind === "cron"
    ? { kind: "cron", expression: trigger.expression, timezone: trigger.timezone }
    : anchored({ kind: "interval", everyMs: trigger.everyMs }, anchorMs);
}

/** Throws WORKFLOW_INVALID with the place in the file. */
function firstTime(timing: Timing, { name, place }: TimeTrigger, nowMs: number): number | null {
  try {
    return createTimes(timing, nowMs).after(nowMs);
  } catch (error) {
    if (!isHomeostatError(error, "SCHEDULE_INVALID")) throw error;
    const message = `The trigger ${name} cannot be used: ${error.message}`;
    const { line, column, path } = place;
    throw new HomeostatError(
      "WORKFLOW_INVALID",
      `The workflow is not valid: ${message}`,
      {},
      { cause: error, details: [{ detail: message, line, column, path }] },
    );
  }
}
