/** What a person wrote about a schedule, turned into what the server takes; says what is missing. Pure. */
import type { JsonValue } from "../api/contract.ts";
import type { Schedule, ScheduleDetail, ScheduleSettings } from "../api/operations-calls.ts";
import { initialValue, readInputs, type Definitions, type FieldValues } from "../new-task/input-values.ts";
import { nextCronTimes, nextIntervalTimes, parseInterval, type NextTimes } from "./cron-times.ts";

export interface ScheduleFields {
  readonly name: string;
  readonly timing: "cron" | "every";
  readonly cron: string;
  readonly timezone: string;
  readonly every: string;
  readonly source: "registered" | "text";
  readonly workflowName: string;
  readonly workflowText: string;
  readonly inputs: FieldValues;
  readonly priority: Schedule["priority"];
  readonly missed: Schedule["missed"];
  readonly missedCap: string;
  readonly overlap: Schedule["overlap"];
  readonly isPaused: boolean;
}

export function newFields(timezone: string, workflowName: string | undefined): ScheduleFields {
  return {
    ...{ name: "", timing: "cron", cron: "0 9 * * 1-5", timezone, every: "1h" },
    source: workflowName === undefined ? "text" : "registered",
    ...{ workflowName: workflowName ?? "", workflowText: "", inputs: {}, priority: "normal" },
    ...{ missed: "once", missedCap: "24", overlap: "allow", isPaused: false },
  };
}

/** The fields of a schedule that is there; `timezone` is taken where it has none. */
export function fieldsOf(schedule: ScheduleDetail, timezone: string): ScheduleFields {
  return {
    ...{ name: schedule.name, priority: schedule.priority, isPaused: schedule.paused },
    timing: schedule.cron === null ? "every" : "cron",
    cron: schedule.cron ?? "0 9 * * 1-5",
    timezone: schedule.timezone ?? timezone,
    every: schedule.every ?? "1h",
    source: schedule.source === "text" ? "text" : "registered",
    workflowName: schedule.source === "text" ? "" : schedule.workflowName,
    workflowText: schedule.workflowText ?? "",
    inputs: Object.fromEntries(
      Object.entries(schedule.inputs).map(([name, value]) => [name, fieldValue(value as JsonValue)]),
    ),
    missed: schedule.missed,
    missedCap: String(schedule.missedCap),
    overlap: schedule.overlap,
  };
}

/** As the input form shows a value of its kind. */
function fieldValue(value: JsonValue): string | boolean {
  const type = typeof value === "boolean" ? "boolean" : Array.isArray(value) ? "list" : "string";
  return initialValue({ type, default: value });
}

/** The next times of what is written, or why there are none. */
export function previewTimes(
  { timing, cron, timezone, every }: Pick<ScheduleFields, "timing" | "cron" | "timezone" | "every">,
  nowMs: number,
  count: number,
): NextTimes {
  if (timing === "cron") return nextCronTimes({ expression: cron, timezone }, nowMs, count);
  const everyMs = parseInterval(every);
  if (everyMs === null)
    return { kind: "fault", text: "Write a duration such as 30s, 15m, 1h30m or 7d; at least 1s." };
  return { kind: "times", times: nextIntervalTimes(everyMs, nowMs, count) };
}

export interface ReadFields {
  readonly settings: ScheduleSettings;
  readonly faults: readonly string[];
  /** Input name to what is wrong with it. */
  readonly problems: Readonly<Record<string, string>>;
}

/** `settings` are whole only without faults and problems. */
export function readFields(fields: ScheduleFields, definitions: Definitions, nowMs: number): ReadFields {
  const { inputs, problems } = readInputs(definitions, fields.inputs);
  const { timing, cron, timezone, every, source, workflowName, workflowText } = fields;
  const preview = previewTimes(fields, nowMs, 1);
  const cap = Number(fields.missedCap);
  const faults = [
    /^[a-z0-9][a-z0-9_-]{0,63}$/.test(fields.name)
      ? null
      : "The name is of small letters, digits, - and _; at most 64.",
    preview.kind === "fault" ? `The time cannot be used: ${preview.text}` : null,
    source === "registered" && workflowName === "" ? "Choose a workflow." : null,
    source === "text" && workflowText.trim() === "" ? "Write or open a workflow." : null,
    fields.missed === "all" && !(Number.isInteger(cap) && cap >= 1 && cap <= 1000)
      ? "At most so many times are made up for: 1 to 1000."
      : null,
  ].filter((fault) => fault !== null);
  const settings: ScheduleSettings = {
    ...(timing === "cron" ? { cron: cron.trim(), timezone } : { every: every.trim() }),
    ...(source === "registered" ? { workflowName } : { workflow: workflowText }),
    ...{ inputs, priority: fields.priority, missed: fields.missed, overlap: fields.overlap },
    ...(fields.missed === "all" ? { missedCap: cap } : {}),
  };
  return { settings, faults, problems };
}
